// What a start of authz takes until it answers: with the code that Node compiled at an earlier start, and without.

import { writeFile } from 'node:fs/promises'
import { stringify } from 'yaml'
import { configurationOf } from './checks/countersign.ts'
import { issue } from './credentials/tokens.ts'
import { Installation } from './installation.ts'
import { RULES } from './site.ts'
import type { Size } from './size.ts'
import { median } from './statistics.ts'
import { alignColumns } from './table.ts'
import { cpuOf, residentOf } from './usage.ts'

/** Medians of several starts: milliseconds and bytes. */
export interface StartCost {
  readonly name: string
  /** Until it is ready. */
  readonly wall: number
  readonly cpu: number
  readonly resident: number
}

const KINDS: readonly { readonly name: string; readonly environment: NodeJS.ProcessEnv }[] = [
  { name: 'first start', environment: { NODE_DISABLE_COMPILE_CACHE: '1' } },
  { name: 'later starts', environment: {} },
]

/** Measures both, in turns. */
export const measureStarts = async (
  { starts }: Size,
  progress: (text: string) => void,
): Promise<readonly StartCost[]> => {
  await using installation = await Installation.open()
  const { authenticator } = await issue(installation, 'ES256', [])
  const config = installation.file('start.yaml')
  const document = configurationOf(0, { audit: installation.file('start.jsonl'), rules: RULES })
  await writeFile(
    config,
    stringify({ ...document, authenticators: { tokens: authenticator('1h') } }),
  )
  const once = async (environment: NodeJS.ProcessEnv): Promise<Omit<StartCost, 'name'>> => {
    const began = performance.now()
    await using service = await installation.service({ command: 'authz', config, environment })
    const wall = performance.now() - began
    return { wall, cpu: cpuOf(service.pid) / 1_000, resident: residentOf(service.pid) }
  }
  await once({}) // keeps its compiled code
  const measured = KINDS.map((kind) => ({ ...kind, starts: [] as Omit<StartCost, 'name'>[] }))
  for (let start = 0; start < starts; start++) {
    progress(`start ${start + 1} of ${starts}`)
    for (const kind of measured) kind.starts.push(await once(kind.environment))
  }
  return measured.map(({ name, starts: all }) => ({
    name,
    wall: median(all.map(({ wall }) => wall)),
    cpu: median(all.map(({ cpu }) => cpu)),
    resident: median(all.map(({ resident }) => resident)),
  }))
}

/** Their table. */
export const startTable = (costs: readonly StartCost[]): string =>
  [
    'Starts of authz, until it answers',
    '',
    alignColumns([
      ['', 'ms', 'CPU ms', 'RSS MB'],
      ...costs.map(({ name, wall, cpu, resident }) => [
        name,
        wall.toFixed(0),
        cpu.toFixed(0),
        (resident / 1e6).toFixed(0),
      ]),
    ]),
  ].join('\n')
