// An interaction belongs to the browser that began it (RFC 9700 §4.7). The provider's own cookies of an
// interaction have a path, which `__Host-` bars, so a sibling host can plant them with a `Domain` attribute.
// This cookie it cannot plant.

import { randomBytes, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Interaction, KoaContextWithOIDC, Provider } from 'oidc-provider'
import { describeError } from '../../runtime/errors.ts'
import type { Logger } from '../../runtime/logger.ts'
import type { OpaqueKeys } from '../../state/opaque-keys.ts'
import type { PageSender } from '../page-sender.ts'
import { ENDPOINTS } from '../paths.ts'
import { cookiesNamed } from '../../request/cookies.ts'
import { cookieHeadersOf } from '../cookie-headers.ts'

/**
 * How long an interaction lasts, in seconds. The cookie is set again by each interaction that begins, so it
 * never ends before one of them.
 */
export const INTERACTION_SECONDS = 1_800

/** The field of an interaction's `prompt.details` that has the keyed hash of the cookie. */
const DETAIL = 'browser'

const VALUE_BYTES = 32
const VALUE = /^[A-Za-z0-9_-]{43}$/

/** Binds the interactions of one issuer to browsers. */
export class BrowserBinding {
  /**
   * The name of the cookie. A development issuer over plain HTTP has it without the prefix, which browsers
   * accept over TLS alone (RFC 6265bis §4.1.3.2).
   */
  readonly cookieName: string
  readonly #attributes: string
  readonly #keys: OpaqueKeys

  /**
   * @param issuer its URL
   * @param keys shared by replicas: each has to know the interactions of the others
   */
  constructor(issuer: string, keys: OpaqueKeys) {
    const secure = issuer.startsWith('https:')
    this.cookieName = `${secure ? '__Host-' : ''}countersign-browser`
    this.#attributes = `; Max-Age=${INTERACTION_SECONDS}; Path=/; ${secure ? 'Secure; ' : ''}HttpOnly; SameSite=Lax`
    this.#keys = keys
  }

  /**
   * What an interaction that begins has to keep in its `prompt.details`. Parallel tabs share the cookie: it
   * keeps its value, and its lifetime starts anew.
   */
  begin(request: IncomingMessage, response: ServerResponse): Readonly<Record<string, string>> {
    const value = this.#valueIn(request) ?? randomBytes(VALUE_BYTES).toString('base64url')
    response.appendHeader('set-cookie', `${this.cookieName}=${value}${this.#attributes}`)
    return { [DETAIL]: this.#hashOf(value) }
  }

  /** Whether the browser that sent the request began the interaction. False for one without a hash. */
  holds(request: IncomingMessage, { prompt }: Pick<Interaction, 'prompt'>): boolean {
    const value = this.#valueIn(request)
    const wanted = prompt.details[DETAIL]
    if (value === undefined || typeof wanted !== 'string') return false
    const [one, other] = [Buffer.from(this.#hashOf(value)), Buffer.from(wanted)]
    return one.length === other.length && timingSafeEqual(one, other)
  }

  /** `undefined` also for two cookies of the name: then one of them was planted (without the prefix). */
  #valueIn(request: IncomingMessage): string | undefined {
    const [value, ...more] = cookiesNamed(cookieHeadersOf(request), this.cookieName)
    return value !== undefined && VALUE.test(value) && more.length === 0 ? value : undefined
  }

  #hashOf(value: string): string {
    return this.#keys.of('interaction-browser', value)
  }
}

/** What refusing needs. */
export interface RefusingOtherBrowsersParts {
  readonly provider: Provider
  readonly binding: BrowserBinding
  readonly sender: PageSender
  readonly logger: Logger
}

const RESUME = new RegExp(`^(?:${ENDPOINTS.authorization}|${ENDPOINTS.code_verification})/[\\w-]+$`)

/**
 * Middleware before the provider resumes an authorization: what another browser proved is not used, and
 * the session of this browser stays as it is.
 */
export const refusingOtherBrowsers =
  ({ provider, binding, sender, logger }: RefusingOtherBrowsersParts) =>
  async (ctx: KoaContextWithOIDC, next: () => Promise<void>): Promise<void> => {
    const uid = RESUME.test(ctx.path)
      ? ctx.cookies.get(provider.cookieName('resume'), { signed: true })
      : undefined
    if (uid === undefined) return await next() // the provider resumes nothing without it
    try {
      const interaction = await provider.Interaction.find(uid)
      if (interaction !== undefined && !binding.holds(ctx.req, interaction)) {
        ctx.respond = false
        return sender.tell('other-browser', 400, ctx.req, ctx.res)
      }
    } catch (cause) {
      logger.warn({ reason: describeError(cause) }, 'authorization refused')
      ctx.respond = false
      return sender.tell('unavailable', 503, ctx.req, ctx.res)
    }
    await next()
  }
