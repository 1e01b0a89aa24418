// Single values, tables, and states over time.

import { colourOf, lastOf, type DrawnPanel, type DrawnSeries, type Range } from './panel.ts'
import { COLOURS, path, rectangle, text, type Box } from './svg.ts'
import { inUnit } from './units.ts'

const ROW = 18

const wordOf = (panel: DrawnPanel, value: number) =>
  panel.fieldConfig.defaults.mappings[0]?.options[String(value)]

/** The last value, with its course. */
export const drawStat = (panel: DrawnPanel, series: readonly DrawnSeries[], box: Box): string => {
  const [one] = series
  const value = one === undefined ? Number.NaN : lastOf(one)
  const word = wordOf(panel, value)
  const colour = COLOURS[word?.color ?? colourOf(panel, value)] ?? '#56a64b'
  const values = (one?.values ?? []).map(([, number]) => number)
  const most = Math.max(...values.filter((number) => Number.isFinite(number)), 1e-9)
  const course = values.map((number, index) =>
    Number.isFinite(number)
      ? ([
          box.x + (box.width * index) / Math.max(1, values.length - 1),
          box.y + box.height - (number / most) * (box.height * 0.35),
        ] as const)
      : undefined,
  )
  return [
    rectangle({ ...box, x: box.x - 4, width: 4, height: box.height }, colour),
    word === undefined ? path(course, `stroke="${colour}" stroke-opacity=".5" fill="none"`) : '',
    text(
      box.x + box.width / 2,
      box.y + box.height / 2,
      word?.text ?? inUnit(value, panel.fieldConfig.defaults.unit),
      {
        kind: 'value',
      },
    ),
  ].join('')
}

/** The rows of now. */
export const drawTable = (panel: DrawnPanel, series: readonly DrawnSeries[], box: Box): string => {
  const columns = Object.entries(panel.transformations[0]?.options.renameByName ?? {})
  const { unit, thresholds } = panel.fieldConfig.defaults
  const most = Math.floor(box.height / ROW) - 1
  const rows = series
    .filter((one) => Number.isFinite(lastOf(one)))
    .toSorted((one, other) => lastOf(other) - lastOf(one))
  const isAscending = thresholds.steps[1]?.color === 'red' && thresholds.steps.length === 4
  const shown = (isAscending ? rows.toReversed() : rows).slice(0, most)
  const width = box.width / Math.max(1, columns.length)
  const cell = (column: string, one: DrawnSeries): string =>
    column === 'Value' ? inUnit(lastOf(one), unit) : (one.labels[column] ?? '')
  return [
    ...columns.map(([, title], index) =>
      text(box.x + index * width, box.y + 12, title, { kind: 'head', room: width }),
    ),
    ...shown.flatMap((one, row) => {
      const y = box.y + (row + 1) * ROW
      return columns.flatMap(([column], index) => [
        column === 'Value' && thresholds.steps.length > 1
          ? rectangle(
              { x: box.x + index * width - 3, y, width, height: ROW - 1 },
              COLOURS[colourOf(panel, lastOf(one))] ?? 'none',
              ' fill-opacity=".5"',
            )
          : '',
        text(box.x + index * width, y + 13, cell(column, one), { room: width - 4 }),
      ])
    }),
  ].join('')
}

/** States over time, a line for each series. */
export const drawTimeline = (
  panel: DrawnPanel,
  series: readonly DrawnSeries[],
  box: Box,
  range: Range,
): string => {
  const names = Math.min(260, box.width / 2)
  const height = Math.min(26, (box.height - 8) / Math.max(1, series.length))
  const x = (time: number): number =>
    box.x + names + ((box.width - names) * (time - range.start)) / (range.end - range.start)
  return series
    .flatMap((one, index) => {
      const y = box.y + index * height
      return [
        text(box.x + names - 6, y + height / 2 + 4, one.name, { kind: 'end', room: names }),
        ...stretchesOf(one, range).map(({ from, to, value }) =>
          rectangle(
            { x: x(from), y: y + 2, width: x(to) - x(from), height: height - 4 },
            COLOURS[wordOf(panel, value)?.color ?? 'green'] ?? '#56a64b',
            ' fill-opacity=".7"',
          ),
        ),
      ]
    })
    .join('')
}

/** Times in which a value stays the same. */
const stretchesOf = ({ values }: DrawnSeries, { step }: Range) => {
  const stretches: { from: number; to: number; value: number }[] = []
  for (const [time, value] of values) {
    const last = stretches.at(-1)
    if (last?.value === value && time - last.to < step * 1.5) last.to = time
    else stretches.push({ from: time, to: time + step, value })
  }
  return stretches
}
