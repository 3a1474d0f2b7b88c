import dns from 'node:dns'
import { syncBuiltinESMExports } from 'node:module'
import net from 'node:net'

/**
 * Loaded before the web process under test: Schemathesis makes up addresses of sites and of readers, and what it makes up
 * may belong to somebody. No name is looked up, and who is called by a number is called where nobody listens.
 */
const isHere = (host: string) => host === 'localhost' || host === '::1' || host.startsWith('127.')
const failure = () => Object.assign(new Error('nothing leaves this machine'), { code: 'ENOTFOUND' })
const nobody = { host: '127.0.0.1', port: 1 }

const { connect } = net.Socket.prototype as { connect: (this: net.Socket, ...given: unknown[]) => net.Socket }
Object.assign(net.Socket.prototype, {
  connect(this: net.Socket, ...given: unknown[]) {
    const [first, second] = given.flat() as [number | { host?: string }, string | undefined]
    const host = typeof first === 'object' ? first.host : second
    if (host === undefined || isHere(host) || net.isIP(host) === 0) return connect.apply(this, given)
    if (typeof first === 'object') Object.assign(first, nobody)
    else given.splice(0, 2, nobody.port, nobody.host)
    return connect.apply(this, given)
  },
})

const lookup = dns.lookup as (name: string, ...rest: unknown[]) => void
Object.assign(dns, {
  lookup: (name: string, ...rest: unknown[]) => {
    if (isHere(name)) lookup(name, ...rest)
    else process.nextTick(rest.at(-1) as (error: Error) => void, failure())
  },
})
for (const method of ['resolve4', 'resolve6', 'resolveMx', 'resolveTxt', 'reverse'])
  Object.assign(dns.promises.Resolver.prototype, { [method]: () => Promise.reject(failure()) })
syncBuiltinESMExports()
