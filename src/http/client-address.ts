import type { IncomingMessage } from 'node:http'
import ipaddr from 'ipaddr.js'

type IpAddress = ipaddr.IPv4 | ipaddr.IPv6

export interface ClientAddress {
  /** What limits count by: an IPv4 address, or the /64 of an IPv6 one, which is one household. */
  limitKey: string
  /** What a consent record keeps: the /24 or /48. */
  prefix: string
}

/**
 * Tells where a request comes from. X-Forwarded-For counts only as far as proxies that TRUST_PROXY names have
 * written it: read from the right, the first address that is no such proxy is the client.
 * @param onUntrusted runs once, when a private peer sends the header and TRUST_PROXY is unset
 */
export function createClientAddress(trustProxy: readonly string[], onUntrusted: () => void) {
  const trusted = trustProxy.map(parseRange)
  let hasWarned = false

  return (request: IncomingMessage): ClientAddress => {
    const peer = parse(request.socket.remoteAddress ?? '')
    const forwarded = request.headers['x-forwarded-for']
    if (forwarded === undefined || !peer) return toClient(peer)
    if (!isTrusted(peer, trusted)) {
      if (!hasWarned && trusted.length === 0 && peer.range() !== 'unicast') {
        hasWarned = true
        onUntrusted()
      }
      return toClient(peer)
    }
    const hops = [forwarded].flat().join(',').split(',').slice(-20)
    let client = peer
    for (const hop of hops.reverse()) {
      const address = parse(hop.trim())
      if (!address) break
      client = address
      if (!isTrusted(address, trusted)) break
    }
    return toClient(client)
  }
}

/** The same for an address that a newsroom's backend names. */
export const clientAddressOf = (text: string): ClientAddress => toClient(parse(text))

/** IPv4 behind an IPv6 socket is IPv4. */
function parse(text: string): IpAddress | undefined {
  return ipaddr.isValid(text) ? ipaddr.process(text) : undefined
}

function parseRange(text: string): [IpAddress, number] {
  if (ipaddr.isValidCIDR(text)) return ipaddr.parseCIDR(text)
  const address = ipaddr.process(text)
  return [address, address.kind() === 'ipv4' ? 32 : 128]
}

const isTrusted = (address: IpAddress, trusted: [IpAddress, number][]): boolean =>
  trusted.some(([range, bits]) => range.kind() === address.kind() && address.match(range, bits))

function toClient(address: IpAddress | undefined): ClientAddress {
  if (!address) return { limitKey: 'unknown', prefix: '' }
  const isV4 = address.kind() === 'ipv4'
  return {
    limitKey: isV4 ? address.toString() : `${network(address, 64)}/64`,
    prefix: isV4 ? `${network(address, 24)}/24` : `${network(address, 48)}/48`,
  }
}

const network = (address: IpAddress, bits: number): string =>
  (address.kind() === 'ipv4' ? ipaddr.IPv4 : ipaddr.IPv6)
    .networkAddressFromCIDR(`${address.toString()}/${bits}`)
    .toString()
