// The parts of forms: what every page writes the same way, so that each has its label, its token and its
// place in the order of the keyboard.

import { TOKEN_FIELD, type FormToken } from '../context.ts'
import { attributes, html, type Html } from '../html.ts'
import { ownPath } from '../markup/url.ts'

/** The element with the error message, which fields refer to. */
const PROBLEM_ID = 'problem'

/** What is wrong, and what to do: announced as soon as the page is there. */
export const problemBox = (what: string | Html, todo?: string): Html =>
  html`<div class="bad" role="alert" id="${PROBLEM_ID}">
    <p><strong>${what}${typeof what === 'string' ? '.' : html`.`}</strong> ${todo}</p>
  </div>`

/** One field with its label. */
export interface Field {
  readonly name: string
  readonly label: string
  readonly type: 'text' | 'password'
  readonly value?: string | undefined
  /** HTML, "Autofill"; `off` where nothing may be remembered. */
  readonly autocomplete: 'username' | 'current-password' | 'one-time-code' | 'off'
  readonly inputMode?: 'numeric' | 'text'
  readonly autofocus?: boolean
  /** It is what the problem is about. */
  readonly wrong?: boolean
  /** The element that explains it, by its id. */
  readonly explainedBy?: string
  readonly className?: string
}

// Longer than any expected value; what is longer was not typed.
const LONGEST_VALUE = 1_024
const LONGEST_PREFILLED = 256

/** What is put back into a field that was filled in before. */
export const prefilled = (value: string): string => (value.length <= LONGEST_PREFILLED ? value : '')

/** The field and its label. */
export const field = (options: Field): Html => {
  const { name, label, type, value = '', autocomplete, wrong = false, explainedBy } = options
  const described = [explainedBy, wrong ? PROBLEM_ID : undefined].filter((id) => id !== undefined)
  const more = attributes({
    value: type === 'text' && value !== '' ? prefilled(value) : undefined,
    class: options.className,
    inputmode: options.inputMode,
    autofocus: options.autofocus,
    'aria-invalid': wrong ? 'true' : undefined,
    'aria-describedby': described.length === 0 ? undefined : described.join(' '),
  })
  return html`<label for="${name}">${label}</label>
    <input
      id="${name}"
      name="${name}"
      type="${type}"
      autocomplete="${autocomplete}"
      autocapitalize="none"
      autocorrect="off"
      spellcheck="false"
      maxlength="${LONGEST_VALUE}"
      required
      ${more}
    />`
}

/** A form for a path of the issuer, with its token. */
export interface FormOptions {
  readonly path: string
  readonly csrf: FormToken
  /** Whether the fragment of a deep link goes with it, which must stay on the way back to the application. */
  readonly keepsFragment?: boolean
  readonly className?: string
}

/** The form around its fields. */
export const form = (
  { path, csrf, keepsFragment = false, className }: FormOptions,
  fields: Html,
): Html =>
  html`<form
    method="post"
    action="${ownPath(path)}"
    ${attributes({ class: className, 'data-fragment': keepsFragment })}
  >
    ${hidden(csrf.field ?? TOKEN_FIELD, csrf.token)} ${fields}
  </form>`

/** A field that only programs see. */
export const hidden = (name: string, value: string): Html =>
  html`<input type="hidden" name="${name}" value="${value}" />`

/** A button that sends its form. */
export interface Button {
  readonly text: string
  /** What is sent with it. */
  readonly name?: string
  readonly value?: string
  /** The one that most users want. */
  readonly main?: boolean
  readonly full?: boolean
  /** Its name for users of a screen reader. */
  readonly says?: string
  /** Submits to another URL than the form's, and without validation of its fields. */
  readonly path?: string
}

/** The button. */
export const button = ({ text, name, value, main, full, says, path }: Button): Html => {
  const classes = [main === true ? 'main' : undefined, full === true ? 'full' : undefined]
  const className = classes.filter((word) => word !== undefined).join(' ')
  const more = attributes({
    name,
    value,
    class: className === '' ? undefined : className,
    'aria-label': says,
    formaction: path === undefined ? undefined : ownPath(path),
    formnovalidate: path !== undefined,
  })
  return html`<button type="submit" ${more}>${text}</button>`
}
