// Instants and durations in words. The user's time zone is unknown, so an instant is shown by its distance, and in the
// configured time zone, by name.

import { html, type Html } from '../html.ts'

const UNITS = [
  { unit: 'day', seconds: 86_400 },
  { unit: 'hour', seconds: 3_600 },
  { unit: 'minute', seconds: 60 },
] as const

// No country is meant: Intl would take English for American, and write "Nov 24".
const LOCALES: Readonly<Record<string, string>> = { en: 'en-GB' }

const waits = new Map<string, Intl.RelativeTimeFormat>()
const distances = new Map<string, Intl.RelativeTimeFormat>()
const clocks = new Map<string, Intl.DateTimeFormat>()

const remembered = <T>(memory: Map<string, T>, key: string, make: () => T): T => {
  const known = memory.get(key)
  if (known !== undefined) return known
  const made = make()
  memory.set(key, made)
  return made
}

/** `in 5 minutes`: how long to wait, in whole seconds, rather too long than too short. */
export const waitInWords = (language: string, seconds: number): string => {
  const wait = Math.max(1, Math.ceil(seconds))
  const format = remembered(waits, language, () => new Intl.RelativeTimeFormat(language))
  // Below two of a unit the smaller one says more: 90 minutes, not 2 hours.
  const found = UNITS.find((candidate) => wait >= 2 * candidate.seconds)
  if (found !== undefined) return format.format(Math.ceil(wait / found.seconds), found.unit)
  return wait > 60 ? format.format(2, 'minute') : format.format(wait, 'second')
}

/** `3 hours ago`, or `in 3 hours`; instants in milliseconds since the epoch. */
export const distanceInWords = (language: string, instant: number, now: number): string => {
  const seconds = (instant - now) / 1_000
  const found = UNITS.find((candidate) => Math.abs(seconds) >= candidate.seconds)
  const numeric = found === undefined ? 'auto' : 'always'
  const format = remembered(
    distances,
    `${language} ${numeric}`,
    () => new Intl.RelativeTimeFormat(language, { numeric }),
  )
  return found === undefined
    ? format.format(0, 'second') // "now"
    : format.format(Math.trunc(seconds / found.seconds), found.unit)
}

/** `24 Nov 2026, 15:03 CET`. */
export const clockTime = (language: string, instant: number, timeZone: string): string =>
  remembered(
    clocks,
    `${language} ${timeZone}`,
    () =>
      new Intl.DateTimeFormat(LOCALES[language] ?? language, {
        day: 'numeric',
        month: 'short',
        year: 'numeric',
        hour: '2-digit',
        minute: '2-digit',
        hourCycle: 'h23',
        timeZone,
        timeZoneName: 'short',
      }),
  ).format(instant)

/** An instant, by its distance and by the clock. */
export const instantInWords = (
  language: string,
  instant: number,
  now: number,
  timeZone: string,
): Html =>
  html`<time datetime="${new Date(instant).toISOString()}"
    >${distanceInWords(language, instant, now)}
    <small>(${clockTime(language, instant, timeZone)})</small></time
  >`
