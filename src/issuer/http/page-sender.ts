// Sends pages over HTTP: in the user's language, with their security headers.

import type { IncomingMessage, ServerResponse } from 'node:http'
import { languageFor, LANGUAGES } from '../../pages/i18n/catalog.ts'
import type { PageContext } from '../../pages/context.ts'
import { pageHeaders } from '../../pages/headers.ts'
import type { Html } from '../../pages/html.ts'
import type { Theme } from '../../pages/theme.ts'
import { messagePage, type MessageKind, type MessageModel } from '../../pages/views/message.ts'
import { requestIdOf } from './request-id.ts'

/** A page, as it is sent. */
export interface SentPage {
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** What the pages of one configuration have in common. */
export class PageSender {
  readonly #theme: Theme
  readonly #origin: string

  /** @param issuer the URL of the pages */
  constructor(theme: Theme, issuer: string) {
    this.#theme = theme
    this.#origin = new URL(issuer).origin
  }

  /** @param locales `ui_locales` (OpenID Connect Core §3.1.2.1), which goes before the browser's list */
  contextFor({ headers }: Pick<IncomingMessage, 'headers'>, locales = ''): PageContext {
    const wanted = [locales.trim().replaceAll(/ +/g, ','), headers['accept-language'] ?? '']
    const language = wanted
      .map((list) => languageFor(list, LANGUAGES))
      .find((found) => found !== undefined)
    return { theme: this.#theme, language: language ?? this.#theme.language }
  }

  /** @param formTargets further URLs that its forms may lead to; absent for a page without forms */
  page(content: Html, context: PageContext, formTargets?: readonly string[]): SentPage {
    const headers = pageHeaders({ ...context, origin: this.#origin, formTargets })
    return { headers, body: content.markup }
  }

  /**
   * Sends a message page, with the request id for the operator.
   *
   * @param more what else the page has; `wait` is sent as `Retry-After` too
   */
  tell(
    message: MessageKind,
    status: number,
    request: IncomingMessage,
    response: ServerResponse,
    more: Pick<MessageModel, 'logIn' | 'wait'> = {},
  ): void {
    const context = this.contextFor(request)
    const id = { kind: 'request', id: requestIdOf(request) } as const
    const { headers, body } = this.page(
      messagePage({ message, tone: 'error', id, ...more }, context),
      context,
    )
    if (more.wait !== undefined) response.setHeader('retry-after', more.wait)
    response.writeHead(status, { ...headers }).end(body)
  }
}
