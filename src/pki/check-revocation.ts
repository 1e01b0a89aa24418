// Combines the sources of revocation: the deny-list first, then OCSP and CRLs for each certificate of a path. What the
// configuration allows when the status is unknown is applied here.

import { createHash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { Clock } from '../runtime/clock.ts'
import { CountersignError } from '../runtime/errors.ts'
import { readCertificate } from '../x509/certificate.ts'
import type { DenyList } from './deny-list.ts'
import { readIssuer, type Issued, type Issuer } from './issued.ts'
import type { RevocationChecker, RevocationStatus } from './revocation.ts'
import type { RevocationSource, SourceStatus } from './revocation-source.ts'

/** What revocation is judged by. */
export interface RevocationOptions {
  readonly generation: string
  readonly denied: DenyList
  /** In the order of use: the next one only if the previous one does not know the status. */
  readonly sources: readonly RevocationSource[]
  /** `all`: every certificate except the trust anchor, which no issuer can revoke. */
  readonly chain: 'leaf' | 'all'
  readonly unknown: 'deny' | 'allow'
  readonly unavailable: 'deny' | 'allow'
  /** How long a status is used that is only allowed because it is unknown, in milliseconds. */
  readonly retry: number
  readonly clock: Clock
}

/** Makes the checker of one authenticator. */
export const revocationChecker = (options: RevocationOptions): RevocationChecker => {
  const { generation, denied, sources, chain: extent } = options
  const readIssued = issuedReader()
  return {
    generation,
    async check(chain, signal) {
      try {
        if (chain.some((der) => denied.denies(der))) return { outcome: 'denied' }
        if (sources.length === 0) return { outcome: 'good' }
        const asked = extent === 'leaf' ? chain.slice(0, 2) : chain
        const statuses = await Promise.all(
          asked
            .slice(0, -1)
            .map((der, index) => ask(readIssued(der, asked[index + 1]), options, signal)),
        )
        return gravest(statuses)
      } catch (cause) {
        return { outcome: 'unavailable', cause }
      }
    },
  }
}

/** The first that is certain; otherwise whatever the configuration does not let pass. */
const ask = async (
  issued: Issued,
  options: RevocationOptions,
  signal: AbortSignal,
): Promise<RevocationStatus> => {
  const uncertain: Exclude<SourceStatus, { outcome: 'good' | 'revoked' }>[] = []
  for (const source of options.sources) {
    const status = await source.status(issued, signal)
    if (status.outcome === 'good' || status.outcome === 'revoked') return status
    uncertain.push(status)
  }
  // Each has to be allowed: what one source doesn't know might have been revoked by the other.
  const refused = uncertain.filter(({ outcome }) => options[outcome] === 'deny')
  const [first] = refused
  return first === undefined
    ? { outcome: 'good', until: options.clock.now() + options.retry }
    : (refused.find(({ outcome }) => outcome === 'unknown') ?? first)
}

const GRAVITY = ['denied', 'revoked', 'unknown', 'unavailable'] as const

/** The status of a path is the worst of its certificates'. */
const gravest = (statuses: readonly RevocationStatus[]): RevocationStatus => {
  for (const outcome of GRAVITY) {
    const found = statuses.find((status) => status.outcome === outcome)
    if (found !== undefined) return found
  }
  const ends = statuses.flatMap((one) => (one.outcome === 'good' ? (one.until ?? []) : []))
  return ends.length === 0 ? { outcome: 'good' } : { outcome: 'good', until: Math.min(...ends) }
}

// There are a handful, and reading a key costs more than everything else of a check.
const MAX_ISSUERS = 200

const issuedReader = (): ((der: Buffer, above: Buffer | undefined) => Issued) => {
  const issuers = new LRUCache<string, Issuer>({ max: MAX_ISSUERS })
  return (der, above) => {
    if (above === undefined) throw new CountersignError('unavailable', 'a path without its issuer')
    const digest = createHash('sha256').update(above).digest('base64url')
    const issuer = issuers.get(digest) ?? readIssuer(above)
    issuers.set(digest, issuer)
    return { certificate: readCertificate(der), issuer }
  }
}
