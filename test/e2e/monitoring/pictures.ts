// The pictures of docs/operate/dashboards.md, of the run of the test.

import { writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import {
  dashboardSchema,
  nameOf,
  type DrawnPanel,
  type DrawnSeries,
  type Range,
} from '../../../deploy/monitoring/pictures/panel.ts'
import { drawDashboard } from '../../../deploy/monitoring/pictures/picture.ts'
import type { Prometheus } from '../../servers/prometheus.ts'
import { seriesOf, type ReadDashboard } from './queries.ts'

const PICTURES = resolve(import.meta.dirname, '../../../docs/operate/images')

/** Whether `npm run docs:images` runs the test, to write them. */
export const isWriting = process.env['COUNTERSIGN_TUTORIAL_IMAGES'] === 'write'

/**
 * Draws a dashboard, from what its queries yield.
 *
 * @param names texts in place of addresses and folders of this machine
 */
export const pictureOf = async (
  prometheus: Prometheus,
  dashboard: ReadDashboard,
  range: Range,
  names: Readonly<Record<string, string>>,
): Promise<string> => {
  const named = (value: string): string =>
    Object.entries(names).reduce((text, [from, to]) => text.replaceAll(from, to), value)
  const parsed = dashboardSchema.parse(dashboard)
  const series = new Map<DrawnPanel, readonly DrawnSeries[]>()
  for (const panel of parsed.panels) {
    const queries = panel.targets.map(async ({ expr, legendFormat }) =>
      (await seriesOf(prometheus, expr, range)).map(({ labels: found, values }) => {
        const labels = Object.fromEntries(
          Object.entries(found).map(([label, value]) => [label, named(value)]),
        )
        return { name: nameOf(legendFormat, labels), labels, values }
      }),
    )
    series.set(panel, (await Promise.all(queries)).flat())
  }
  return drawDashboard(parsed, (panel) => series.get(panel) ?? [], range)
}

/** Writes one. */
export const writePicture = async ({ uid }: ReadDashboard, picture: string): Promise<void> =>
  await writeFile(join(PICTURES, `${uid}.svg`), picture)
