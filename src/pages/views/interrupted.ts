// The page for a form that was sent after the session had ended. A redirect to the login would lose what
// was typed; this page keeps it, because the browser can send it once more.

import { textsIn } from '../i18n/catalog.ts'
import type { PageContext } from '../context.ts'
import { html, type Html } from '../html.ts'
import { page } from '../layout.ts'
import { untrusted } from '../markup/untrusted-text.ts'
import { safeUrl } from '../markup/url.ts'
import { idOf, type MessageId } from './message.ts'

/** The content of the page. */
export interface InterruptedModel {
  /** What was sent to, such as `app.example.org/orders`; without it "this form". */
  readonly target?: string
  /** Where to log in: a path, or an https URL. */
  readonly logIn: string
  readonly id?: MessageId
}

/**
 * The page.
 *
 * @throws TypeError where `logIn` is not a safe address, which is a bug
 */
export const interruptedPage = (
  { target, logIn, id }: InterruptedModel,
  context: PageContext,
): Html => {
  const { interrupted, frame } = textsIn(context.language)
  const url = safeUrl(logIn)
  if (url === undefined) throw new TypeError('the address of the login')
  return page(
    {
      title: interrupted.title,
      wrong: frame.error,
      body: html`<p>${interrupted.explain(target === undefined ? undefined : untrusted(target))}</p>
        <ol>
          <li>${interrupted.first}</li>
          <li>${interrupted.second}</li>
        </ol>
        <p>
          <a class="button main full" href="${url}" target="_blank" rel="noopener"
            >${interrupted.logIn}</a
          >
        </p>
        ${id && idOf(id, frame)}`,
    },
    context,
  )
}
