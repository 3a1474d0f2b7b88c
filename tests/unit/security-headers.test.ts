import { createServer } from 'node:http'
import express from 'express'
import { expect, onTestFinished, test } from 'vitest'
import { securityHeaders } from '../../src/http/security-headers.ts'

async function headersAt(publicUrl: string): Promise<Headers> {
  const server = createServer(express().use(securityHeaders(publicUrl))).listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as { port: number }
  return (await fetch(`http://127.0.0.1:${port}/`)).headers
}

test('TLS is asked for where it is, of our host and of no other below its domain', async () => {
  const name = 'strict-transport-security'
  expect((await headersAt('https://rivage.example')).get(name)).toBe('max-age=31536000')
  expect((await headersAt('http://localhost:3000')).get(name)).toBeNull()
})
