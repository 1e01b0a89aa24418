// The account page: the user, how they logged in, their other logins, and logouts. It changes
// nothing but logins.

import { textsIn } from '../i18n/catalog.ts'
import type { FormContext } from '../context.ts'
import { html, type Html } from '../html.ts'
import { page } from '../layout.ts'
import { untrusted } from '../markup/untrusted-text.ts'
import type { Texts } from '../i18n/texts-en.ts'
import { instantInWords } from '../i18n/times.ts'
import { button, form } from './form.ts'
import { sessionsTable, type AccountSession } from './sessions.ts'

/** One means of a login. */
type LoginMeans =
  | { readonly kind: keyof Texts['account']['means'] }
  /** An upstream IdP, by its name for users. */
  | { readonly kind: 'provider'; readonly name: string }

/** The content of the page. Instants are milliseconds since the epoch. */
export interface AccountModel {
  readonly user: string
  readonly name?: string
  readonly email?: string
  readonly groups: readonly string[]
  /** How many more were cut off by the limits of the configuration. */
  readonly groupsOmitted?: number
  /** One or more, in their order. */
  readonly means: readonly LoginMeans[]
  readonly loggedInAt: number
  readonly expires: number
  /** The current one first; as many as there are. */
  readonly sessions: readonly AccountSession[]
  readonly now: number
  /** What was just done. */
  readonly done?: 'ended' | 'endedAll'
}

/**
 * Where its forms go: `session` has the field `session`, an id; `here` and `everywhere` have none.
 */
export type AccountPath = 'session' | 'here' | 'everywhere'

/** The account page. */
export const accountPage = (model: AccountModel, context: FormContext<AccountPath>): Html => {
  const { account } = textsIn(context.language)
  const { done } = model
  return page(
    {
      title: account.title,
      wide: true,
      forms: true,
      body: html`${done && html`<div class="good" role="status"><p>${account[done]}</p></div>`}
        <section aria-labelledby="who">
          <h2 id="who">${account.who}</h2>
          ${who(model, account)}
        </section>
        <section aria-labelledby="login">
          <h2 id="login">${account.login}</h2>
          ${how(model, context)}
        </section>
        <section aria-labelledby="sessions">
          <h2 id="sessions">${account.sessions}</h2>
          ${sessionsTable(model.sessions, model.now, context)}
        </section>
        <section aria-labelledby="leave">
          <h2 id="leave">${account.leave}</h2>
          ${ways(context)}
        </section>`,
    },
    context,
  )
}

const row = (label: string, text: Html): Html =>
  html`<dt>${label}</dt>
    <dd>${text}</dd>`

const who = (
  { user, name, email, groups, groupsOmitted }: AccountModel,
  account: Texts['account'],
) =>
  html`<dl>
      ${row(account.user, html`<strong>${untrusted(user)}</strong>`)}
      ${name === undefined ? undefined : row(account.name, untrusted(name))}
      ${email === undefined ? undefined : row(account.email, untrusted(email))}
    </dl>
    ${groupsOf(groups, account)}
    ${groupsOmitted === undefined || groupsOmitted === 0 ? undefined : html`<p class="quiet">${account.groupsOmitted(groupsOmitted)}</p>`}`

/** As many as fit on a telephone with everything else. */
const FIRST_GROUPS = 8

const groupsOf = (groups: readonly string[], account: Texts['account']): Html => {
  if (groups.length === 0) return html`<p>${account.noGroups}</p>`
  const rest = groups.slice(FIRST_GROUPS)
  return html`<p>${account.groups(groups.length)}:</p>
    ${groupList(groups.slice(0, FIRST_GROUPS))}
    ${
      rest.length === 0
        ? undefined
        : html`<details>
            <summary>${account.moreGroups(rest.length)}</summary>
            ${groupList(rest)}
          </details>`
    }`
}

const groupList = (groups: readonly string[]): Html =>
  html`<ul class="groups">
    ${groups.map((group) => html`<li>${untrusted(group)}</li>`)}
  </ul>`

const how = (
  { means, loggedInAt, expires, now }: AccountModel,
  { language, theme }: FormContext<AccountPath>,
): Html => {
  const { account } = textsIn(language)
  const time = (instant: number): Html => instantInWords(language, instant, now, theme.timeZone)
  const words = means.map(
    (one, index) => html`${index === 0 ? '' : ', '}${meansInWords(one, account)}`,
  )
  return html`<dl>
    ${row(account.how, html`${words}`)} ${row(account.when, time(loggedInAt))}
    ${row(account.ends, time(expires))}
  </dl>`
}

const meansInWords = (means: LoginMeans, account: Texts['account']): Html =>
  means.kind === 'provider'
    ? account.provider(untrusted(means.name))
    : html`${account.means[means.kind]}`

const ways = ({ language, csrf, paths }: FormContext<AccountPath>): Html => {
  const { account } = textsIn(language)
  return html`${form(
    { path: paths.here, csrf },
    html`<p>${button({ text: account.here, main: true })}</p>
      <p class="quiet">${account.hereExplain}</p>`,
  )}
  ${form(
    { path: paths.everywhere, csrf },
    html`<p>${button({ text: account.everywhere })}</p>
      <p class="quiet">${account.everywhereExplain}</p>`,
  )}`
}
