// A page with a message only: what happened, what can be done, and the id by which an operator finds
// it in the audit log.

import { textsIn } from '../i18n/catalog.ts'
import type { PageContext } from '../context.ts'
import { html, type Html } from '../html.ts'
import { page } from '../layout.ts'
import { untrusted } from '../markup/untrusted-text.ts'
import { safeUrl } from '../markup/url.ts'
import type { Texts } from '../i18n/texts-en.ts'
import { waitInWords } from '../i18n/times.ts'

/** What there are texts for. */
export type MessageKind = keyof Texts['message']

/** Texts of the caller's own, in the language of the page. */
interface OwnMessage {
  readonly title: string
  readonly what: string
  readonly todo?: string
}

/** By what an operator finds what happened. */
export interface MessageId {
  readonly kind: 'decision' | 'request'
  readonly id: string
}

/** The content of the page. */
export interface MessageModel {
  readonly message: MessageKind | OwnMessage
  /** Whether it went wrong: then the title says so first. */
  readonly tone: 'error' | 'notice'
  readonly id?: MessageId
  /** The error message of a program, such as an OAuth error (RFC 6749 §4.1.2.1); not translated. */
  readonly detail?: string
  /** When to come back, in seconds. */
  readonly wait?: number
  /** Where the user came from: left out unless it is a safe address. */
  readonly back?: string
  /** Where a login begins again: left out unless it is a safe address. */
  readonly logIn?: string
}

const LONGEST_DETAIL = 500

/** The page. */
export const messagePage = (model: MessageModel, context: PageContext): Html => {
  const { message, tone, id, detail, wait, back, logIn } = model
  const { language } = context
  const { frame, logout, message: texts } = textsIn(language)
  const { title, what, todo }: OwnMessage = typeof message === 'string' ? texts[message] : message
  const url = back === undefined ? undefined : safeUrl(back)
  const again = logIn === undefined ? undefined : safeUrl(logIn)
  return page(
    {
      title,
      wrong: tone === 'error' ? frame.error : undefined,
      body: html`<p>${what}</p>
        ${detail === undefined ? undefined : html`<p><code>${untrusted(detail, LONGEST_DETAIL)}</code></p>`}
        ${todo === undefined ? undefined : html`<p><strong>${frame.todo}:</strong> ${todo}</p>`}
        ${wait === undefined ? undefined : html`<p>${frame.wait(waitInWords(language, wait))}</p>`}
        ${id && idOf(id, frame)} ${url && html`<p><a href="${url}">${frame.back}</a></p>`}
        ${again && html`<p><a href="${again}">${logout.again}</a></p>`}`,
    },
    context,
  )
}

/** The id, in a form that is easy to copy. */
export const idOf = ({ kind, id }: MessageId, frame: Texts['frame']): Html =>
  html`<p>${frame[kind]}: <code class="id">${untrusted(id)}</code></p>`
