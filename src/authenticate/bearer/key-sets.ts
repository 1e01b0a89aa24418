// The published key sets of all configurations. A key set outlives a reload, so that a reload during an outage of the
// issuer does not lose its keys.

import type { Clock } from '../../runtime/clock.ts'
import type { Logger } from '../../runtime/logger.ts'
import { UNMEASURED, withoutQuery, type RequestDurations } from '../../runtime/request-durations.ts'
import { jsonFetcher } from '../../clients/fetch-json.ts'
import type { KeySet } from './key-set.ts'
import { keyFetcher, type KeySource } from './key-source.ts'
import { RemoteKeySet, type KeySetStatus, type KeyTimes } from './remote-key-set.ts'
import { SharedResources } from '../../runtime/shared-resources.ts'

/** A source of keys, and how they are fetched. */
export interface PublishedKeys {
  readonly source: KeySource
  /** PEM of the only trusted certificate authorities; without it, those that Node trusts. */
  readonly ca?: Buffer | undefined
  readonly times: KeyTimes
}

/** How key sets are fetched. */
export interface KeySetOptions {
  /** Whether nothing is fetched, since no token will be verified. */
  readonly idle?: boolean
  /** Measures the fetches, discovery included. */
  readonly durations?: RequestDurations
}

/** Shares key sets between authenticators and across reloads. */
export class KeySets implements Disposable {
  readonly #sets = new SharedResources<RemoteKeySet>()
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #idle: boolean
  readonly #durations: RequestDurations | undefined

  constructor(clock: Clock, logger: Logger, { idle = false, durations }: KeySetOptions = {}) {
    this.#clock = clock
    this.#logger = logger
    this.#idle = idle
    this.#durations = durations
  }

  /**
   * The key set of these options, shared between equal ones. It is fetched from now on.
   *
   * @throws CountersignError `configuration-invalid` for a URL that cannot be trusted
   */
  acquire({ source, ca, times }: PublishedKeys): KeySet {
    return this.#sets.acquire([source, ca?.toString('base64'), times], () => {
      const name = source.kind === 'url' ? source.url : source.issuer
      const measured = this.#durations?.of('key-set', withoutQuery(name)) ?? UNMEASURED
      const fetchKeys = keyFetcher(source, jsonFetcher(ca))
      const set = new RemoteKeySet({
        source: name,
        fetchKeys: (signal) => measured.measure('', () => fetchKeys(signal)),
        times,
        clock: this.#clock,
        logger: this.#logger,
      })
      if (!this.#idle) set.start()
      return set
    })
  }

  /** The status of each; of several with the same source, that of the last one. */
  statuses(): readonly KeySetStatus[] {
    const statuses = this.#sets.all.map((set) => set.status())
    return [...new Map(statuses.map((status) => [status.source, status])).values()]
  }

  /** Closes every other key set: called after a reload, with those of the configuration in force. */
  retain(inUse: ReadonlySet<object>): void {
    this.#sets.retain(inUse)
  }

  [Symbol.dispose](): void {
    this.#sets[Symbol.dispose]()
  }
}
