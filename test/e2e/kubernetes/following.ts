// Informers of `@kubernetes/client-node`, and callers whose token is renewed while they follow.

import { ListWatch, Watch, type V1ConfigMap, type V1ConfigMapList } from '@kubernetes/client-node'
import { rename, writeFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { outputOf, type Caller } from './asking.ts'
import { configOf } from './client-node.ts'
import type { KubeSite } from './kube-site.ts'
import type { User } from './users.ts'
import { NAMESPACE } from './roles.ts'
import { otherToken, kubeconfigFor, tokenIn } from './credentials-in.ts'

const MAPS = `/api/v1/namespaces/${NAMESPACE}/configmaps`
const TICKER = 'ticker'

/** In seconds. Libraries read a token's file again after a minute; it ends some time after that. */
export const TOKEN = { lives: 75, renewed: 5 } as const

/** Informers begin again after a moment, as the library's own examples do. */
const PAUSE = 200

/** An informer of the ticker. */
export interface Following extends AsyncDisposable {
  /** The changes that it received, in order. */
  readonly turns: readonly string[]
  /** How often its watch ended, and it began another. */
  readonly restarts: number
}

/** An object that changes all the time: each change has the number of its turn. */
export class Ticker {
  readonly #site: KubeSite
  #turn = 0

  constructor(site: KubeSite) {
    this.#site = site
  }

  /** The changes that every follower has to receive, in this order. */
  get turns(): readonly string[] {
    return Array.from({ length: this.#turn + 1 }, (_, turn) => String(turn))
  }

  async create(): Promise<void> {
    await this.#site.server.call({ method: 'POST', path: MAPS, body: this.#body() })
  }

  async change(): Promise<void> {
    this.#turn += 1
    const path = `${MAPS}/${TICKER}`
    await this.#site.server.call({ method: 'PUT', path, body: this.#body() })
  }

  #body(): object {
    return { metadata: { name: TICKER }, data: { turn: String(this.#turn) } }
  }
}

/** A user whose token is in a file, which is replaced before it ends, until they are disposed. */
export const renewing = async (site: KubeSite, user: User): Promise<Caller & AsyncDisposable> => {
  const over = new AbortController()
  const token = (): Promise<string> => otherToken(site, user, TOKEN.lives)
  const way = await tokenIn(site, `renewed-${user.name}`, await token())
  const file = way.at(-1) ?? ''
  const renew = async (): Promise<void> => {
    for (;;) {
      await sleep(TOKEN.renewed * 1_000, undefined, over)
      await writeFile(`${file}.new`, await token(), { mode: 0o600 })
      await rename(`${file}.new`, file)
    }
  }
  const renewed = renew().catch((cause: unknown) => {
    if (!over.signal.aborted) throw cause
  })
  return {
    identity: await kubeconfigFor(site, way),
    state: site.folder.file('state'),
    async [Symbol.asyncDispose]() {
      over.abort()
      await renewed
    },
  }
}

/** A watch that reports its end, even where it could not begin without a credential. */
class CarefulWatch extends Watch {
  override async watch(...args: Parameters<Watch['watch']>): Promise<AbortController> {
    try {
      return await super.watch(...args)
    } catch (cause) {
      const [, , , done] = args
      done(cause)
      return new AbortController()
    }
  }
}

/** Starts an informer that follows the ticker. */
export const follow = async (
  site: KubeSite,
  caller: Caller,
  address: string,
): Promise<Following> => {
  const config = configOf(caller, `https://${address}:${site.port}`)
  const turns: string[] = []
  let [restarts, stopped] = [0, false]
  const list = async (): Promise<V1ConfigMapList> => {
    const output = await outputOf(site, caller, ['get', '--raw', MAPS], address)
    return JSON.parse(output)
  }
  const informer = new ListWatch<V1ConfigMap>(MAPS, new CarefulWatch(config), list, false)
  informer.on('change', ({ metadata, data }) => {
    if (metadata?.name === TICKER) turns.push(data?.['turn'] ?? '')
  })
  informer.on('error', () => {
    restarts += 1
    setTimeout(() => {
      if (!stopped) void informer.start()
    }, PAUSE)
  })
  await informer.start()
  return {
    turns,
    get restarts() {
      return restarts
    },
    async [Symbol.asyncDispose]() {
      stopped = true
      await informer.stop()
    },
  }
}
