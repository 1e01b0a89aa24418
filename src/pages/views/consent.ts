// Consent: whether a client of another party may act for the user. It shows the client, the claims, and where the answer is
// sent. Both buttons look alike, since both answers are right.

import { textsIn } from '../i18n/catalog.ts'
import type { FormContext } from '../context.ts'
import { html, type Html } from '../html.ts'
import { page } from '../layout.ts'
import { untrusted } from '../markup/untrusted-text.ts'
import { button, form } from './form.ts'

/** The meaning of one requested scope. */
interface WantedScope {
  readonly name: string
  /** What it means; for the scopes of OpenID Connect there are texts. */
  readonly description?: string
}

/** The content of the page. */
export interface ConsentModel {
  /** By its registered name. */
  readonly client: string
  /** Who is logged in. */
  readonly user: string
  readonly scopes: readonly WantedScope[]
  /** The claims that it will receive, by name. */
  readonly claims?: readonly string[]
  /** The host of its redirect URI. */
  readonly goesTo: string
}

/** Where the form goes: field `answer`, `allow` or `deny`. */
export type ConsentPath = 'consent'

/** The page with the question. */
export const consentPage = (
  { client, user, scopes, claims = [], goesTo }: ConsentModel,
  context: FormContext<ConsentPath>,
): Html => {
  const { language, csrf, paths } = context
  const { consent } = textsIn(language)
  return page(
    {
      title: consent.title,
      forms: true,
      body: html`<p>${consent.asks(strong(client), strong(user))}</p>
        <ul>
          ${scopes.map((scope) => html`<li>${wordsFor(scope, consent.scopes)}</li>`)}
        </ul>
        ${
          claims.length === 0
            ? undefined
            : html`<p>${consent.claims}</p>
                <ul>
                  ${claims.map((name) => html`<li><code>${untrusted(name)}</code></li>`)}
                </ul>`
        }
        <p>${consent.goesTo(strong(goesTo))} ${consent.unsure}</p>
        ${form(
          { path: paths.consent, csrf, keepsFragment: true, className: 'choice' },
          html`${button({ text: consent.allow, name: 'answer', value: 'allow' })}
          ${button({ text: consent.deny, name: 'answer', value: 'deny' })}`,
        )}`,
    },
    context,
  )
}

const strong = (text: string): Html => html`<strong>${untrusted(text, 80)}</strong>`

const wordsFor = (
  { name, description }: WantedScope,
  known: Readonly<Record<string, string>>,
): Html => {
  const words = Object.hasOwn(known, name) ? known[name] : undefined
  if (words !== undefined) return html`${words}`
  return description === undefined
    ? html`<code>${untrusted(name)}</code>`
    : html`${untrusted(description)} <small>(<code>${untrusted(name)}</code>)</small>`
}
