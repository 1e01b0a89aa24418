// The sessions of a user: enough of each to recognise it, and a button that ends it.

import { textsIn } from '../i18n/catalog.ts'
import type { FormContext } from '../context.ts'
import { html, type Html } from '../html.ts'
import { untrusted, shown } from '../markup/untrusted-text.ts'
import { browserName } from '../i18n/browser-name.ts'
import { instantInWords } from '../i18n/times.ts'
import { button, form } from './form.ts'

/** One session. Instants are milliseconds since the epoch. */
export interface AccountSession {
  /** What is sent when it is to be ended; not what its cookie holds. */
  readonly id: string
  /** Whether it is the login of this browser. */
  readonly current: boolean
  /** What the browser calls itself. */
  readonly userAgent?: string
  /** Where it came from the last time, such as an IP address. */
  readonly address?: string
  readonly begun: number
  readonly used?: number
}

/** Of more, only the number is shown: a table of thousands has no use. */
const MOST_SESSIONS = 100

/** The table, in a form of its own. On a telephone its cells do not look like a table: the roles say that it is one. */
export const sessionsTable = (
  sessions: readonly AccountSession[],
  now: number,
  context: FormContext<'session'>,
): Html => {
  const { language, csrf, paths } = context
  const { account } = textsIn(language)
  const more = sessions.length - MOST_SESSIONS
  return html`${form(
    { path: paths.session, csrf },
    html`<table role="table">
      <thead role="rowgroup">
        <tr role="row">
          <th scope="col" role="columnheader">${account.session}</th>
          <th scope="col" role="columnheader">${account.action}</th>
        </tr>
      </thead>
      <tbody role="rowgroup">
        ${sessions.slice(0, MOST_SESSIONS).map((session) => row(session, now, context))}
      </tbody>
    </table>`,
  )}
  ${more > 0 ? html`<p class="quiet">${account.moreSessions(more)}</p>` : undefined}`
}

const row = (
  { id, current, userAgent = '', address, begun, used }: AccountSession,
  now: number,
  { language, theme }: FormContext<'session'>,
): Html => {
  const { account } = textsIn(language)
  const time = (instant: number): Html => instantInWords(language, instant, now, theme.timeZone)
  const browser = userAgent === '' ? account.unknownBrowser : browserName(userAgent)
  const from = address === undefined ? undefined : account.from(untrusted(address, 45))
  return html`<tr role="row">
    <th scope="row" role="rowheader">
      <strong>${untrusted(browser, 60)}</strong
      >${current ? html`<span class="here">${account.current}</span>` : undefined}
      ${from && html`<span class="line quiet">${from}</span>`}
      <span class="line">${account.begun}: ${time(begun)}</span>
      ${used === undefined ? undefined : html`<span class="line">${account.used}: ${time(used)}</span>`}
    </th>
    <td role="cell">
      ${button({ text: account.endOne, name: 'session', value: id, says: account.endOneOf(shown(browser, 60)) })}
    </td>
  </tr>`
}
