// Logging out: whether it is wanted, when an application asks for it (OpenID Connect RP-Initiated Logout
// 1.0 §2), and that it is done.

import { textsIn } from '../i18n/catalog.ts'
import type { FormContext, PageContext } from '../context.ts'
import { html, type Html } from '../html.ts'
import { page } from '../layout.ts'
import { untrusted } from '../markup/untrusted-text.ts'
import { ownPath, safeUrl } from '../markup/url.ts'
import { button, form } from './form.ts'

/** The content of the question. */
export interface ConfirmLogoutModel {
  /** The application that requests the logout, by its registered name; absent where it is not known. */
  readonly client?: string
}

/** Where the form goes: field `logout` with the value `yes`, or without it. */
export type ConfirmLogoutPath = 'logout'

/** The question whether to log out. */
export const confirmLogoutPage = (
  { client }: ConfirmLogoutModel,
  context: FormContext<ConfirmLogoutPath>,
): Html => {
  const { language, csrf, paths } = context
  const { logout } = textsIn(language)
  return page(
    {
      title: logout.title,
      forms: true,
      body: html`${client === undefined ? undefined : html`<p>${logout.confirm(html`<strong>${untrusted(client, 80)}</strong>`)}</p>`}
        <p>${logout.explain}</p>
        ${form(
          { path: paths.logout, csrf, className: 'choice' },
          html`${button({ text: logout.yes, name: 'logout', value: 'yes', main: true })}
          ${button({ text: logout.no })}`,
        )}`,
    },
    context,
  )
}

/** The content of the confirmation. */
export interface LoggedOutModel {
  /** Where the client wants the user to continue: left out unless it is a safe address. */
  readonly goOn?: string
  /** The path to log in again at. */
  readonly logIn?: string
}

/** None where the address is a path, which leads to ourselves. */
const hostOf = (address: string): string | undefined => URL.parse(address)?.host

/** The page after a logout. */
export const loggedOutPage = ({ goOn, logIn }: LoggedOutModel, context: PageContext): Html => {
  const { logout } = textsIn(context.language)
  const url = goOn === undefined ? undefined : safeUrl(goOn)
  return page(
    {
      title: logout.doneTitle,
      body: html`<p>${logout.done}</p>
        ${url && html`<p><a href="${url}">${logout.goOn(untrusted(hostOf(url.text) ?? context.theme.name))}</a></p>`}
        ${logIn === undefined ? undefined : html`<p><a href="${ownPath(logIn)}">${logout.again}</a></p>`}`,
    },
    context,
  )
}
