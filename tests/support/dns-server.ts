import { createSocket } from 'node:dgram'
import { Resolver } from 'node:dns/promises'
import { once } from 'node:events'
import { onTestFinished } from 'vitest'

/** What a name server publishes: `example.org MX` → `mx.example.org`, `example.org A` → `192.0.2.1`. */
export type Zone = Record<string, string>

const types = new Map([
  [1, 'A'],
  [15, 'MX'],
  [28, 'AAAA'],
])
const noSuchName = 3
const serverFailure = 2

/**
 * A resolver that asks a name server of our own, over UDP (RFC 1035); `broken` names fail there.
 * @returns the questions that were asked, too
 */
export async function aNameServer(zone: Zone, broken: string[] = []) {
  const questions: string[] = []
  const socket = createSocket('udp4').bind(0, '127.0.0.1')
  await once(socket, 'listening')
  socket.on('message', (message, { port, address }) => {
    const { name, type, end } = readQuestion(message)
    questions.push(`${name} ${type}`)
    const data = zone[`${name} ${type}`]
    const isKnown = Object.keys(zone).some((key) => key.startsWith(`${name} `))
    const code = broken.includes(name) ? serverFailure : isKnown ? 0 : noSuchName
    socket.send(toAnswer(message.subarray(0, end), code, data), port, address)
  })
  onTestFinished(() => {
    socket.close()
  })
  const resolver = new Resolver({ timeout: 1_000, tries: 2 })
  resolver.setServers([`127.0.0.1:${socket.address().port}`])
  return { resolver, questions }
}

function readQuestion(message: Buffer) {
  const labels: string[] = []
  let at = 12
  for (let length = message[at] ?? 0; length > 0; length = message[at] ?? 0) {
    labels.push(message.toString('latin1', at + 1, at + 1 + length))
    at += 1 + length
  }
  return {
    name: labels.join('.').toLowerCase(),
    type: types.get(message.readUInt16BE(at + 1)) ?? 'other',
    end: at + 5,
  }
}

function toAnswer(question: Buffer, code: number, data: string | undefined): Buffer {
  const header = Buffer.from(question)
  header.writeUInt16BE(0x8180 | code, 2)
  header.writeUInt16BE(data === undefined ? 0 : 1, 6)
  header.fill(0, 8, 12)
  if (data === undefined) return header
  const type = question.subarray(-4, -2)
  const content = type.readUInt16BE() === 15 ? Buffer.from([0, 10, ...nameBytes(data)]) : addressBytes(data)
  const length = Buffer.alloc(2)
  length.writeUInt16BE(content.length)
  // The name by reference to the question, class IN, a minute to live.
  return Buffer.concat([
    header,
    Buffer.from([0xc0, 12]),
    type,
    Buffer.from([0, 1, 0, 0, 0, 60]),
    length,
    content,
  ])
}

const nameBytes = (name: string): number[] => [
  ...name
    .split('.')
    .filter(Boolean)
    .flatMap((label) => [label.length, ...Buffer.from(label)]),
  0,
]

const addressBytes = (address: string): Buffer => Buffer.from(address.split('.').map(Number))
