// Bar charts as SVG: nothing but rectangles and text, so that any viewer shows them.

/** A chart of horizontal bars, grouped. */
export interface Chart {
  readonly title: string
  readonly unit: string
  /** The names of the bars of each group, in their order. */
  readonly series: readonly string[]
  readonly groups: readonly {
    readonly name: string
    /** As many as there are series; absent where there is no figure. */
    readonly values: readonly (number | undefined)[]
    /** Drawn in another colour. */
    readonly own: boolean
  }[]
  /** Whether lengths are logarithmic: for figures of several powers of ten. */
  readonly logarithmic: boolean
}

const WIDTH = 860
const LABELS = 210
const FIGURES = 70
const BAR = 14
const GAP = 10
const TOP = 56

const OTHER_COLOURS = ['#7a8ba3', '#a9b6c9', '#cdd6e3']
const OWN_COLOURS = ['#0b6e4f', '#3fa37f', '#9bd1bb']

/** Draws it. */
export const drawChart = (chart: Chart): string => {
  const { groups, series } = chart
  const groupHeight = series.length * BAR + GAP
  const height = TOP + groups.length * groupHeight + GAP
  const length = lengthsOf(chart)
  const bars = groups.flatMap(({ name, values, own }, index) => {
    const top = TOP + index * groupHeight
    const middle = top + (series.length * BAR) / 2 + 4
    return [
      text(LABELS - 8, middle, name, own ? 'end own' : 'end'),
      ...values.flatMap((value, place) => {
        if (value === undefined) return []
        const y = top + place * BAR
        const colour = (own ? OWN_COLOURS : OTHER_COLOURS)[place] ?? '#000'
        return [
          `<rect x="${LABELS}" y="${y}" width="${length(value).toFixed(1)}" height="${BAR - 2}" fill="${colour}"/>`,
          text(LABELS + length(value) + 5, y + BAR - 4, figure(value), ''),
        ]
      }),
    ]
  })
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img">`,
    `<title>${escape(chart.title)}</title>`,
    '<style>text{font:12px sans-serif;fill:#1c2733}.end{text-anchor:end}.own{font-weight:bold}.title{font:bold 15px sans-serif}</style>',
    `<rect width="${WIDTH}" height="${height}" fill="#fff"/>`,
    text(12, 22, chart.title, 'title'),
    text(12, 42, legendOf(chart), ''),
    ...bars,
    '</svg>',
    '',
  ].join('\n')
}

const legendOf = ({ unit, series, logarithmic }: Chart): string =>
  [
    unit,
    ...(series.length > 1 ? [`each from dark to light: ${series.join(', ')}`] : []),
    ...(logarithmic ? ['logarithmic'] : []),
  ].join('; ')

/** The length of the bar of a figure. */
const lengthsOf = ({ groups, logarithmic }: Chart): ((value: number) => number) => {
  const all = groups.flatMap(({ values }) => values.filter((value) => value !== undefined))
  const room = WIDTH - LABELS - FIGURES
  const most = Math.max(...all)
  if (!logarithmic) return (value) => (value / most) * room
  // The smallest bar is still one.
  const least = Math.min(...all) / 2
  return (value) => (Math.log(value / least) / Math.log(most / least)) * room
}

const figure = (value: number): string =>
  value >= 100 ? Math.round(value).toLocaleString('en') : value.toPrecision(2)

const text = (x: number, y: number, content: string, style: string): string =>
  `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" class="${style}">${escape(content)}</text>`

const escape = (content: string): string =>
  content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
