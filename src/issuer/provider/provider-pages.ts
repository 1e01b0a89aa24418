// The pages that replace those of `oidc-provider`: device code, logout, and errors.

import { type Client, type ErrorOut, type KoaContextWithOIDC, errors } from 'oidc-provider'
import { SESSION_CLIENT } from '../../logins/session-client.ts'
import type { FormToken, PageContext } from '../../pages/context.ts'
import type { Html } from '../../pages/html.ts'
import { devicePage, type DeviceModel } from '../../pages/views/device.ts'
import { confirmLogoutPage, loggedOutPage } from '../../pages/views/logout.ts'
import { messagePage, type MessageKind, type MessageModel } from '../../pages/views/message.ts'
import type { PageSender } from '../http/page-sender.ts'
import { ENDPOINTS, LOGOUT_FORM } from '../http/paths.ts'
import { requestIdOf } from '../http/request-id.ts'

const DEVICE = ENDPOINTS.code_verification

/** The pages of the provider. */
export class ProviderPages {
  readonly #sender: PageSender
  readonly #logoutUrls: (uid: string) => Promise<readonly string[]>

  /** @param logoutUrls where a browser may be taken that ends this login, as URLs */
  constructor(sender: PageSender, logoutUrls: (uid: string) => Promise<readonly string[]>) {
    this.#sender = sender
    this.#logoutUrls = logoutUrls
  }

  /** RFC 8628 §3.3. */
  readonly device = {
    userCodeInputSource: (
      ctx: KoaContextWithOIDC,
      _form: string,
      out?: ErrorOut,
      cause?: unknown,
    ): void => {
      const typed = stringIn(ctx.oidc.params?.['user_code'])
      const context = { ...this.#formContext(ctx), paths: { device: DEVICE } }
      this.#send(ctx, devicePage(deviceModel(out, cause, typed), context), context, [])
    },
    userCodeConfirmSource: (
      ctx: KoaContextWithOIDC,
      _form: string,
      client: Pick<Client, 'clientId' | 'clientName'>,
      _device: unknown,
      code: string,
    ): void => {
      const model: DeviceModel = { step: 'confirm', client: nameOf(client), code }
      const context = { ...this.#formContext(ctx), paths: { device: DEVICE } }
      this.#send(ctx, devicePage(model, context), context, [])
    },
    successSource: (ctx: KoaContextWithOIDC): void => {
      const context = { ...this.#formContext(ctx), paths: { device: DEVICE } }
      this.#send(ctx, devicePage({ step: 'done' }, context), context)
    },
  }

  /** OpenID Connect RP-Initiated Logout 1.0. */
  readonly logout = {
    logoutSource: async (ctx: KoaContextWithOIDC): Promise<void> => {
      const { client, session } = ctx.oidc
      const target = stringIn(session?.state?.['postLogoutRedirectUri'])
      const name = client === undefined ? undefined : requesterOf(client, target)
      const model = name === undefined ? {} : { client: name }
      const context = { ...this.#formContext(ctx), paths: { logout: LOGOUT_FORM } }
      const places = session === undefined ? [] : await this.#logoutUrls(session.uid)
      const targets = target === undefined ? places : [target, ...places]
      this.#send(ctx, confirmLogoutPage(model, context), context, targets)
    },
    postLogoutSuccessSource: (ctx: KoaContextWithOIDC): void => {
      const context = this.#sender.contextFor(ctx.req)
      this.#send(ctx, loggedOutPage({}, context), context)
    },
  }

  /** For errors that must not be sent to a client. */
  readonly error = (ctx: KoaContextWithOIDC, out: ErrorOut, cause: unknown): void => {
    const context = this.#sender.contextFor(ctx.req)
    this.#send(ctx, messagePage(errorMessage(out, cause, requestIdOf(ctx.req)), context), context)
  }

  #formContext(ctx: KoaContextWithOIDC): PageContext & { readonly csrf: FormToken } {
    const token = stringIn(ctx.oidc.session?.state?.['secret']) ?? ''
    const context = this.#sender.contextFor(ctx.req, stringIn(ctx.oidc.params?.['ui_locales']))
    return { ...context, csrf: { field: 'xsrf', token } }
  }

  #send(
    ctx: KoaContextWithOIDC,
    content: Html,
    context: PageContext,
    formTargets?: readonly string[],
  ): void {
    const { headers, body } = this.#sender.page(content, context, formTargets)
    ctx.set({ ...headers })
    ctx.body = body
  }
}

/** The application that requests a logout; for the routes' own client, the host that the user comes from. */
const requesterOf = (
  client: Pick<Client, 'clientId' | 'clientName'>,
  target: string | undefined,
): string | undefined => {
  if (client.clientId !== SESSION_CLIENT) return nameOf(client)
  return target === undefined ? undefined : new URL(target).host
}

const nameOf = ({ clientId, clientName }: Pick<Client, 'clientId' | 'clientName'>): string =>
  clientName ?? clientId

const stringIn = (value: unknown): string | undefined =>
  typeof value === 'string' ? value : undefined

// By the names of the provider's own errors, which it does not export.
const PROBLEMS: Readonly<Record<string, 'unknown' | 'expired'>> = {
  NoCodeError: 'unknown',
  NotFoundError: 'unknown',
  ExpiredError: 'expired',
  AlreadyUsedError: 'expired',
}

const deviceModel = (
  out: ErrorOut | undefined,
  cause: unknown,
  code: string | undefined,
): DeviceModel => {
  if (out === undefined && cause === undefined) return { step: 'enter' }
  const name = cause instanceof Error ? cause.name : ''
  if (name === 'AbortedError') return { step: 'denied' }
  const problem = PROBLEMS[name] ?? 'failed'
  return { step: 'enter', problem, ...(code === undefined ? {} : { code }) }
}

const KINDS: Readonly<Record<string, MessageKind>> = {
  invalid_client: 'unknown-client',
  invalid_redirect_uri: 'unknown-client',
  access_denied: 'cancelled',
  server_error: 'unavailable',
  temporarily_unavailable: 'unavailable',
}

/** The page for an error of the provider's (RFC 6749 §4.1.2.1). */
const errorMessage = (
  { error, error_description: description }: ErrorOut,
  cause: unknown,
  id: string,
): MessageModel => {
  const expired = cause instanceof errors.SessionNotFound
  const message = expired ? 'expired' : (KINDS[error] ?? 'malformed')
  const detail = description === undefined ? error : `${error}: ${description}`
  return {
    message,
    tone: message === 'cancelled' ? 'notice' : 'error',
    id: { kind: 'request', id },
    ...(message === 'malformed' || message === 'unknown-client' ? { detail } : {}),
  }
}
