// HTML that escapes its values. Templates are literals of this program; values are text, and stay text wherever they are
// inserted. HTML that was not made here cannot be inserted.

import { createHash } from 'node:crypto'
import { holesOf, isAllowedAttribute, isUrlAttribute, type Hole } from './markup/template-holes.ts'
import { isSafeUrl, type SafeUrl } from './markup/url.ts'

/** Well-formed HTML. Only {@link html} and {@link inlineElement} make it, and it is not a string. */
class Html {
  readonly #markup: string

  constructor(markup: string) {
    this.#markup = markup
  }

  /** Its text, for the one place that sends it. */
  get markup(): string {
    return this.#markup
  }

  /** @throws TypeError always: a string of it would lose what is escaped */
  toString(): never {
    throw new TypeError('HTML cannot be converted to a string')
  }
}
export type { Html }

/** Attributes for a tag, see {@link attributes}. */
class Attributes {
  readonly #markup: string

  constructor(markup: string) {
    this.#markup = markup
  }

  /** Their text. */
  get markup(): string {
    return this.#markup
  }
}
export type { Attributes }

/** What can be inserted into a template; the hole decides which of them it takes. */
export type TemplateValue =
  | string
  | number
  | Html
  | Attributes
  | SafeUrl
  | readonly Html[]
  | undefined

/** The page as it is sent. */
export const render = (page: Html): string => page.markup

interface Template {
  readonly parts: readonly string[]
  readonly holes: readonly Hole[]
}

const templates = new WeakMap<TemplateStringsArray, Template>()

const templateOf = (strings: TemplateStringsArray): Template => {
  const known = templates.get(strings)
  if (known !== undefined) return known
  // The indentation of the source is for its readers.
  const template = {
    parts: strings.map((part) => part.replaceAll(/\n\s*/g, '\n')),
    holes: holesOf(strings),
  }
  templates.set(strings, template)
  return template
}

/**
 * HTML from a template. A string is escaped, `undefined` is nothing.
 *
 * @throws TypeError for a value that its hole does not take, which is a bug
 */
export const html = (strings: TemplateStringsArray, ...values: readonly TemplateValue[]): Html => {
  const { parts, holes } = templateOf(strings)
  let markup = parts[0] ?? ''
  for (const [index, hole] of holes.entries()) {
    markup += filled(hole, values[index])
    markup += parts[index + 1] ?? ''
  }
  return new Html(markup)
}

const filled = ({ kind }: Hole, value: TemplateValue): string => {
  switch (kind) {
    case 'text':
      if (value === undefined) return ''
      if (value instanceof Html) return value.markup
      if (isList(value)) return value.map(({ markup }) => markup).join('')
      if (typeof value === 'string' || typeof value === 'number') return escaped(String(value))
      break
    case 'value':
      if (typeof value === 'string' || typeof value === 'number') return escaped(String(value))
      break
    case 'url':
      if (isSafeUrl(value)) return escaped(value.text)
      break
    case 'attributes':
      if (value === undefined) return ''
      if (value instanceof Attributes) return value.markup
      break
  }
  throw new TypeError(`a value that this part of a template cannot have (${kind})`)
}

const isList = (value: TemplateValue): value is readonly Html[] => Array.isArray(value)

const SPECIAL = /[&<>"']/
const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

const escaped = (text: string): string =>
  SPECIAL.test(text) ? text.replaceAll(/[&<>"']/g, (char) => ENTITIES[char] ?? '') : text

/**
 * Attributes by name, for a hole among those of a tag. `true` writes the name alone; `undefined` and
 * `false` leave it out. An address has to be a {@link SafeUrl}.
 *
 * @throws TypeError for an attribute that may not be written, which is a bug
 */
export const attributes = (
  values: Readonly<Record<string, string | number | boolean | SafeUrl | undefined>>,
): Attributes => {
  const written: string[] = []
  for (const [name, value] of Object.entries(values)) {
    const safe = isSafeUrl(value)
    if (!isAllowedAttribute(name)) throw new TypeError(`the attribute ${name}`)
    if (value === undefined || value === false) continue
    if (isUrlAttribute(name) !== safe)
      throw new TypeError(`not an address, or not for one: ${name}`)
    written.push(value === true ? name : `${name}="${escaped(safe ? value.text : String(value))}"`)
  }
  return new Attributes(written.join(' '))
}

/** A stylesheet or script within the page. */
export interface InlineElement {
  readonly element: Html
  /** What Content-Security-Policy allows it by (CSP Level 3 §2.3.1, hash-source). */
  readonly source: string
}

/**
 * A stylesheet or script of Countersign.
 *
 * @throws TypeError where the text could end its element, which is a bug
 */
export const inlineElement = (kind: 'style' | 'script', text: string): InlineElement => {
  if (/<\/|<!--/.test(text)) throw new TypeError(`a ${kind} that could end early`)
  const hash = createHash('sha256').update(text).digest('base64')
  return {
    element: new Html(`<${kind}>${text}</${kind}>`),
    source: `'sha256-${hash}'`,
  }
}
