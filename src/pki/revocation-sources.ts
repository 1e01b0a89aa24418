// OCSP answers and published CRLs of all configurations. They outlive the configuration that they
// were fetched for, so that a reload while an issuer is down does not lose them.

import { LRUCache } from 'lru-cache'
import type { Clock } from '../runtime/clock.ts'
import { httpFetcher, type HttpFetch } from '../runtime/http/fetch.ts'
import type { Logger } from '../runtime/logger.ts'
import type { CrlPlace } from './crl/crl.ts'
import type { Issued } from './issued.ts'
import {
  distributionPoints,
  permitted,
  publicLookup,
  uriOf,
  type LocationPolicy,
} from './locations.ts'
import { OcspSource, type OcspOptions } from './ocsp/ocsp.ts'
import type { CrlDocument } from './crl/document.ts'
import { RemoteCrl, type CrlRefresh } from './crl/remote.ts'
import { withoutQuery, type RequestDurations } from '../runtime/request-durations.ts'
import { gauge, type Metric, type Sample } from '../runtime/metrics/metric.ts'
import { SharedResources } from '../runtime/shared-resources.ts'

/** How CRLs are fetched. */
export interface CrlFetching {
  /** PEM of the only certificate authorities to trust over https. */
  readonly ca: Buffer | undefined
  readonly times: CrlRefresh
  /** Of one CRL. */
  readonly maxBytes: number
}

/** The CRLs of a file. */
export interface CrlFile {
  readonly documents: readonly CrlDocument[]
  /** Its path. */
  readonly file: string
  /** The length of the file. */
  readonly bytes: number
}

/** How everything is fetched. */
export interface FetchingOptions {
  /** Whether nothing is fetched, since nothing will be verified. */
  readonly idle?: boolean
  /** Measures the requests. */
  readonly durations?: RequestDurations
}

