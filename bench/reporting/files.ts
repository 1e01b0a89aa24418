// The results that are kept: one JSON file for each day in bench/results.

import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { machineSchema } from '../machine.ts'
import { toJson, type Results } from '../report.ts'

const BENCH = join(import.meta.dirname, '..')
const FOLDER = join(BENCH, 'results')

/** What was measured, when and on what. */
export interface KeptResults {
  readonly date: string
  readonly machine: z.output<typeof machineSchema>
  readonly results: Results
}

const keptSchema = z.looseObject({ date: z.iso.datetime(), machine: machineSchema })

/** Keeps results under the date of today. */
export const keep = (results: Results): string => {
  mkdirSync(FOLDER, { recursive: true })
  const file = `${new Date().toISOString().slice(0, 10)}.json`
  writeFileSync(join(FOLDER, file), toJson(results))
  return `bench/results/${file}`
}

/** The latest that were kept. */
export const latest = (): KeptResults => {
  const file = (existsSync(FOLDER) ? readdirSync(FOLDER) : [])
    .filter((name) => /^\d{4}-\d\d-\d\d\.json$/.test(name))
    .toSorted()
    .at(-1)
  if (file === undefined) throw new Error('no results are kept: npm run bench -- --save')
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
