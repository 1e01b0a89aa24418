// The results that are kept: a JSON file for each day in bench/results, and one for each day with a run that took long by itself.

import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { machineSchema } from '../machine.ts'
import { toJson, type Results } from '../report.ts'

const BENCH = join(import.meta.dirname, '..')
const FOLDER = join(BENCH, 'results')
const AGING = 'aging-'

/** What was measured, when and on what. */
export interface KeptResults {
  readonly date: string
  readonly machine: z.output<typeof machineSchema>
  readonly results: Results
  /** The run of its own that `results.aging` is of. */
  readonly aging?: Pick<KeptResults, 'date' | 'machine'>
}

const keptSchema = z.looseObject({ date: z.iso.datetime(), machine: machineSchema })

/** Keeps results under the date of today: those of a process that worked for long apart from the rest. */
export const keep = (results: Results): string => {
  mkdirSync(FOLDER, { recursive: true })
  const { size: _, seconds: __, aging, ...others } = results
  const onlyAging = aging !== undefined && Object.values(others).every((part) => part === undefined)
  const date = new Date().toISOString().slice(0, 10)
  const file = `${onlyAging ? AGING : ''}${date}.json`
  writeFileSync(join(FOLDER, file), toJson(results))
  return `bench/results/${file}`
}

/** The latest that were kept. */
export const latest = (): KeptResults => {
  const kept = latestOf('')
  if (kept === undefined) throw new Error('no results are kept: npm run bench -- --save')
  const long = latestOf(AGING)
  if (long?.results.aging === undefined) return kept
  const { date, machine, results } = long
  return { ...kept, results: { ...kept.results, aging: results.aging }, aging: { date, machine } }
}

const latestOf = (prefix: string): KeptResults | undefined => {
  const file = (existsSync(FOLDER) ? readdirSync(FOLDER) : [])
    .filter((name) => name.startsWith(prefix))
    .filter((name) => /^\d{4}-\d\d-\d\d\.json$/.test(name.slice(prefix.length)))
    .toSorted()
    .at(-1)
  if (file === undefined) return undefined
  const { date, machine, ...results } = keptSchema.parse(
    JSON.parse(readFileSync(join(FOLDER, file), 'utf8')),
  )
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what toJson wrote
  return { date, machine, results: results as unknown as Results }
}

/** Writes a file of the report, below bench/. */
export const writeReportFile = (path: string, content: string): void => {
  writeFileSync(join(BENCH, path), content)
}