/** Shares OCSP answers and CRLs among authenticators, and over reloads. */
export class RevocationSources implements Disposable {
  readonly #ocsp = new SharedResources<OcspSource>()
  readonly #crls = new SharedResources<RemoteCrl>()
  readonly #pointed = new SharedResources<PointedCrls>()
  /** By the digest of their content. */
  readonly #files = new Map<string, CrlFile>()
  readonly metric: Metric = gauge(
    'countersign_crl_next_update_timestamp_seconds',
    'When a CRL has to be replaced by the next one (nextUpdate), by its file or URL; of a file with several CRLs, the earliest. Without the CRLs that certificates name.',
    () => this.#nextUpdates(),
    { source: 'the file, or the URL without a query' },
  )
  readonly #cached: Metric = gauge(
    'countersign_ocsp_answers_cached',
    'Cached answers of OCSP responders, at most 10,000 for each set of options.',
    () => this.#ocsp.all.reduce((sum, { cached }) => sum + cached, 0),
  )
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #idle: boolean
  readonly #durations: RequestDurations | undefined

  constructor(clock: Clock, logger: Logger, { idle = false, durations }: FetchingOptions = {}) {
    this.#clock = clock
    this.#logger = logger
    this.#idle = idle
    this.#durations = durations
  }

  /** All metrics. */
  get metrics(): readonly Metric[] {
    return [this.metric, this.#cached]
  }

  /** The OCSP answers for these options, equal ones shared. */
  ocsp(options: OcspOptions): OcspSource {
    const parts = { clock: this.#clock, logger: this.#logger, durations: this.#durations }
    return this.#ocsp.acquire([options], () => new OcspSource(options, parts))
  }

  /** The CRLs at a configured URL, equal ones shared. They are fetched from now on. */
  crl(url: URL, { ca, times, maxBytes }: CrlFetching): RemoteCrl {
    return this.#crls.acquire([url.href, ca, times, maxBytes], () => {
      const { fetch } = httpFetcher({ ca })
      return this.#start({ url, fetch, times, maxBytes, name: withoutQuery(url.href) })
    })
  }

  /** The CRLs that certificates point to, as far as the policy allows. */
  pointed(policy: LocationPolicy, { ca, times, maxBytes }: CrlFetching): PointedCrls {
    return this.#pointed.acquire([policy, ca, times, maxBytes], () => {
      const lookup = policy.hosts.length === 0 ? publicLookup : undefined
      const { fetch } = httpFetcher({ ca, lookup })
      return new PointedCrls(policy, (url) =>
        this.#start({ url, fetch, times, maxBytes, name: '' }),
      )
    })
  }

  /**
   * The CRLs of a file that was read before, for this configuration or the one before. With what was found in
   * them: a reload that changes nothing of a CRL with a million entries does not read them anew.
   *
   * @param digest of the content
   */
  crlFile(digest: string): CrlFile | undefined {
    return this.#files.get(digest)
  }

  /** Keeps the CRLs of a file, for the next reload. */
  keepCrlFile(digest: string, file: CrlFile): void {
    this.#files.set(digest, file)
  }

  /** Ends all other sources: called after a reload, with those of the configuration in force. */
  retain(inUse: ReadonlySet<object>): void {
    for (const sources of [this.#ocsp, this.#crls, this.#pointed]) sources.retain(inUse)
    for (const [digest, file] of this.#files) if (!inUse.has(file)) this.#files.delete(digest)
  }

  [Symbol.dispose](): void {
    this.retain(new Set())
  }

  #nextUpdates(): readonly Sample<number>[] {
    const documents = [
      ...[...this.#files.values()].map((one) => [one.file, one.documents] as const),
      ...this.#crls.all.map((crl) => [withoutQuery(crl.url.href), crl.documents] as const),
    ]
    const earliest = new Map<string, number>()
    for (const [source, held] of documents) {
      const ends = [earliest.get(source) ?? Number.POSITIVE_INFINITY, ...held.map(endOf)]
      if (held.length > 0) earliest.set(source, Math.min(...ends))
    }
    return [...earliest].map(([source, value]) => ({ labels: { source }, value }))
  }

  #start(options: {
    readonly url: URL
    readonly fetch: HttpFetch
    readonly times: CrlRefresh
    readonly maxBytes: number
    /** For metrics; empty for an address that a certificate names. */
    readonly name: string
  }): RemoteCrl {
    const { name, ...rest } = options
    const durations = this.#durations?.of('crl', name)
    const crl = new RemoteCrl({ ...rest, durations, clock: this.#clock, logger: this.#logger })
    if (!this.#idle) crl.start()
    return crl
  }
}

const endOf = ({ nextUpdate }: CrlDocument): number => nextUpdate / 1_000

// Certificates of one issuer point to one place, or to some tens where its list is divided.
const MAX_PLACES = 64
const MAX_POINTS = 3

/** CRLs that certificates point to, fetched when the first one does. */
export class PointedCrls implements Disposable {
  readonly #policy: LocationPolicy
  readonly #start: (url: URL) => RemoteCrl
  readonly #places = new LRUCache<string, RemoteCrl>({
    max: MAX_PLACES,
    dispose: (crl) => crl[Symbol.dispose](),
  })

  constructor(policy: LocationPolicy, start: (url: URL) => RemoteCrl) {
    this.#policy = policy
    this.#start = start
  }

  /** Where the CRLs for a certificate are. */
  readonly placesOf = ({ certificate: { extensions } }: Issued): readonly CrlPlace[] =>
    distributionPoints(extensions)
      .flatMap((name) => uriOf(name) ?? [])
      .flatMap((text) => permitted(text, this.#policy) ?? [])
      .slice(0, MAX_POINTS)
      .map((url) => this.#at(url));

  [Symbol.dispose](): void {
    this.#places.clear()
  }

  #at(url: URL): RemoteCrl {
    const known = this.#places.get(url.href)
    if (known !== undefined) return known
    const crl = this.#start(url)
    this.#places.set(url.href, crl)
    return crl
  }
}
