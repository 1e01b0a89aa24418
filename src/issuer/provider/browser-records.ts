// What `oidc-provider` would store for a browser that has proven nothing: its interactions, and its session
// without a login. The browser keeps these records itself, sealed, so that requests without a login leave
// nothing in `state`. The provider knows only stores, so the request that it answers is found by the
// asynchronous context.

import { AsyncLocalStorage } from 'node:async_hooks'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { errors } from 'oidc-provider'
import { cookiesNamed } from '../../request/cookies.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { DerivedKeys } from '../../state/derived-keys.ts'
import { TextSeal } from '../../state/text-seal.ts'
import { cookieHeadersOf } from '../http/cookie-headers.ts'
import { LOGIN } from '../http/paths.ts'

/** The kinds of records that a browser keeps. */
export type BrowserKept = 'Interaction' | 'Session'

/** Whether records of a kind of the provider's can be kept by a browser. */
export const isBrowserKept = (kind: string): kind is BrowserKept => Object.hasOwn(KEPT, kind)

// Browsers take 4,096 bytes of name and value (RFC 6265bis §5.5).
const LONGEST_COOKIE = 3_800

// Parameters as long as each may be (parameter-limits.ts) take three, those of most clients one. All that a
// request shows stays far below the 32 KB that the issuer reads, and the 60 KB that Envoy does.
const KEPT = {
  // Shown to the pages of its login alone. A sibling host can plant one, which does not open.
  Interaction: { prefix: '__Secure-', name: 'countersign-request', cookies: 4 },
  // With room for a "state" of 2,048 characters and an address.
  Session: { prefix: '__Host-', name: 'countersign-visitor', cookies: 2 },
} as const

const pathOf = (kind: BrowserKept, id: string): string =>
  kind === 'Interaction' ? `${LOGIN}/${id}` : '/'

/** One request, and what was written while it was answered, by the name of its place. */
interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly written: Map<string, string | undefined>
}

/** The records that browsers keep for one issuer. */
export class BrowserRecords {
  readonly #exchanges = new AsyncLocalStorage<Exchange>()
  readonly #seal: TextSeal
  readonly #secure: boolean
  readonly #clock: Clock

  /**
   * @param issuer its URL. A development issuer over plain HTTP has cookies without prefixes, which browsers
   *   accept over TLS alone (RFC 6265bis §4.1.3)
   * @param keys shared by replicas: each opens what another one sealed
   */
  constructor(issuer: string, keys: DerivedKeys, clock: Clock) {
    this.#seal = new TextSeal(keys, 'browser-record')
    this.#secure = issuer.startsWith('https:')
    this.#clock = clock
  }

  /** Answers a request. What is kept meanwhile goes to its browser, what is found comes from it. */
  async within<T>(
    request: IncomingMessage,
    response: ServerResponse,
    answer: () => Promise<T>,
  ): Promise<T> {
    return await this.#exchanges.run({ request, response, written: new Map() }, answer)
  }

  /** The path of the request that is being answered. */
  get path(): string | undefined {
    return this.#exchanges.getStore()?.request.url?.split('?', 1)[0]
  }

  /** The text of a record that has not ended; `undefined` where the browser shows none. */
  find(kind: BrowserKept, id: string): string | undefined {
    const exchange = this.#exchanges.getStore()
    if (exchange === undefined) return undefined
    const place = placeOf(kind, id)
    if (exchange.written.has(place)) return exchange.written.get(place)
    const sealed = this.#shown(exchange, kind)?.join('')
    const opened = sealed === undefined ? undefined : this.#seal.open(place, sealed)
    if (opened === undefined) return undefined
    const mark = opened.indexOf(' ')
    return this.#clock.now() < Number(opened.slice(0, mark)) ? opened.slice(mark + 1) : undefined
  }

  /**
   * Has the browser keep a record, in place of what it kept under the same id.
   *
   * @param lifetime in milliseconds
   * @throws errors.InvalidRequest for what is too long to be kept
   */
  keep(kind: BrowserKept, id: string, text: string, lifetime: number): void {
    const exchange = this.#exchanges.getStore()
    if (exchange === undefined) throw new TypeError('no request is being answered')
    const place = placeOf(kind, id)
    const sealed = this.#seal.seal(place, `${this.#clock.now() + lifetime} ${text}`)
    const parts = sealed.match(PARTS) ?? []
    if (parts.length > KEPT[kind].cookies) {
      throw new errors.InvalidRequest('the parameters are too long together')
    }
    exchange.written.set(place, text)
    const seconds = Math.ceil(lifetime / 1_000)
    this.#send(exchange, kind, id, (part) => {
      const value = parts[part]
      return value === undefined ? undefined : `${value}; Max-Age=${seconds}`
    })
  }

  /** Has the browser forget a record. */
  drop(kind: BrowserKept, id: string): void {
    const exchange = this.#exchanges.getStore()
    if (exchange === undefined) return
    exchange.written.set(placeOf(kind, id), undefined)
    this.#send(exchange, kind, id, () => undefined)
  }

  /** Sets the cookies that have a value, and ends the remaining ones of the browser. */
  #send(
    exchange: Exchange,
    kind: BrowserKept,
    id: string,
    valueOf: (part: number) => string | undefined,
  ): void {
    const { response } = exchange
    if (response.headersSent) return
    const shown = this.#shown(exchange, kind)?.length ?? KEPT[kind].cookies
    const attributes = `; Path=${pathOf(kind, id)}; ${this.#secure ? 'Secure; ' : ''}HttpOnly; SameSite=Lax`
    for (let part = 0; part < KEPT[kind].cookies; part += 1) {
      const name = this.#nameOf(kind, part)
      const value = valueOf(part)
      const before = linesOf(response).filter((line) => !line.startsWith(`${name}=`))
      const isKnown = part < shown || before.length < linesOf(response).length
      const line = value ?? (isKnown ? '; Max-Age=0' : undefined)
      if (line === undefined) continue
      response.setHeader('set-cookie', [...before, `${name}=${line}${attributes}`])
    }
  }

  /** The parts that the browser shows, in order; `undefined` where one has two values: it was planted. */
  #shown({ request }: Exchange, kind: BrowserKept): readonly string[] | undefined {
    const headers = cookieHeadersOf(request)
    const parts: string[] = []
    for (let part = 0; part < KEPT[kind].cookies; part += 1) {
      const [value, ...more] = cookiesNamed(headers, this.#nameOf(kind, part))
      if (more.length > 0) return undefined
      if (value === undefined) break
      parts.push(value)
    }
    return parts
  }

  #nameOf(kind: BrowserKept, part: number): string {
    const { prefix, name } = KEPT[kind]
    return `${this.#secure ? prefix : ''}${name}-${part}`
  }
}

const PARTS = new RegExp(`.{1,${LONGEST_COOKIE}}`, 'g')

const placeOf = (kind: BrowserKept, id: string): string => `${kind} ${id}`

const linesOf = (response: ServerResponse): readonly string[] =>
  [response.getHeader('set-cookie') ?? []].flat().map(String)
