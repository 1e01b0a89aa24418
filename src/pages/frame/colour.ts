// Colours and how well they can be read on each other (WCAG 2.2 §1.4.3 and §1.4.11), so that no
// configured colour makes a page unreadable.

/** `#rrggbb` in lower case. */
export type Colour = `#${string}`

/** What a page is painted in, apart from the accent. */
export interface Palette {
  readonly page: Colour
  readonly card: Colour
  readonly text: Colour
  /** Of texts that matter less. */
  readonly quiet: Colour
  /** Of the edges of fields. */
  readonly line: Colour
  /** Of what separates, and need not be seen. */
  readonly faint: Colour
  readonly bad: Colour
  readonly badBack: Colour
}

/** By `prefers-color-scheme`. */
export const PALETTES = {
  light: {
    page: '#f2f4f7',
    card: '#ffffff',
    text: '#191c20',
    quiet: '#535a63',
    line: '#7c848e',
    faint: '#d9dde2',
    bad: '#a8201a',
    badBack: '#fdeeec',
  },
  dark: {
    page: '#111418',
    card: '#1b1f25',
    text: '#e9ecf0',
    quiet: '#a8b0ba',
    line: '#7d8792',
    faint: '#343b44',
    bad: '#ffb0a8',
    badBack: '#3a1d1b',
  },
} as const satisfies Readonly<Record<string, Palette>>

/** `light` or `dark`. */
export type Scheme = keyof typeof PALETTES

/** For text: WCAG 2.2 §1.4.3, AA. */
export const READABLE = 4.5

/** The accent, as it is used in one scheme. */
export interface Accent {
  /** Of buttons. */
  readonly fill: Colour
  /** Of the text on them: black or white. */
  readonly onFill: Colour
  /** Of links, the edges of buttons, and what shows the focus. */
  readonly ink: Colour
}

const channels = (colour: Colour): readonly number[] =>
  [1, 3, 5].map((start) => Number.parseInt(colour.slice(start, start + 2), 16))

/** WCAG 2.2, "relative luminance". */
const luminance = (colour: Colour): number => {
  const [red = 0, green = 0, blue = 0] = channels(colour).map((channel) => {
    const value = channel / 255
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}

/** WCAG 2.2, "contrast ratio": 1 to 21. */
export const contrast = (one: Colour, other: Colour): number => {
  const [low = 0, high = 0] = [luminance(one), luminance(other)].toSorted((a, b) => a - b)
  return (high + 0.05) / (low + 0.05)
}

const mixed = (colour: Colour, other: Colour, share: number): Colour => {
  const others = channels(other)
  const hex = channels(colour).map((channel, index) =>
    Math.round(channel + ((others[index] ?? 0) - channel) * share)
      .toString(16)
      .padStart(2, '0'),
  )
  return `#${hex.join('')}`
}

const worstContrast = (colour: Colour, scheme: Scheme): number => {
  const { page, card } = PALETTES[scheme]
  return Math.min(contrast(colour, page), contrast(colour, card))
}

/** Whether a text of that colour can be read in that scheme. */
export const isReadable = (colour: Colour, scheme: Scheme): boolean =>
  worstContrast(colour, scheme) >= READABLE

const STEPS = 50

/** The colour itself where it can be read, or the nearest that can, on the way to black or white. */
export const readableIn = (colour: Colour, scheme: Scheme): Colour => {
  const end = scheme === 'light' ? '#000000' : '#ffffff'
  for (let step = 0; step < STEPS; step += 1) {
    const candidate = mixed(colour, end, step / STEPS)
    if (isReadable(candidate, scheme)) return candidate
  }
  return end
}

/** What is wrong with a colour as an accent of that scheme, and what would do; `undefined` if nothing. */
export const accentProblem = (colour: Colour, scheme: Scheme): string | undefined => {
  if (isReadable(colour, scheme)) return undefined
  const ratio = worstContrast(colour, scheme).toFixed(1)
  return `${colour} has a contrast of ${ratio}:1 in the ${scheme} scheme, and links need ${READABLE}:1 (WCAG 2.2 §1.4.3); ${readableIn(colour, scheme)} would do, and one colour for both schemes is adjusted`
}

/** The accent in one scheme. Black or white can be read on any colour, at 4.5:1 or better. */
export const accentIn = (colour: Colour, scheme: Scheme): Accent => ({
  fill: colour,
  onFill: contrast(colour, '#ffffff') >= contrast(colour, '#000000') ? '#ffffff' : '#000000',
  ink: readableIn(colour, scheme),
})
