// The languages of the pages: for each its texts and the direction it is written in. A new one is a file
// next to texts-de.ts and a line here.

import { german } from './texts-de.ts'
import { english, type Texts } from './texts-en.ts'
export { languageFor } from './language.ts'

interface Entry {
  readonly texts: Texts
  /** `dir` of the page. */
  readonly direction: 'ltr' | 'rtl'
}

const CATALOG = {
  en: { texts: english, direction: 'ltr' },
  de: { texts: german, direction: 'ltr' },
} as const satisfies Readonly<Record<string, Entry>>

/** A language that there are texts in, as a tag of BCP 47; `lang` of the page. */
export type Language = keyof typeof CATALOG

const isLanguage = (text: string): text is Language => Object.hasOwn(CATALOG, text)

/** All of them. */
export const LANGUAGES: readonly Language[] = Object.keys(CATALOG).filter(isLanguage)

/** The texts of a language. */
export const textsIn = (language: Language): Texts => CATALOG[language].texts

/** The direction that a language is written in. */
export const directionOf = (language: Language): Entry['direction'] => CATALOG[language].direction
