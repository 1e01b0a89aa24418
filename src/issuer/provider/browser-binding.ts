// An interaction belongs to the browser that began it (RFC 9700 §4.7). The provider's own cookies of an
// interaction have a path, which `__Host-` bars, so a sibling host can plant them with a `Domain` attribute.
// The cookie of this binding it cannot plant. Each interaction has its own: tabs that begin at once, before
// the browser has any cookie, would overwrite a shared one.

import { timingSafeEqual } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Interaction, KoaContextWithOIDC, Provider } from 'oidc-provider'
import { cookiesBeginning, cookiesNamed } from '../../request/cookies.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { DerivedKeys } from '../../state/derived-keys.ts'
import { cookieHeadersOf } from '../http/cookie-headers.ts'
import type { PageSender } from '../http/page-sender.ts'
import { ENDPOINTS } from '../http/paths.ts'

/** How long an interaction lasts, and its cookies, in seconds. */
export const INTERACTION_SECONDS = 1_800

// Of 90 bytes each, in addition to two of the provider's and one to four with the request (browser-records.ts):
// browsers keep some 180 for a domain. A tab whose cookie was dropped for newer ones gets a page with a link to
// begin again.
const MOST_COOKIES = 32

/** Binds the interactions of one issuer to browsers. Nothing of it is stored. */
export class BrowserBinding {
  readonly #start: string
  readonly #attributes: string
  readonly #keys: DerivedKeys
  readonly #clock: Clock

  /**
   * @param issuer its URL. A development issuer over plain HTTP has cookies without the prefix, which browsers
   *   accept over TLS alone (RFC 6265bis §4.1.3.2)
   * @param keys shared by replicas: each has to recognise the interactions of all
   */
  constructor(issuer: string, keys: DerivedKeys, clock: Clock) {
    const secure = issuer.startsWith('https:')
    this.#start = `${secure ? '__Host-' : ''}countersign-browser-`
    this.#attributes = `; Path=/; ${secure ? 'Secure; ' : ''}HttpOnly; SameSite=Lax`
    this.#keys = keys
    this.#clock = clock
  }

  /** Has the browser keep that it began this interaction, in place of the oldest ones where they are many. */
  begin(
    request: IncomingMessage,
    response: ServerResponse,
    { uid }: Pick<Interaction, 'uid'>,
  ): void {
    const until = Math.floor(this.#clock.now() / 1_000) + INTERACTION_SECONDS
    // Not as many as a client sends: each adds a header to the response.
    const all = cookiesBeginning(cookieHeadersOf(request), this.#start, UID_PART)
    const begun = all.slice(0, 2 * MOST_COOKIES)
    const oldestFirst = begun.toSorted((one, other) => timeIn(one.value) - timeIn(other.value))
    for (const { name } of oldestFirst.slice(0, Math.max(0, begun.length + 1 - MOST_COOKIES))) {
      response.appendHeader('set-cookie', `${name}=; Max-Age=0${this.#attributes}`)
    }
    const value = `${until}.${this.#keys.of('interaction-browser', uid)}`
    const lifetime = `; Max-Age=${INTERACTION_SECONDS}`
    response.appendHeader(
      'set-cookie',
      `${this.#nameOf(uid)}=${value}${lifetime}${this.#attributes}`,
    )
  }

  /**
   * Whether the browser that sent the request began the interaction. Not where it has two cookies of the name:
   * then one of them was planted (without the prefix).
   */
  holds(request: IncomingMessage, { uid }: Pick<Interaction, 'uid'>): boolean {
    const [value = '', ...more] = cookiesNamed(cookieHeadersOf(request), this.#nameOf(uid))
    const presented = Buffer.from(value.slice(value.indexOf('.') + 1))
    const wanted = Buffer.from(this.#keys.of('interaction-browser', uid))
    return (
      more.length === 0 && presented.length === wanted.length && timingSafeEqual(presented, wanted)
    )
  }

  /** The interaction is over. */
  end(response: ServerResponse, { uid }: Pick<Interaction, 'uid'>): void {
    response.appendHeader('set-cookie', `${this.#nameOf(uid)}=; Max-Age=0${this.#attributes}`)
  }

  #nameOf(uid: string): string {
    return `${this.#start}${uid.slice(0, UID_PART)}`
  }
}

// Enough to distinguish the interactions of one browser.
const UID_PART = 8

/** When a cookie ends, in seconds; it is only used to find the oldest. */
const timeIn = (value: string): number => Number.parseInt(value, 10) || 0

/** What refusing needs. */
export interface RefusingOtherBrowsersParts {
  readonly provider: Provider
  readonly binding: BrowserBinding
  readonly sender: PageSender
}

const RESUME = new RegExp(`^(?:${ENDPOINTS.authorization}|${ENDPOINTS.code_verification})/[\\w-]+$`)

/**
 * Middleware before the provider resumes an authorization: what another browser proved is not used, and
 * the session of this browser stays as it is.
 */
export const refusingOtherBrowsers =
  ({ provider, binding, sender }: RefusingOtherBrowsersParts) =>
  async (ctx: KoaContextWithOIDC, next: () => Promise<void>): Promise<void> => {
    const uid = RESUME.test(ctx.path)
      ? ctx.cookies.get(provider.cookieName('resume'), { signed: false })
      : undefined
    if (uid === undefined) return await next() // the provider resumes nothing without it
    if (!binding.holds(ctx.req, { uid })) {
      ctx.respond = false
      return sender.tell('other-browser', 400, ctx.req, ctx.res)
    }
    await next()
    // It has a result once the provider has taken the interaction away.
    if ('oidc' in ctx && ctx.oidc.result !== undefined) binding.end(ctx.res, { uid })
  }
