// Envoy's matchers of strings, as far as they can be judged without Envoy.

import type { Setting } from './setting.ts'

/** Whether an envoy.type.matcher.v3.StringMatcher matches a text in lower case. */
export const matches = (matcher: Setting, text: string): boolean => {
  const pattern = (name: string): string | undefined => {
    const setting = matcher.get(name)
    if (!setting.isSet) return undefined
    return matcher.get('ignore_case').flag ? setting.text.toLowerCase() : setting.text
  }
  const [exact, prefix, suffix, contains] = ['exact', 'prefix', 'suffix', 'contains'].map(pattern)
  if (exact !== undefined) return text === exact
  if (prefix !== undefined) return text.startsWith(prefix)
  if (suffix !== undefined) return text.endsWith(suffix)
  if (contains !== undefined) return text.includes(contains)
  return matchesRegex(matcher.get('safe_regex'), text)
}

/** Whether any matcher of a ListStringMatcher matches. */
export const matchesAny = (list: Setting, text: string): boolean =>
  list
    .get('patterns')
    .items()
    .some((matcher) => matches(matcher, text))

/**
 * Whether a RegexMatcher matches the whole text, in any case. Expressions that are invalid or
 * unbounded in JavaScript (RE2, which Envoy uses, never backtracks) match nothing.
 */
export const matchesRegex = (matcher: Setting, text: string): boolean => {
  const source = matcher.get('regex').text
  if (source === '' || !isTame(source)) return false
  try {
    return new RegExp(`^(?:${source.replace(/^\(\?i\)/, '')})$`, 'i').test(text)
  } catch {
    return false
  }
}

// No repetition of what is repeated, and few repetitions at all; in a class of characters these are characters.
const isTame = (source: string): boolean => {
  const outside = source.replaceAll(/\[\^?\]?[^\]]*\]/g, 'x')
  return !/\)[*+{]/.test(outside) && (outside.match(/[*+{]/g)?.length ?? 0) <= 4
}
