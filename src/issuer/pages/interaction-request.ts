// One request of a pending authorization, and how its responses are sent.

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Interaction } from 'oidc-provider'
import type { PageSender } from '../http/page-sender.ts'
import type { FormToken, PageContext } from '../../pages/context.ts'
import { csrfToken, type FormOwner } from '../../pages/csrf.ts'
import type { Html } from '../../pages/html.ts'

/** A request, and the interaction that its browser has the cookie of. */
export interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly interaction: Interaction
}

/** What sending needs. */
export interface ExchangeParts {
  readonly sender: PageSender
  /** Makes the tokens of forms; the same in every replica. */
  readonly formKey: Uint8Array
}

/** Whose the forms of an interaction are. */
export const ownerOf = ({ uid }: Pick<Interaction, 'uid'>): FormOwner => ({
  kind: 'interaction',
  id: uid,
})

/** What its pages are made with. */
export const formContext = (
  { request, interaction }: Exchange,
  { sender, formKey }: ExchangeParts,
): PageContext & { readonly csrf: FormToken } => {
  const locales = interaction.params['ui_locales']
  return {
    ...sender.contextFor(request, typeof locales === 'string' ? locales : undefined),
    csrf: { token: csrfToken(formKey, ownerOf(interaction)) },
  }
}

/** The status of a page, for programs. */
export interface PageStatus {
  readonly status: number
  /** Seconds. */
  readonly retryAfter?: number
}

/** Sends a page; its forms may lead back to the application, and to what else is named. */
export const sendPage = (
  content: Html,
  context: PageContext,
  { status, retryAfter }: PageStatus,
  { interaction, response }: Exchange,
  { sender }: ExchangeParts,
  targets: readonly string[] = [],
): void => {
  const target = interaction.params['redirect_uri']
  const all = typeof target === 'string' ? [target, ...targets] : targets
  if (retryAfter !== undefined) response.setHeader('retry-after', retryAfter)
  const { headers, body } = sender.page(content, context, all)
  response.writeHead(status, { ...headers }).end(body)
}
