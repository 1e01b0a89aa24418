// How much of the audit log a caller who has proven nothing can fill with one request.

import type { DecisionEvent } from '../audit/event.ts'
import type { PresentedCredential } from '../identity/presented-credential.ts'
import { cutText } from '../runtime/text.ts'

/** The longest such event, in bytes. The time, the mark of the log and the place in its chain come to it. */
const MAX_BYTES = 1_850

// Texts that are so short in all, in characters, need no measuring: no character takes more than three bytes.
const SHORT = 300

/** Lengths to which texts are cut, one after the other, until the event fits. */
const LENGTHS = [512, 256, 128, 64, 32] as const

/** The event, with as much of the caller's own words as fits. */
export const fitting = (event: DecisionEvent): DecisionEvent => {
  if (fits(event)) return event
  // The path of a Kubernetes request contains the same.
  const { kubernetes: _kubernetes, ...rest } = event
  const bare: DecisionEvent = { ...rest, truncated: true }
  let shorter = bare
  for (const longest of LENGTHS) {
    shorter = shortened(bare, longest)
    if (fits(shorter)) break
  }
  return shorter
}

const fits = (event: DecisionEvent): boolean => {
  const { path, host, request, method, user, detail, kubernetes, presented } = event
  const texts = [path, host, request, method, user, detail]
  const length = texts.reduce((sum, text = '') => sum + text.length, 0)
  if (length <= SHORT && kubernetes === undefined && presented === undefined) return true
  return Buffer.byteLength(JSON.stringify(event)) <= MAX_BYTES
}

const shortened = (event: DecisionEvent, longest: number): DecisionEvent => {
  const { path, host, request, method, user, detail, presented } = event
  const cut = (text: string | undefined): string | undefined => text && cutText(text, longest)
  return {
    ...event,
    path: cut(path),
    host: cut(host),
    request: cut(request),
    method: cut(method),
    user: cut(user),
    detail: cut(detail),
    presented: presented && shortenedCredential(presented, cut),
  }
}

const shortenedCredential = (
  presented: PresentedCredential,
  cut: (text: string | undefined) => string | undefined,
): PresentedCredential => {
  const { proven, aud, ...texts } = presented
  const short = Object.entries(texts).map(([name, text]) => [name, cut(text)])
  const audience = cut(aud?.join(' '))
  return {
    proven,
    ...Object.fromEntries(short),
    ...(audience === undefined ? {} : { aud: [audience] }),
  }
}
