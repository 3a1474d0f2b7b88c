import dns from 'node:dns'
import { syncBuiltinESMExports } from 'node:module'
import net from 'node:net'

/**
 * Loaded before the web process under test: Schemathesis makes up addresses of sites and of readers, and what it makes up
 * may belong to somebody. No name is looked up, and no connection leads off this machine.
 */
const isHere = (host: string) => host === 'localhost' || host === '::1' || host.startsWith('127.')
const failure = (code: string) => Object.assign(new Error(`${code}: nothing leaves this machine`), { code })

const { connect } = net.Socket.prototype as { connect: (this: net.Socket, ...given: unknown[]) => net.Socket }
Object.assign(net.Socket.prototype, {
  connect(this: net.Socket, ...given: unknown[]) {
    const [first, second] = given.flat() as [number | { host?: string }, string | undefined]
    const host = typeof first === 'object' ? first.host : second
    if (host === undefined || isHere(host)) return connect.apply(this, given)
    return this.destroy(failure('ENETUNREACH'))
  },
})

const lookup = dns.lookup as (name: string, ...rest: unknown[]) => void
Object.assign(dns, {
  lookup: (name: string, ...rest: unknown[]) => {
    if (isHere(name)) lookup(name, ...rest)
    else process.nextTick(rest.at(-1) as (error: Error) => void, failure('ENOTFOUND'))
  },
})
for (const method of ['resolve4', 'resolve6', 'resolveMx', 'resolveTxt', 'reverse'])
  Object.assign(dns.promises.Resolver.prototype, { [method]: () => Promise.reject(failure('ENOTFOUND')) })
syncBuiltinESMExports()
