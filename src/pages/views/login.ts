// The login page: every way to log in, and why the last attempt failed. An unknown user and a wrong password are
// one problem here, so that no client learns which users exist.

import type { AccountRefusal } from '../../authenticate/password/verifier.ts'
import { textsIn } from '../i18n/catalog.ts'
import type { FormContext } from '../context.ts'
import { html, type Html } from '../html.ts'
import { page } from '../layout.ts'
import { untrusted, shown } from '../markup/untrusted-text.ts'
import type { Texts } from '../i18n/texts-en.ts'
import { waitInWords } from '../i18n/times.ts'
import { button, field, form, prefilled, problemBox } from './form.ts'

/** Why the last attempt failed, as far as the user may know. */
export type LoginProblem =
  /** The user, the password or both are wrong: it is not shown which. */
  | { readonly kind: 'wrong' }
  | { readonly kind: 'missing'; readonly field: 'user' | 'password' }
  /** Too many attempts. Said of users that do not exist, too. */
  | { readonly kind: 'locked'; readonly seconds: number }
  | { readonly kind: 'unavailable' }
  /** The page was too old, or its token did not fit. */
  | { readonly kind: 'expired' }
  /** Only for a user who has proven the password. */
  | { readonly kind: 'refused'; readonly code: AccountRefusal }
  /** Proven, and not mapped to an identity by the configuration. */
  | { readonly kind: 'denied' }
  /** The answer to a question was not right, and that question is over. */
  | { readonly kind: 'answer' }
  | { readonly kind: 'certificate'; readonly reason: 'none' | 'refused' }
  /** `isDown`: it was unavailable. */
  | { readonly kind: 'provider'; readonly name: string; readonly isDown?: boolean }

/** Somewhere else to log in. */
interface LoginProvider {
  /** What is sent when it is chosen. */
  readonly id: string
  /** Its name for users. */
  readonly name: string
}

/** The content of the login page. */
export interface LoginModel {
  /** Where the user continues afterwards, such as a host. */
  readonly destination?: string
  /** Absent without logins by password. `user` is what was typed the last time. */
  readonly password?: { readonly user?: string }
  readonly certificate?: boolean
  readonly providers?: readonly LoginProvider[]
  readonly problem?: LoginProblem
}

/** Where the forms go: fields `user` and `password`; none; `provider`, an id. */
export type LoginPath = 'password' | 'certificate' | 'provider'

/** The login page. */
export const loginPage = (model: LoginModel, context: FormContext<LoginPath>): Html => {
  const texts = textsIn(context.language)
  const { login } = texts
  const { destination, problem } = model
  const said = problem && saidOf(problem, texts, context.language)
  const byPassword = passwordForm(model, context)
  const others = [certificateForm(model, context), providersForm(model, context)].filter(
    (way) => way !== undefined,
  )
  return page(
    {
      title: login.title,
      wrong: said?.title,
      forms: true,
      body: html`${destination === undefined ? undefined : html`<p class="quiet">${login.destination(untrusted(destination))}</p>`}
      ${said && problemBox(said.what, said.todo)} ${byPassword}
      ${byPassword === undefined || others.length === 0 ? undefined : html`<p class="or">${login.or}</p>`}
      ${others.length === 0 ? undefined : html`<div class="stack">${others}</div>`}
      ${byPassword === undefined && others.length === 0 ? html`<p>${login.nothing}</p>` : undefined}`,
    },
    context,
  )
}

const passwordForm = (
  { password, problem }: LoginModel,
  { language, csrf, paths }: FormContext<LoginPath>,
): Html | undefined => {
  if (password === undefined) return undefined
  const { login } = textsIn(language)
  const wrong = wrongFields(problem)
  const user = prefilled(password.user ?? '')
  // The first that is to be filled in; after a wrong password that is the password.
  const first = user === '' || problem?.kind !== 'wrong' ? wrong[0] : 'password'
  const focus = first ?? (user === '' ? 'user' : 'password')
  return form(
    { path: paths.password, csrf, keepsFragment: true },
    html`${field({ name: 'user', label: login.user, type: 'text', value: user, autocomplete: 'username', autofocus: focus === 'user', wrong: wrong.includes('user') })}
    ${field({ name: 'password', label: login.password, type: 'password', autocomplete: 'current-password', autofocus: focus === 'password', wrong: wrong.includes('password') })}
    ${button({ text: login.submit, main: true, full: true })}`,
  )
}

const wrongFields = (problem: LoginProblem | undefined): readonly ('user' | 'password')[] => {
  if (problem?.kind === 'wrong') return ['user', 'password']
  return problem?.kind === 'missing' ? [problem.field] : []
}

const certificateForm = (
  { certificate = false, password }: LoginModel,
  { language, csrf, paths }: FormContext<LoginPath>,
): Html | undefined => {
  if (!certificate) return undefined
  const text = textsIn(language).login.certificate
  return form(
    { path: paths.certificate, csrf, keepsFragment: true },
    button({ text, full: true, main: password === undefined }),
  )
}

/** Without the fragment: browsers would pass it on to the provider, for which it is not meant. */
const providersForm = (
  { providers = [], password, certificate = false }: LoginModel,
  { language, csrf, paths }: FormContext<LoginPath>,
): Html | undefined => {
  if (providers.length === 0) return undefined
  const { login } = textsIn(language)
  const main = password === undefined && !certificate && providers.length === 1
  return form(
    { path: paths.provider, csrf, className: 'stack' },
    html`${providers.map(({ id, name }) => button({ text: login.provider(shown(name, 60)), name: 'provider', value: id, main }))}`,
  )
}

interface Said {
  /** In the title. */
  readonly title: string
  readonly what: string | Html
  readonly todo: string
}

const saidOf = (
  problem: LoginProblem,
  { login, frame, challenge }: Pick<Texts, 'login' | 'frame' | 'challenge'>,
  language: string,
): Said => {
  const said = (what: string, todo: string): Said => ({ title: what, what, todo })
  switch (problem.kind) {
    case 'wrong':
      return said(login.wrong, login.wrongTodo)
    case 'missing':
      return said(problem.field === 'user' ? login.noUser : login.noPassword, '')
    case 'locked':
      return said(login.locked, frame.wait(waitInWords(language, problem.seconds)))
    case 'unavailable':
      return said(login.unavailable, login.unavailableTodo)
    case 'expired':
      return said(login.expired, login.expiredTodo)
    case 'refused':
      return said(login.refused[problem.code], refusedTodo(problem.code, login))
    case 'answer':
      return said(challenge.wrong, challenge.wrongTodo)
    case 'denied':
      return said(login.denied, login.refusedTodo)
    case 'certificate':
      return problem.reason === 'none'
        ? said(login.noCertificate, login.noCertificateTodo)
        : said(login.certificateRefused, login.certificateRefusedTodo)
    case 'provider':
      return {
        title: login.providerFailedTitle,
        what: login.providerFailed(untrusted(problem.name, 60)),
        todo: login.providerFailedTodo,
      }
  }
}

const refusedTodo = (code: AccountRefusal, login: Texts['login']): string =>
  code === 'password-expired' || code === 'password-must-change'
    ? login.passwordTodo
    : login.refusedTodo
