// Untrusted text: names of users, groups and applications, messages of servers. It is shown so that it can neither reorder nor
// cover the text around it, nor make it long.

import { html, type Html } from '../html.ts'

/** Where an untrusted text is cut, in UTF-16 code units. */
const LONGEST_SHOWN = 200

// Controls, what cannot be seen (among it what turns the direction of writing), what separates lines,
// and lone surrogates. Joiners stay: Persian, Indic scripts and emoji are written with them.
const UNSEEN = /[[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]--[\u200c\u200d]]/gv

// As many marks as a letter of any script has; more would be drawn over the lines above and below.
const STACKED = /(\p{M}{4})\p{M}+/gu

const PLAIN = /^[\x20-\x7e]*$/

/** An untrusted text, isolated from the direction of writing around it. */
export const untrusted = (text: string, longest = LONGEST_SHOWN): Html =>
  html`<bdi>${shown(text, longest)}</bdi>`

/** The same over several lines, of which at most 20 are shown. */
export const untrustedLines = (text: string, longest = 2_000): Html => {
  const lines = cut(text, longest)
    .split(/\r\n|[\r\n]/)
    .slice(0, 20)
    .map((line) => html`<bdi>${shown(line, longest)}</bdi><br />`)
  return html`${lines}`
}

/** An untrusted text where no element is possible, such as in an attribute. */
export const shown = (text: string, longest = LONGEST_SHOWN): string => {
  const short = cut(text, longest)
  return PLAIN.test(short) ? short : short.replaceAll(UNSEEN, '\ufffd').replaceAll(STACKED, '$1')
}

const cut = (text: string, longest: number): string => {
  if (text.length <= longest) return text
  // Not between the halves of a surrogate pair.
  const end = /[\ud800-\udbff]/.test(text[longest - 1] ?? '') ? longest - 1 : longest
  return `${text.slice(0, end)}…`
}
