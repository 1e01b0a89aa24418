// The parser of OpenMetrics in the Python client of Prometheus, as `scripts/openmetrics-parser.sh` has installed it.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import { z } from 'zod'

const ROOT = resolve(import.meta.dirname, '../..')
const CACHE = process.env['COUNTERSIGN_CACHE'] ?? join(ROOT, '.cache')
const FOLDER = join(CACHE, 'openmetrics-parser', '0.26.0')

/**
 * For `skip` of node:test: the reason to skip tests that need the parser, or `false` where there is one. Throws where
 * `CI` is `true`: there it is a fault that it is missing.
 */
export const skipWithoutOpenMetricsParser = (): string | false => {
  if (existsSync(FOLDER)) return false
  const missing = `no ${FOLDER}: "sh scripts/openmetrics-parser.sh" installs it`
  if (process.env['CI'] === 'true') throw new Error(missing)
  return missing
}

// The parser is a generator: it has read everything when the list is there.
const PROGRAM = `
import json, sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families
families = list(text_string_to_metric_families(sys.stdin.read()))
print(json.dumps([
  {
    "name": family.name,
    "type": family.type,
    "unit": family.unit,
    "exemplars": [sample.exemplar.labels for sample in family.samples if sample.exemplar],
  }
  for family in families
]))
`

const families = z.array(
  z.object({
    name: z.string(),
    type: z.string(),
    unit: z.string(),
    exemplars: z.array(z.record(z.string(), z.string())),
  }),
)

/** What the parser reads; rejects with what it objects to. */
export const parseOpenMetrics = async (page: string): Promise<z.output<typeof families>> => {
  const child = spawn('python3', ['-c', PROGRAM], {
    env: { PATH: process.env['PATH'], PYTHONPATH: FOLDER },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  const closed = once(child, 'close')
  child.stdin.end(page)
  const [output, complaint] = await Promise.all([text(child.stdout), text(child.stderr)])
  await closed
  if (child.exitCode !== 0) throw new Error(complaint)
  return families.parse(JSON.parse(output))
}
