import { createSocket } from 'node:dgram'
import { Resolver } from 'node:dns/promises'
import { once } from 'node:events'
import ipaddr from 'ipaddr.js'
import { onTestFinished } from 'vitest'

/** What a name server publishes: `example.org MX` → `mx.example.org`, `example.org A` → `['192.0.2.1', …]`. */
export type Zone = Record<string, string | string[]>

const types = new Map([
  [1, 'A'],
  [12, 'PTR'],
  [15, 'MX'],
  [16, 'TXT'],
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
    const data = [zone[`${name} ${type}`] ?? []].flat()
    const isKnown = Object.keys(zone).some((key) => key.startsWith(`${name} `))
    const code = broken.includes(name) ? serverFailure : isKnown ? 0 : noSuchName
    socket.send(toAnswer(message.subarray(0, end), code, data), port, address)
  })
  onTestFinished(() => {
    socket.close()
  })
  const resolver = new Resolver({ timeout: 1_000, tries: 2 })
  resolver.setServers([`127.0.0.1:${socket.address().port}`])
  return { resolver, questions, port: socket.address().port }
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

function toAnswer(question: Buffer, code: number, data: string[]): Buffer {
  const header = Buffer.from(question)
  header.writeUInt16BE(0x8180 | code, 2)
  header.writeUInt16BE(data.length, 6)
  header.fill(0, 8, 12)
  const type = question.readUInt16BE(question.length - 4)
  return Buffer.concat([header, ...data.map((each) => toRecord(type, each))])
}

function toRecord(type: number, data: string): Buffer {
  const content = contentOf(types.get(type), data)
  const head = Buffer.alloc(12)
  // The name by reference to the question, class IN, a minute to live.
  head.writeUInt16BE(0xc00c, 0)
  head.writeUInt16BE(type, 2)
  head.writeUInt16BE(1, 4)
  head.writeUInt32BE(60, 6)
  head.writeUInt16BE(content.length, 10)
  return Buffer.concat([head, content])
}

function contentOf(type: string | undefined, data: string): Buffer {
  if (type === 'MX') return Buffer.from([0, 10, ...nameBytes(data)])
  if (type === 'PTR') return Buffer.from(nameBytes(data))
  if (type === 'TXT') return Buffer.concat((data.match(/.{1,255}/g) ?? ['']).map(withLength))
  return Buffer.from(ipaddr.parse(data).toByteArray())
}

const withLength = (text: string): Buffer => Buffer.from([text.length, ...Buffer.from(text)])

const nameBytes = (name: string): number[] => [
  ...name
    .split('.')
    .filter(Boolean)
    .flatMap((label) => [...withLength(label)]),
  0,
]
