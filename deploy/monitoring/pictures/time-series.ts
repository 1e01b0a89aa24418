// Lines, stacked areas and distributions over time.

import { lastOf, mostOf, type DrawnPanel, type DrawnSeries, type Range } from './panel.ts'
import { COLOURS, PALETTE, path, rectangle, text, type Box } from './svg.ts'
import { inUnit } from './units.ts'

const AXIS = 60
const LEGEND_LINE = 14
const MOST_SERIES = 8
const LINES_OF_LEGEND = 4

/** A panel of lines or of stacked areas, with its legend. */
export const drawTimeSeries = (
  panel: DrawnPanel,
  series: readonly DrawnSeries[],
  box: Box,
  range: Range,
): string => {
  const { unit, custom, max, thresholds } = panel.fieldConfig.defaults
  // The largest, as a legend that is sorted by its maximum shows them.
  const shown = series.toSorted((one, other) => mostOf(other) - mostOf(one)).slice(0, MOST_SERIES)
  const lines = Math.min(shown.length, LINES_OF_LEGEND)
  const plot = {
    x: box.x + AXIS,
    y: box.y,
    width: box.width - AXIS,
    height: box.height - lines * LEGEND_LINE - 18,
  }
  const stacked = custom.stacking?.mode === 'normal'
  const heights = stacked ? stackOf(shown, range) : shown.map((one) => regular(one, range))
  const finite = heights.flat().filter((value) => Number.isFinite(value))
  const most = max ?? (Math.max(...finite, 0) * 1.05 || 1)
  const isLogarithmic = custom.scaleDistribution?.type === 'log'
  const least = isLogarithmic ? Math.min(...finite.filter((value) => value > 0), most / 10) : 0
  const share = (value: number): number =>
    isLogarithmic
      ? Math.max(0, Math.log(value / least) / Math.log(most / least))
      : (value - least) / (most - least)
  const y = (value: number): number => plot.y + plot.height * (1 - Math.min(1, share(value)))
  const x = (index: number, count: number): number =>
    plot.x + (plot.width * index) / Math.max(1, count - 1)
  const drawn = heights.map((values, index) => {
    const colour = PALETTE[index % PALETTE.length] ?? '#000'
    const points = values.map((value, place) =>
      Number.isFinite(value) ? ([x(place, values.length), y(value)] as const) : undefined,
    )
    const fill = stacked ? ` fill="${colour}" fill-opacity=".35"` : ' fill="none"'
    const closed = stacked ? closedAt(points, plot.y + plot.height) : points
    return path(closed, `stroke="${colour}"${fill}`)
  })
  const dashed = custom.thresholdsStyle?.mode === 'dashed' ? thresholds.steps : []
  const marks = dashed.flatMap(({ value, color }) =>
    value === null || value > most
      ? []
      : [
          path(
            [
              [plot.x, y(value)],
              [plot.x + plot.width, y(value)],
            ],
            `stroke="${COLOURS[color]}" stroke-dasharray="4 3"`,
          ),
        ],
  )
  return [
    ...axis(plot, [least, most], (value) => y(value), unit),
    ...marks,
    ...(stacked ? drawn.toReversed() : drawn),
    ...legend(shown, { ...box, y: plot.y + plot.height + 20 }, unit),
  ].join('')
}

/** Values at each step of the range; NaN where there is none. */
const regular = ({ values }: DrawnSeries, { start, end, step }: Range): readonly number[] => {
  const known = new Map(values.map(([time, value]) => [Math.round((time - start) / step), value]))
  const count = Math.floor((end - start) / step) + 1
  return Array.from({ length: count }, (_none, index) => known.get(index) ?? Number.NaN)
}

