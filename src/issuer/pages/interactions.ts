// The pages of a pending authorization: login and consent. The provider knows what is requested; credentials are verified
// here.

import type { IncomingMessage, ServerResponse } from 'node:http'
import { errors, type Interaction } from 'oidc-provider'
import type { Clock } from '../../runtime/clock.ts'
import type { Logger } from '../../runtime/logger.ts'
import type { DerivedKeys } from '../../state/derived-keys.ts'
import type { RecordStore } from '../../state/record-store.ts'
import { callerOf, certificateOf, sourceOf } from '../http/caller.ts'
import { LOGIN, PROVIDER_CALLBACKS } from '../http/paths.ts'
import { readForm } from '../http/form-body.ts'
import { TOKEN_FIELD } from '../../pages/context.ts'
import { isCsrfToken } from '../../pages/csrf.ts'
import type { LoginProblem } from '../../pages/views/login.ts'
import type { BrowserBinding } from '../provider/browser-binding.ts'
import { grantConsent } from './consent.ts'
import { LoginCompletion, type LoginCompletionParts } from './login-completion.ts'
import { ownerOf, type Exchange } from './interaction-request.ts'
import type { LocalRecheck } from '../../authenticate/login/local-recheck.ts'
import { restartUrl } from '../provider/interaction-url.ts'
import { LoginPages, type LoginPagesParts } from './login-pages.ts'
import { problemOf, refusalOf, type PresentedKind, type Unproven } from './login-outcome.ts'
import type { UpstreamIdp } from '../../logins/upstream-idp/upstream-idp.ts'
import type { UpstreamLogoutEndpoint } from './upstream-logout-endpoint.ts'
import { UpstreamLogins } from './upstream-login.ts'
import {
  prove,
  proveAnswer,
  type Proof,
  type LoginCredential,
} from '../../authenticate/login/prove.ts'
import { Challenges } from './challenges.ts'

/** What these pages need. */
export interface InteractionParts extends LoginPagesParts, LoginCompletionParts {
  readonly upstreamIdps: ReadonlyMap<string, UpstreamIdp>
  readonly upstreamLogoutEndpoint: UpstreamLogoutEndpoint
  readonly binding: BrowserBinding
  readonly local: LocalRecheck
  /** The issuer's URL. */
  readonly issuer: string
  readonly records: RecordStore
  readonly derivedKeys: DerivedKeys
  readonly clock: Clock
  readonly logger: Logger
}

type Form = URLSearchParams | undefined

// nanoid's alphabet.
const PATH =
  /^\/login\/([\w-]{1,64})(?:\/(password|certificate|consent|challenge|cancel|provider|returned))?$/

const CALLBACK = new RegExp(`^${PROVIDER_CALLBACKS}/([a-z0-9_-]{1,63})(/logout)?$`)

const methodsOf = (action: string | undefined): readonly string[] => {
  if (action === undefined) return ['GET', 'HEAD']
  return action === 'returned' ? ['GET'] : ['POST']
}

const callbackMethodsOf = (logout: string | undefined): readonly string[] =>
  logout === undefined ? ['GET'] : ['GET', 'POST']

/** Whether a path is one of these pages. */
export const isInteractionPath = (path: string): boolean => path.startsWith(`${LOGIN}/`)

/** The pages of one provider. */
export class Interactions {
  readonly #parts: InteractionParts
  readonly #pages: LoginPages
  readonly #ending: LoginCompletion
  readonly #questions: Challenges
  readonly #providers: UpstreamLogins

