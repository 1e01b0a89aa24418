// The answer to a browser without a login: a redirect to the login for a navigation, a page that
// keeps the form data for a form. Programs get neither: they cannot log in. A navigation that is
// denied gets a page with the reason.

import {
  LoginAttempts,
  ATTEMPT_COOKIES,
  ATTEMPT_NAME,
  ATTEMPT_SECONDS,
  endOfAttempt,
} from '../../logins/login-attempts.ts'
import {
  AUTHORIZATION_PATH,
  callbackOf,
  LOGIN_PATH,
  originOf,
  SESSION_CLIENT,
} from '../../logins/session-client.ts'
import { languageFor, LANGUAGES, textsIn } from '../../pages/i18n/catalog.ts'
import type { PageContext } from '../../pages/context.ts'
import { pageHeaders } from '../../pages/headers.ts'
import type { Theme } from '../../pages/theme.ts'
import { interruptedPage } from '../../pages/views/interrupted.ts'
import { messagePage, type MessageKind } from '../../pages/views/message.ts'
import { cookiesBeginning, COOKIE_END, endedCookie } from '../../request/cookies.ts'
import type { Request } from '../../request/request.ts'
import type { HeaderPair } from '../../transform/transformer.ts'
import type { PublicRefusal } from './public-refusal.ts'

/** What takes the place of a 401. */
export interface LoginInvitation {
  readonly status: 302 | 401
  readonly headers: readonly HeaderPair[]
  readonly body: string
}

/** A page in place of the text that programs get. */
export interface RefusalPage {
  readonly headers: readonly HeaderPair[]
  readonly body: string
}

/** What a redirect needs. */
export interface LoginRedirectOptions {
  /** `iss`. */
  readonly issuer: string
  readonly attempts: LoginAttempts
  readonly theme: Theme
}

// Of 86 bytes each. A tab whose cookie was dropped for newer ones still reaches its target, since
// its `state` has the target (issuer/session/login-callback.ts).
const MOST_ATTEMPTS = 16

// More than a browser that is sent this way ever has. What is beyond them ends by itself.
const MOST_COOKIES = 64

/** Sends browsers to log in. */
export class LoginRedirect {
  readonly #options: LoginRedirectOptions

  constructor(options: LoginRedirectOptions) {
    this.#options = options
  }

  /** The browser's answer; `undefined` for other clients, and for requests of scripts or of parts of a page. */
  invitationFor(request: Request, now: number): LoginInvitation | undefined {
    if (isNavigation(request)) {
      if (request.method === 'GET' || request.method === 'HEAD') {
        const query = request.query === '' ? '' : `?${request.query}`
        return this.begin(request, `${request.rawPath}${query}`, now)
      }
      return this.#interrupted(request)
    }
    return undefined
  }

  /** The page for a refused navigation; `undefined` for other requests, and if there is no page for the status. */
  pageFor(request: Request, refused: PublicRefusal): RefusalPage | undefined {
    const message = messageFor(refused)
    if (message === undefined || !isNavigation(request)) return undefined
    const context = this.#contextFor(request)
    const { id, text, own, wait } = refused
    const detail = own ? undefined : detailOf(refused)
    const content = messagePage(
      {
        // The operator's own text gets no further explanation.
        message: own
          ? { title: textsIn(context.language).message[message].title, what: text }
          : message,
        tone: 'error',
        id: { kind: 'decision', id },
        ...(detail === undefined ? {} : { detail }),
        ...(wait === undefined ? {} : { wait }),
      },
      context,
    )
    return { headers: this.#headersOf(request, context), body: content.markup }
  }

  /**
   * The redirect to the login, which comes back to the target.
   *
   * @param again whether it replaces a login whose cookie was missing
   */
  begin(
    { host, headers }: Pick<Request, 'host' | 'headers'>,
    target: string,
    now: number,
    again = false,
  ): LoginInvitation {
    const { issuer, attempts } = this.#options
    const { state, challenge, nonce, cookie } = attempts.begin(host, target, now, again)
    const url = new URL(AUTHORIZATION_PATH, issuer)
    url.search = new URLSearchParams({
      client_id: SESSION_CLIENT,
      redirect_uri: callbackOf(host, issuer),
      response_type: 'code',
      scope: 'openid profile email groups',
      state,
      nonce,
      code_challenge: challenge,
      code_challenge_method: 'S256',
    }).toString()
    return {
      status: 302,
      headers: [
        ['location', url.href],
        ['cache-control', 'no-store'],
        ...oldestOf(headers).map((name): HeaderPair => ['set-cookie', endedCookie(name)]),
        ['set-cookie', `${cookie.name}=${cookie.value}; Max-Age=${ATTEMPT_SECONDS}${COOKIE_END}`],
      ],
      body: '',
    }
  }

  #interrupted(request: Request): LoginInvitation {
    const context = this.#contextFor(request)
    const target = `${request.host}${request.path}`
    const content = interruptedPage({ target, logIn: LOGIN_PATH }, context)
    return { status: 401, headers: this.#headersOf(request, context), body: content.markup }
  }

  #contextFor({ headers }: Request): PageContext {
    const { theme } = this.#options
    const accepted = headers.text('accept-language')
    return { theme, language: languageFor(accepted, LANGUAGES) ?? theme.language }
  }

  #headersOf({ host }: Request, context: PageContext): readonly HeaderPair[] {
    return Object.entries(pageHeaders({ ...context, origin: originOf(host, this.#options.issuer) }))
  }
}

/** The names of the cookies that have to make room for one more. */
const oldestOf = (headers: Request['headers']): readonly string[] => {
  const begun = cookiesBeginning(headers, ATTEMPT_COOKIES, ATTEMPT_NAME).slice(0, MOST_COOKIES)
  if (begun.length < MOST_ATTEMPTS) return []
  const oldestFirst = begun.toSorted(
    (one, other) => endOfAttempt(one.value) - endOfAttempt(other.value),
  )
  return oldestFirst.slice(0, begun.length + 1 - MOST_ATTEMPTS).map(({ name }) => name)
}

/** What the page does not say itself: the text for programs where it has a cause of its own, and the rule. */
const detailOf = ({ reason, text, rule }: PublicRefusal): string | undefined => {
  if (reason !== 'rule-denied' && reason !== 'no-rule') {
    return rule === undefined ? text : `${text} (${rule})`
  }
  return rule === undefined ? undefined : `Rule: ${rule}`
}

/** Which of the texts; those of a 401 are the login's. */
const messageFor = ({ status }: PublicRefusal): MessageKind | undefined => {
  if (status === 403) return 'denied'
  if (status === 429) return 'too-many'
  return status === 503 ? 'unavailable' : undefined
}

/**
 * Whether a user navigates to a page (Fetch Metadata, `Sec-Fetch-Mode` and `-Dest`), rather than a script requests
 * data or a page an image. If the browser does not send these headers, `Accept` decides.
 */
const isNavigation = ({ headers }: Request): boolean => {
  const text = (name: string) => headers.text(name)
  const mode = text('sec-fetch-mode')
  if (mode !== undefined) return mode === 'navigate' && text('sec-fetch-dest') === 'document'
  return text('x-requested-with') === undefined && /\btext\/html\b/.test(text('accept') ?? '')
}
