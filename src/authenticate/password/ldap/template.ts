// Filters and names with placeholders: typed names are inserted once, escaped.

import { escapeDnValue } from '../../../clients/ldap/dn.ts'

/** The values of the placeholders. */
export interface TemplateValues {
  readonly user?: string
  readonly dn?: string
}

/** A filter with its values, escaped by RFC 4515 §3. */
export const renderFilter = (template: string, values: TemplateValues): string =>
  render(template, values, escapeFilterValue)

/** `*`, `(`, `)`, `\` and NUL as `\2a` and so on (RFC 4515 §3). */
export const escapeFilterValue = (value: string): string =>
  value.replaceAll(
    // oxlint-disable-next-line no-control-regex -- NUL is one of the five
    /[*()\\\0]/g,
    (character) => `\\${character.charCodeAt(0).toString(16).padStart(2, '0')}`,
  )

/** Whether names made from a template are distinguished names. */
export const isDnTemplate = (template: string): boolean => /^\s*[A-Za-z][\w-]*\s*=/.test(template)

/**
 * The name to bind; `undefined` where the template cannot have this user: `@` and `\` would name an account of another
 * domain.
 */
export const renderName = (template: string, user: string): string | undefined => {
  if (isDnTemplate(template)) return render(template, { user }, escapeDnValue)
  if (template !== '{user}' && /[@\\]/.test(user)) return undefined
  return render(template, { user }, (value) => value)
}

// In one pass, so that a user name "{dn}" is not replaced.
const render = (
  template: string,
  values: TemplateValues,
  escape: (value: string) => string,
): string =>
  template.replaceAll(/\{(user|dn)\}/g, (placeholder, name: string) => {
    const value = name === 'user' ? values.user : values.dn
    return value === undefined ? placeholder : escape(value)
  })