  constructor(parts: InteractionParts) {
    this.#parts = parts
    this.#pages = new LoginPages(parts)
    this.#ending = new LoginCompletion(parts)
    this.#providers = new UpstreamLogins({
      ...parts,
      longest: parts.login.config.maxLifetime,
      longestUnchecked: parts.login.config.maxLifetimeWithoutRecheck,
      pages: this.#pages,
      ending: this.#ending,
    })
    this.#questions = new Challenges(parts.records)
  }

  /** Answers a request. */
  async answer(path: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [whole, uid = '', action] = PATH.exec(path) ?? []
    const [callback, id = '', logout] = CALLBACK.exec(path) ?? []
    if (whole === undefined && callback === undefined) {
      return this.#parts.sender.tell('not-found', 404, request, response)
    }
    const allowed = callback === undefined ? methodsOf(action) : callbackMethodsOf(logout)
    if (!allowed.includes(request.method ?? '')) {
      response.setHeader('allow', allowed.join(', '))
      return this.#parts.sender.tell('malformed', 405, request, response)
    }
    if (logout !== undefined) return await this.#logOut(id, request, response)
    if (callback !== undefined) return this.#providers.sendBack(id, request, response)
    const interaction = await this.#interactionOf(request, response)
    if (interaction?.uid !== uid) return this.#tell('expired', request, response)
    if (!this.#parts.binding.holds(request, interaction)) {
      return this.#tell('other-browser', request, response)
    }
    try {
      await this.#go(action, { request, response, interaction })
    } catch (cause) {
      // It ended meanwhile, in another tab for example.
      if (!(cause instanceof errors.SessionNotFound) || response.headersSent) throw cause
      this.#tell('expired', request, response)
    }
  }

  /** Sends the reason why it cannot continue, with a link that begins again. */
  #tell(
    message: 'expired' | 'other-browser',
    request: IncomingMessage,
    response: ServerResponse,
  ): void {
    const again = restartUrl(request.url)
    const more = again === undefined ? {} : { logIn: again }
    this.#parts.sender.tell(message, 400, request, response, more)
  }

  async #go(action: string | undefined, exchange: Exchange): Promise<void> {
    const { request, response, interaction } = exchange
    if (action === undefined) return await this.#show(exchange)
    if (action === 'returned') return await this.#return(exchange)
    const form = await readForm(request)
    if (form === undefined) response.setHeader('connection', 'close')
    if (!isCsrfToken(this.#parts.formKey, ownerOf(interaction), form?.get(TOKEN_FIELD))) {
      return await this.#showExpired(exchange)
    }
    await this.#act(action, exchange, form)
  }

  async #logOut(id: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { upstreamLogoutEndpoint } = this.#parts
    if (request.method === 'POST') return await upstreamLogoutEndpoint.hear(id, request, response)
    await upstreamLogoutEndpoint.sendOn(request, response)
  }

  async #return(exchange: Exchange): Promise<void> {
    if (exchange.interaction.prompt.name !== 'login') return await this.#show(exchange)
    await this.#providers.arrive(exchange)
  }

  /** The form is not of a page of this login. */
  async #showExpired(exchange: Exchange): Promise<void> {
    const isConsent = exchange.interaction.prompt.name === 'consent'
    if (isConsent) return await this.#pages.showConsent(exchange)
    await this.#pages.showLogin(exchange, { kind: 'expired' })
  }

  async #act(action: string, exchange: Exchange, form: Form): Promise<void> {
    if (action === 'consent') return await this.#consent(exchange, form)
    if (exchange.interaction.prompt.name !== 'login') return await this.#show(exchange)
    if (action === 'challenge') return await this.#takeAnswer(exchange, form?.get('answer') ?? '')
    await this.#questions.drop(exchange.interaction.uid)
    if (action === 'cancel') return await this.#pages.showLogin(exchange)
    if (action === 'provider') {
      return await this.#providers.leave(exchange, form?.get('provider') ?? '')
    }
    await this.#logIn(exchange, shownIn(action, form))
  }

  /** The interaction of the cookie; the path says which cookie the browser sends. */
  async #interactionOf(
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<Interaction | undefined> {
    try {
      return await this.#parts.provider.interactionDetails(request, response)
    } catch (cause) {
      if (cause instanceof errors.SessionNotFound) return undefined
      throw cause
    }
  }

  /** Where the authorization is: at a question, at the beginning of the login, or behind it. */
  async #show(exchange: Exchange): Promise<void> {
    const { prompt, uid } = exchange.interaction
    if (prompt.name === 'consent') return await this.#pages.showConsent(exchange)
    const asked = await this.#questions.find(uid)
    if (asked !== undefined) return this.#pages.showChallenge(exchange, asked)
    await this.#pages.showLogin(exchange)
  }

  async #consent(exchange: Exchange, form: Form): Promise<void> {
    const { request, response, interaction } = exchange
    const { provider } = this.#parts
    if (interaction.prompt.name !== 'consent') return await this.#show(exchange)
    if (form?.get('answer') !== 'allow') {
      const denial = { error: 'access_denied', error_description: 'the user denied consent' }
      const options = { mergeWithLastSubmission: false }
      return await provider.interactionFinished(request, response, denial, options)
    }
    const grantId = await grantConsent(interaction, provider)
    await provider.interactionFinished(request, response, { consent: { grantId } })
  }

  async #logIn(exchange: Exchange, presented: LoginCredential | Missing): Promise<void> {
    if (presented.kind === 'missing') return await this.#pages.showLogin(exchange, presented)
    const user = presented.kind === 'password' ? presented.user : undefined
    const proof = await prove(this.#parts.login, presented, callerOf(exchange.request))
    await this.#conclude(exchange, proof, presented, user)
  }

  async #takeAnswer(exchange: Exchange, answer: string): Promise<void> {
    const { uid } = exchange.interaction
    if (answer === '') {
      const asked = await this.#questions.find(uid)
      if (asked === undefined) return await this.#pages.showLogin(exchange, { kind: 'expired' })
      return this.#pages.showChallenge(exchange, asked, { kind: 'missing' })
    }
    const taken = await this.#questions.take(uid)
    if (taken === undefined) return await this.#pages.showLogin(exchange, { kind: 'expired' })
    const { asked } = taken
    const { user } = asked.question
    const proof = await proveAnswer(
      this.#parts.login.methods,
      asked,
      answer,
      sourceOf(exchange.request),
    )
    const problem = 'code' in proof ? problemOf(proof, { kind: 'answer' }) : undefined
    if (problem?.kind !== 'locked') {
      return await this.#conclude(exchange, proof, { kind: 'answer' }, user)
    }
    // The answer was not sent on.
    await this.#questions.restore(uid, taken)
    const refused = {
      outcome: 'refused',
      loginMethod: 'password',
      reason: 'too-many-attempts',
    } as const
    await this.#ending.record(exchange, { ...refused, user })
    this.#pages.showChallenge(exchange, asked, problem)
  }

  /** @param user as typed */
  async #conclude(
    exchange: Exchange,
    proof: Proof,
    presented: PresentedKind,
    user: string | undefined,
  ): Promise<void> {
    if (proof.outcome === 'stale') {
      return await this.#pages.showLogin(exchange, { kind: 'expired' }, user)
    }
    if (proof.outcome === 'asked') {
      const { authenticator, question } = proof
      const { credential } = question
      await this.#questions.ask(exchange.interaction.uid, { authenticator, question })
      await this.#ending.record(exchange, {
        outcome: 'challenged',
        loginMethod: 'password',
        user,
        authenticator,
        credential,
      })
      return this.#pages.showChallenge(exchange, { authenticator, question })
    }
    if (proof.outcome !== 'proven') return await this.#refuse(exchange, proof, presented, user)
    const proven = this.#parts.local.loginOf(proof.identity, certificateOf(exchange.request))
    const failure = await this.#ending.complete(exchange, proof.identity, proven)
    if (failure !== undefined) await this.#pages.showLogin(exchange, { kind: 'unavailable' }, user)
  }

  async #refuse(
    exchange: Exchange,
    proof: Unproven,
    presented: PresentedKind,
    user: string | undefined,
  ): Promise<void> {
    if (proof.outcome === 'unavailable') {
      this.#parts.logger.error({ err: proof.cause }, 'login failed')
    }
    const loginMethod = presented.kind === 'certificate' ? 'certificate' : 'password'
    const refusal = { ...refusalOf(proof, presented), ...claimedIn(proof, presented, user) }
    await this.#ending.record(exchange, { outcome: 'refused', loginMethod, ...refusal })
    await this.#pages.showLogin(exchange, problemOf(proof, presented), user)
  }
}

/**
 * The claimed user and credential, for the log. Typed text is a name only where it was verified; else it may be a password
 * in the wrong field.
 */
const claimedIn = (proof: Unproven, { kind }: PresentedKind, typed: string | undefined) => {
  // Of an answer the password has been verified before.
  if (proof.outcome === 'refused' || kind === 'answer') return { user: typed }
  if (proof.outcome !== 'rejected') return {}
  const { user, userHash, presented } = proof
  return { user, userHash, presented }
}

type Missing = Extract<LoginProblem, { kind: 'missing' }>

/** What was presented, or what of it is missing. */
const shownIn = (action: string, form: Form): LoginCredential | Missing => {
  if (action === 'certificate') return { kind: 'certificate' }
  const user = form?.get('user')?.trim() ?? ''
  const password = form?.get('password') ?? ''
  if (user === '') return { kind: 'missing', field: 'user' }
  if (password === '') return { kind: 'missing', field: 'password' }
  return { kind: 'password', user, password }
}