/** Each on top of those before it. */
const stackOf = (series: readonly DrawnSeries[], range: Range): readonly (readonly number[])[] => {
  let below: readonly number[] = []
  return series.map((one) => {
    const values = regular(one, range)
    const had = below
    below = values.map((value, index) => {
      const under = had[index] ?? 0
      if (Number.isFinite(value)) return value + (Number.isFinite(under) ? under : 0)
      return under === 0 ? Number.NaN : under
    })
    return below
  })
}

const closedAt = (
  points: readonly (readonly [number, number] | undefined)[],
  bottom: number,
): readonly (readonly [number, number])[] => {
  const there = points.filter((point) => point !== undefined)
  const [first, last] = [there[0], there.at(-1)]
  return first === undefined || last === undefined
    ? []
    : [[first[0], bottom], ...there, [last[0], bottom]]
}

const axis = (
  plot: Box,
  [least, most]: readonly [number, number],
  y: (value: number) => number,
  unit: string,
): readonly string[] => {
  const values = [least, most]
  const line = (value: number): string =>
    path(
      [
        [plot.x, y(value)],
        [plot.x + plot.width, y(value)],
      ],
      'class="grid"',
    )
  return [
    ...values.map(line),
    ...values.map((value, index) =>
      text(plot.x - 4, y(value) + (index === 0 ? 2 : 8), inUnit(value, unit), { kind: 'end' }),
    ),
  ]
}

const legend = (series: readonly DrawnSeries[], box: Box, unit: string): readonly string[] =>
  series.slice(0, LINES_OF_LEGEND).flatMap((one, index) => {
    const y = box.y + index * LEGEND_LINE
    return [
      rectangle({ x: box.x + 4, y: y - 5, width: 10, height: 3 }, PALETTE[index] ?? '#000'),
      text(box.x + 18, y, one.name, { room: box.width - 90 }),
      text(box.x + box.width, y, inUnit(lastOf(one), unit), { kind: 'end' }),
    ]
  })

/** How many observations there were in which bucket, over time. */
export const drawHeatmap = (
  panel: DrawnPanel,
  series: readonly DrawnSeries[],
  box: Box,
  range: Range,
): string => {
  const unit = panel.options.yAxis?.unit ?? 'none'
  const bounds = series
    .map((one) => ({
      bound: Number(one.labels['le']?.replace('+Inf', 'Infinity')),
      values: regular(one, range),
    }))
    .toSorted((one, other) => one.bound - other.bound)
  // Buckets are cumulative.
  const rows = bounds.map(({ bound, values }, index) => ({
    bound,
    values: values.map((value, place) =>
      Math.max(0, value - (bounds[index - 1]?.values[place] ?? 0)),
    ),
  }))
  const used = rows.filter(({ values }) => values.some((value) => value > 0))
  const most = Math.max(
    ...used.flatMap(({ values }) => values.filter((value) => Number.isFinite(value))),
    1e-9,
  )
  const height = (box.height - 8) / Math.max(1, used.length)
  return used
    .flatMap(({ bound, values }, index) => {
      const y = box.y + box.height - 8 - (index + 1) * height
      const width = (box.width - AXIS) / values.length
      return [
        text(
          box.x + AXIS - 4,
          y + height / 2 + 4,
          bound === Infinity ? 'more' : `≤ ${inUnit(bound, unit)}`,
          { kind: 'end' },
        ),
        ...values.flatMap((value, place) =>
          value > 0
            ? [
                rectangle(
                  {
                    x: box.x + AXIS + place * width,
                    y: y + 1,
                    width: width + 1,
                    height: height - 1,
                  },
                  shadeOf(Math.sqrt(value / most)),
                ),
              ]
            : [],
        ),
      ]
    })
    .join('')
}

// From light to dark orange, in few steps so that the picture stays small.
const SHADES = ['#fee6ce', '#fdd0a2', '#fdae6b', '#fd8d3c', '#e6550d', '#a63603'] as const

const shadeOf = (share: number): string =>
  SHADES[Math.min(SHADES.length - 1, Math.floor(share * SHADES.length))] ?? SHADES[0]
