// The parts of SVG that the pictures use: whole pixels, so that a picture of a whole dashboard stays small.

/** A rectangle on the picture, in pixels. */
export interface Box {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

/** The colours of series, in the order of Grafana’s classic palette. */
export const PALETTE = [
  '#7eb26d',
  '#eab839',
  '#6ed0e0',
  '#ef843c',
  '#e24d42',
  '#1f78c1',
  '#ba43a9',
  '#705da0',
  '#508642',
  '#cca300',
] as const

/** The colours of thresholds and states. */
export const COLOURS: Readonly<Record<string, string>> = {
  green: '#56a64b',
  yellow: '#f2cc0c',
  orange: '#ff780a',
  red: '#e02f44',
}

/** A text, cut where it is longer than there is room. */
export const text = (
  x: number,
  y: number,
  content: string,
  { kind = '', room = 1_000 }: { readonly kind?: string; readonly room?: number } = {},
): string => {
  const most = Math.max(3, Math.floor(room / WIDTH_OF_CHARACTER))
  const shown = content.length > most ? `${content.slice(0, most - 1)}…` : content
  const style = kind === '' ? '' : ` class="${kind}"`
  return `<text x="${Math.round(x)}" y="${Math.round(y)}"${style}>${escaped(shown)}</text>`
}

// Of 11 pixels, about.
const WIDTH_OF_CHARACTER = 6.2

/** A filled rectangle. */
export const rectangle = ({ x, y, width, height }: Box, fill: string, more = ''): string =>
  `<rect x="${Math.round(x)}" y="${Math.round(y)}" width="${Math.round(width)}" height="${Math.round(height)}" fill="${fill}"${more}/>`

/** Points joined by lines; a gap where there is no value. */
export const path = (
  points: readonly (readonly [x: number, y: number] | undefined)[],
  attributes: string,
): string => {
  let drawn = ''
  let last: readonly [number, number] | undefined
  for (const point of points) {
    if (point === undefined) {
      last = undefined
      continue
    }
    const [x, y] = [Math.round(point[0]), Math.round(point[1])] as const
    drawn += last === undefined ? `M${x} ${y}l` : `${signed(x - last[0])}${signed(y - last[1])}`
    last = [x, y]
  }
  return drawn === '' ? '' : `<path d="${drawn}" ${attributes}/>`
}

/** A number of a path: its sign separates it from the one before. */
const signed = (value: number): string => (value < 0 ? String(value) : ` ${value}`)

/** Content of an element. */
export const escaped = (content: string): string =>
  content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
