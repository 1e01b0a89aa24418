// The pages of a login, as the interaction has them. They only show.

import type { Client, Interaction, Provider } from 'oidc-provider'
import type { Login } from '../../check/authorization-server.ts'
import { SESSION_CLIENT } from '../../logins/session-client.ts'
import { challengePage, type ChallengeModel } from '../../pages/views/challenge.ts'
import { consentPage } from '../../pages/views/consent.ts'
import { loginPage, type LoginProblem } from '../../pages/views/login.ts'
import { consentModel } from './consent.ts'
import { formContext, sendPage, type Exchange, type ExchangeParts } from './interaction-request.ts'
import { interactionUrl } from '../provider/interaction-url.ts'
import { statusOf } from './login-outcome.ts'
import type { PendingChallenge } from '../../authenticate/login/prove.ts'

/** What the pages need. */
export interface LoginPagesParts extends ExchangeParts {
  readonly provider: Provider
  readonly login: Login
  /** Upstream IdPs, by id. */
  readonly upstreamIdps: ReadonlyMap<string, OtherPlace>
}

/** An upstream IdP, for the page. */
interface OtherPlace {
  /** Its name for users. */
  readonly name: string
  /** The URLs that it may redirect the browser to. */
  readonly loginUrls: readonly string[]
  /** Fetches what a login there needs. */
  prepare(): void
}

/** The pages of one provider. */
export class LoginPages {
  readonly #parts: LoginPagesParts

  constructor(parts: LoginPagesParts) {
    this.#parts = parts
  }

  /** @param typed the name of the last attempt */
  async showLogin(exchange: Exchange, problem?: LoginProblem, typed?: string): Promise<void> {
    const { login, provider, upstreamIdps } = this.#parts
    for (const other of upstreamIdps.values()) other.prepare()
    const { interaction } = exchange
    const { params } = interaction
    const client = await provider.Client.find(String(params['client_id']))
    const hint = params['login_hint']
    const user = typed ?? (typeof hint === 'string' ? hint : undefined)
    const kinds = new Set(login.methods.map(({ kind }) => kind))
    const context = {
      ...formContext(exchange, this.#parts),
      paths: {
        password: interactionUrl(interaction, 'password'),
        certificate: interactionUrl(interaction, 'certificate'),
        provider: interactionUrl(interaction, 'provider'),
      },
    }
    const page = loginPage(
      {
        ...(client === undefined ? {} : { destination: destinationOf(client, params) }),
        ...(kinds.has('password') && { password: user === undefined ? {} : { user } }),
        certificate: kinds.has('certificate'),
        providers: [...upstreamIdps].map(([id, { name }]) => ({ id, name })),
        ...(problem === undefined ? {} : { problem }),
      },
      context,
    )
    const targets = [...upstreamIdps.values()].flatMap(({ loginUrls }) => loginUrls)
    sendPage(page, context, statusOf(problem), exchange, this.#parts, targets)
  }

  showChallenge(
    exchange: Exchange,
    { question: { message, echo } }: PendingChallenge,
    problem?: ChallengeModel['problem'],
  ): void {
    const { interaction } = exchange
    const paths = {
      challenge: interactionUrl(interaction, 'challenge'),
      cancel: interactionUrl(interaction, 'cancel'),
    }
    const context = { ...formContext(exchange, this.#parts), paths }
    const model = { message, echo, ...(problem === undefined ? {} : { problem }) }
    sendPage(challengePage(model, context), context, statusOf(problem), exchange, this.#parts)
  }

  async showConsent(exchange: Exchange): Promise<void> {
    const { request, response, interaction } = exchange
    const model = await consentModel(interaction, this.#parts.provider)
    if (model === undefined) return this.#parts.sender.tell('expired', 400, request, response)
    const paths = { consent: interactionUrl(interaction, 'consent') }
    const context = { ...formContext(exchange, this.#parts), paths }
    sendPage(consentPage(model, context), context, { status: 200 }, exchange, this.#parts)
  }
}

/** The name of the client; of the session client, the host. */
const destinationOf = (
  { clientId, clientName = clientId }: Pick<Client, 'clientId' | 'clientName'>,
  params: Interaction['params'],
): string =>
  clientId === SESSION_CLIENT ? new URL(String(params['redirect_uri'])).host : clientName
