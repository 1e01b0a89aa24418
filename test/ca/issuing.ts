// An issuer with a CA in memory, a clock that only tests move, and all its events kept.

import assert from 'node:assert/strict'
import { CertificateIssuer, type Issuance } from '../../src/ca/issuer.ts'
import type { CertificateAuthority } from '../../src/ca/certificate-authority.ts'
import { keySource } from '../../src/ca/key-pool.ts'
import { Limits } from '../../src/ca/limits.ts'
import { AuthorityRate } from '../../src/ca/rate-limit.ts'
import { IssuanceMetrics } from '../../src/ca/metrics.ts'
import type { Authority, SignerSnapshot } from '../../src/ca/snapshot.ts'
import type { AuditEvent } from '../../src/audit/event.ts'
import { parseSignerConfig } from '../../src/ca/parse.ts'
import type { KeyAlgorithm } from '../../src/keys/key-algorithm.ts'
import type { Grant } from '../../src/grant/grant.ts'
import { GrantSeal } from '../../src/grant/seal.ts'
import type { GrantKey } from '../../src/keys/grant-keys.ts'
import { KeptSpans } from '../../src/runtime/tracing/kept-spans.ts'
import { MemoryAudit } from '../fakes/audit-sink.ts'
import { FakeClock } from '../fakes/clock.ts'
import { grantOf, makeGrantKey, sealed } from '../fakes/grant.ts'
import { memoryLogger } from '../fakes/logger.ts'
import { fileCaOf, makeCa } from './authorities.ts'
import { limitsConfig } from './limits-cases.ts'

const parsed = parseSignerConfig(
  '/etc/signer.yaml',
  "{ version: 1, listen: 'unix:s.sock', authorities: { kube: { certificate: c, key: 'file:k' } } }",
)
assert.ok(parsed.ok)
const { value: config } = parsed

/** A snapshot with these CAs. */
export const signerSnapshot = (
  keys: readonly GrantKey[],
  authorities: Readonly<Record<string, Authority>>,
): SignerSnapshot => ({
  config,
  seal: new GrantSeal(keys),
  authorities: new Map(Object.entries(authorities)),
})

/** A CA with limits in the form of `signer.yaml`. */
export const authorityOf = (
  ca: CertificateAuthority,
  clock: FakeClock,
  limits = '{}',
  algorithm: KeyAlgorithm = 'p256',
): Authority => {
  const read = limitsConfig(limits)
  return {
    ca,
    limits: new Limits(read, ca.certificate.notAfter),
    rate: new AuthorityRate(read.rate, clock),
    keys: keySource(algorithm),
    algorithm,
  }
}

/** An issuer and what is around it. */
export class Issuing {
  readonly clock = new FakeClock()
  readonly audit = new MemoryAudit()
  readonly key = makeGrantKey()
  readonly spans = new KeptSpans(this.clock)
  readonly metrics = new IssuanceMetrics()
  readonly #log = memoryLogger()
  readonly issuer: CertificateIssuer
  snapshot: SignerSnapshot
  generation = 1
  /** What `refresh` does; it counts, too. */
  onRefresh: () => void | Promise<void> = () => undefined
  refreshes = 0

  constructor(ca: CertificateAuthority, limits?: string, algorithm?: KeyAlgorithm) {
    const kube = authorityOf(ca, this.clock, limits, algorithm)
    this.snapshot = signerSnapshot([this.key], { kube })
    this.issuer = new CertificateIssuer({
      current: () => ({ value: this.snapshot, generation: this.generation }),
      refresh: async () => {
        this.refreshes += 1
        await this.onRefresh()
      },
      audit: this.audit,
      logger: this.#log.logger,
      clock: this.clock,
      metrics: this.metrics,
      spans: this.spans,
    })
  }

  get lines(): readonly string[] {
    return this.#log.lines
  }

  handle(changes: Partial<Grant> = {}): string {
    return sealed(grantOf(changes), this.key)
  }

  async issue(handle = this.handle()): Promise<Issuance> {
    return await this.issuer.issue(handle)
  }

  /** Issues, and gives the code of the refusal or `issued`. */
  async outcome(handle?: string): Promise<string> {
    const issuance = await this.issue(handle)
    return issuance.outcome === 'issued' ? 'issued' : issuance.code
  }

  /** The only event so far. */
  event(): AuditEvent {
    const [event, ...more] = this.audit.events
    assert.equal(more.length, 0)
    return event ?? assert.fail('no event')
  }
}

/** An issuer with a CA of its own. */
export const issuing = async (limits?: string): Promise<Issuing> =>
  new Issuing(fileCaOf(await makeCa()), limits)
