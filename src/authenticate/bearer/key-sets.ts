// The published key sets of all configurations. One outlives the configuration that it was made
// for, so that a reload while an issuer is down does not lose its keys.

import type { Clock } from '../../runtime/clock.ts'
import { digestOf } from '../../runtime/digest.ts'
import type { Logger } from '../../runtime/logger.ts'
import { jsonFetcher } from '../../clients/fetch-json.ts'
import type { KeySet } from './key-set.ts'
import { keyFetcher, type KeySource } from './key-source.ts'
import { RemoteKeySet, type KeySetStatus, type KeyTimes } from './remote-key-set.ts'

/** Which keys, and how to fetch them. */
export interface PublishedKeys {
  readonly source: KeySource
  /** PEM of the only certificate authorities to trust; without it, those that Node trusts. */
  readonly ca?: Buffer | undefined
  readonly times: KeyTimes
}

/** Shares key sets among authenticators, and over reloads. */
export class KeySets implements Disposable {
  readonly #sets = new Map<string, RemoteKeySet>()
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #idle: boolean

  /** @param idle whether nothing is fetched, since no token will be judged */
  constructor(clock: Clock, logger: Logger, { idle = false }: { readonly idle?: boolean } = {}) {
    this.#clock = clock
    this.#logger = logger
    this.#idle = idle
  }

  /**
   * The key set for these options, equal ones shared. It fetches from now on.
   *
   * @throws CountersignError `configuration-invalid` for a URL that is not fit to be trusted
   */
  lend({ source, ca, times }: PublishedKeys): KeySet {
    const id = digestOf([source, ca?.toString('base64'), times])
    const known = this.#sets.get(id)
    if (known !== undefined) return known
    const set = new RemoteKeySet({
      source: source.kind === 'url' ? source.url : source.issuer,
      fetchKeys: keyFetcher(source, jsonFetcher(ca)),
      times,
      clock: this.#clock,
      logger: this.#logger,
    })
    this.#sets.set(id, set)
    if (!this.#idle) set.start()
    return set
  }

  /** How each is doing; of several with the same source, the one that was lent last. */
  statuses(): readonly KeySetStatus[] {
    const statuses = [...this.#sets.values()].map((set) => set.status())
    return [...new Map(statuses.map((status) => [status.source, status])).values()]
  }

  /** Ends every key set but these: for after a reload, with those of the configuration in force. */
  keepOnly(inUse: ReadonlySet<object>): void {
    for (const [id, set] of this.#sets) {
      if (inUse.has(set)) continue
      set[Symbol.dispose]()
      this.#sets.delete(id)
    }
  }

  [Symbol.dispose](): void {
    this.keepOnly(new Set())
  }
}
