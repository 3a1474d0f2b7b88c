import type { SourceFailure } from '../../domain/sources/source.ts'
import { DomainError } from '../../errors.ts'
import { SiteFault } from '../../services/sources/site.ts'
import { fetchLimits, findShortlink, isPublicAddress, visit, type ServerAnswer } from '../fetch-public.ts'

export type SiteClient = ReturnType<typeof createSiteClient>

/** Whose name we give, and where we go. @param sourceHosts private hosts that the operator lets us reach */
export const mannersOf = ({ publicUrl, sourceHosts }: { publicUrl: string; sourceHosts: string[] }) => ({
  isAllowed: (address: string, host: string) => sourceHosts.includes(host) || isPublicAddress(address),
  headers: { 'user-agent': `Depeche (+${publicUrl})` },
})

export function createSiteClient(options: Parameters<typeof mannersOf>[0]) {
  const shared = { limits: fetchLimits.site, ...mannersOf(options) }
  return {
    /** A GET of a site that is followed, whatever its status. @throws SiteFault */
    visit: async (url: string, headers: Record<string, string> = {}): Promise<ServerAnswer> => {
      try {
        return await visit(url, { ...shared, headers: { ...shared.headers, ...headers } })
      } catch (error) {
        if (!(error instanceof DomainError)) throw error
        const failure = failures[error.code] ?? 'unreachable'
        throw new SiteFault(failure, { cause: error })
      }
    },
    findShortlink: (url: string) => findShortlink(url, shared),
  }
}

const failures: Record<string, SourceFailure> = {
  address_refused: 'address',
  fetch_too_large: 'unreadable',
}

/** What a status other than 200 says of a site; `missing` where there is nothing at the address. */
export function faultOf({ status, header }: ServerAnswer, missing: 'closed' | 'gone'): SiteFault {
  const after = header('retry-after') ?? ''
  const seconds = /^\d{1,9}$/.test(after) ? Number(after) : (Date.parse(after) - Date.now()) / 1000
  const retryAfter = Number.isFinite(seconds) && seconds > 0 ? Math.ceil(seconds) : undefined
  if (status === 401 || status === 403) return new SiteFault('refused', { retryAfter })
  if (status === 404 || status === 410) return new SiteFault(missing)
  if (status === 429 || status === 503) return new SiteFault('busy', { retryAfter })
  return new SiteFault(status >= 500 ? 'broken' : 'unreadable', { retryAfter })
}
