// A picture of a dashboard from what Prometheus answers: not Grafana, but the same panels with the same queries at the same places.

import type { z } from 'zod'
import type { dashboardSchema, DrawnPanel, DrawnSeries, Range } from './panel.ts'
import { escaped, rectangle, text, type Box } from './svg.ts'
import { drawHeatmap, drawTimeSeries } from './time-series.ts'
import { drawStat, drawTable, drawTimeline } from './values.ts'

const COLUMN = 50
const ROW = 26
const GAP = 6
const TITLE = 22

const STYLE =
  'text{font:11px sans-serif;fill:#24292f}.end{text-anchor:end}.title{font-weight:bold}.row{font:bold 13px sans-serif}.head{font-weight:bold;fill:#57606a}.value{font:22px sans-serif;text-anchor:middle}.grid{stroke:#d0d7de}'

/** Draws it: the series of each panel, by the number of the panel. */
export const drawDashboard = (
  { title, description, panels }: z.infer<typeof dashboardSchema>,
  seriesOf: (panel: DrawnPanel) => readonly DrawnSeries[],
  range: Range,
): string => {
  const bottom = Math.max(...panels.map(({ gridPos: { y, h } }) => y + h))
  const [width, height] = [24 * COLUMN + 2 * GAP, bottom * ROW + 2 * GAP]
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`,
    `<title>${escaped(`${title}: ${description}`)}</title>`,
    `<style>${STYLE}</style>`,
    rectangle({ x: 0, y: 0, width, height }, '#f6f8fa'),
    ...panels.map((panel) => drawPanel(panel, seriesOf(panel), range)),
    '</svg>',
    '',
  ].join('\n')
}

const drawPanel = (panel: DrawnPanel, series: readonly DrawnSeries[], range: Range): string => {
  const { x, y, w, h } = panel.gridPos
  const outer = {
    x: x * COLUMN + GAP + 2,
    y: y * ROW + GAP + 2,
    width: w * COLUMN - 4,
    height: h * ROW - 4,
  }
  if (panel.type === 'row') return text(outer.x, outer.y + 17, panel.title, { kind: 'row' })
  const inner = {
    x: outer.x + 8,
    y: outer.y + TITLE + 6,
    width: outer.width - 16,
    height: outer.height - TITLE - 12,
  }
  return [
    rectangle(outer, '#fff', ' stroke="#d0d7de" rx="3"'),
    text(inner.x, outer.y + 16, panel.title, { kind: 'title', room: inner.width }),
    contentOf(panel, series, inner, range),
  ].join('')
}

const contentOf = (
  panel: DrawnPanel,
  series: readonly DrawnSeries[],
  box: Box,
  range: Range,
): string => {
  switch (panel.type) {
    case 'timeseries':
      return drawTimeSeries(panel, series, box, range)
    case 'heatmap':
      return drawHeatmap(panel, series, box, range)
    case 'stat':
      return drawStat(panel, series, box)
    case 'table':
      return drawTable(panel, series, box)
    case 'state-timeline':
      return drawTimeline(panel, series, box, range)
    case 'text':
      return text(box.x, box.y - 2, (panel.options.content ?? '').replaceAll('**', ''))
    case 'row':
      return ''
  }
}
