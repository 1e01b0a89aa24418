// What pages are made with in addition to their model.

import type { Language } from './i18n/catalog.ts'
import type { Theme } from './theme.ts'

/** For every page. */
export interface PageContext {
  readonly theme: Theme
  /** From `languageFor`, or `look.language`. */
  readonly language: Language
}

/** The field of a form's token. */
export interface FormToken {
  /** Its name; {@link TOKEN_FIELD} unless the reader of the form has another. */
  readonly field?: string
  /** From `csrfToken`. */
  readonly token: string
}

/** For pages with forms; each says which paths it sends to. */
export interface FormContext<Path extends string> extends PageContext {
  readonly csrf: FormToken
  /** Paths on the host of the page itself. */
  readonly paths: Readonly<Record<Path, string>>
}

/** The name of the token's field. */
export const TOKEN_FIELD = 'csrf'
