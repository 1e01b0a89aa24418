// `countersign test`: the examples that a configuration carries, put to the test without a network.

import { Command } from 'commander'
import {
  tryExamples,
  type Difference,
  type ExampleResult,
} from '../check/authenticators/examples.ts'
import type { Locate } from '../config/document.ts'
import { ConfigurationFiles } from '../config/files.ts'
import { readConfig } from '../config/parse.ts'
import { configOption } from './options.ts'
import { reportFailure } from './report.ts'

interface Options {
  readonly config: string
  readonly json?: boolean
}

const FAILED = 1
const UNUSABLE = 2

/** The command. */
export const testCommand = (): Command =>
  new Command('test')
    .description(
      'put the examples beside each `identity` of a configuration through the mapping that the service would use; reaches no network. Exits with 1 when one fails, with 2 when the configuration cannot be used',
    )
    .addOption(configOption())
    .option('--json', 'print the results as a JSON array')
    .action(async (options: Options) => {
      try {
        process.exitCode = await run(options)
      } catch (cause) {
        reportFailure(cause)
        process.exitCode = UNUSABLE
      }
    })

const run = async ({ config: file, json }: Options): Promise<number> => {
  const files = new ConfigurationFiles()
  const { config, locate } = await readConfig(file, files)
  const results = (await tryExamples(config, files)).map((result) => placed(result, locate))
  process.stdout.write(json === true ? asJson(results) : asText(file, results))
  return results.some(hasFailed) ? FAILED : 0
}

/** A result, and where its example stands. */
interface PlacedResult extends ExampleResult {
  readonly line: number
  readonly column: number
}

const placed = (result: ExampleResult, locate: Locate): PlacedResult => {
  const path = ['authenticators', result.authenticator, 'identity', 'examples', result.index]
  const { line = 0, column = 0 } = locate(path, '').position ?? {}
  return { ...result, line, column }
}

const hasFailed = ({ differences }: ExampleResult): boolean => differences.length > 0

const asJson = (results: readonly PlacedResult[]): string => {
  const rows = results.map(({ authenticator, index, name, line, column, got, differences }) => ({
    kind: 'identity',
    authenticator,
    index,
    name,
    line,
    column,
    ok: differences.length === 0,
    got,
    differences,
  }))
  return `${JSON.stringify(rows, undefined, 2)}\n`
}

const asText = (file: string, results: readonly PlacedResult[]): string => {
  const lines = results.flatMap((result) => {
    const { authenticator, index, name = `example ${index + 1}`, line, column } = result
    const title = `${authenticator}: ${name}`
    if (!hasFailed(result)) return [`ok      ${title}`]
    return [
      `FAILED  ${title} (${file}:${line}:${column})`,
      ...result.differences.flatMap(explain),
      ...(result.got.outcome === 'refused' ? [`    because  ${result.got.detail}`] : []),
    ]
  })
  const failed = results.filter(hasFailed).length
  const summary =
    results.length === 0
      ? 'there is nothing to test: no "identity" has "examples"'
      : `${results.length} ${results.length === 1 ? 'example' : 'examples'}, ${failed} failed`
  return `${[...lines, `${file}: ${summary}`].map(printable).join('\n')}\n`
}

const explain = ({ what, wanted, got }: Difference): readonly string[] => {
  if (what !== 'groups') return line(what, wanted, got)
  const [here, there] = [listOf(wanted), listOf(got)]
  const missing = here.filter((one) => !there.includes(one))
  const extra = there.filter((one) => !here.includes(one))
  // Of 200 groups, the three that differ.
  if (missing.length + extra.length === 0) return line('groups, in order', wanted, got)
  return [
    ...missing.map((one) => `    groups  - wanted  ${JSON.stringify(one)}`),
    ...extra.map((one) => `    groups  + got     ${JSON.stringify(one)}`),
  ]
}

const line = (what: string, wanted: unknown, got: unknown): readonly string[] => [
  `    ${what}  - wanted  ${shown(wanted)}`,
  `    ${what}  + got     ${shown(got)}`,
]

const shown = (value: unknown): string => (value === undefined ? 'none' : JSON.stringify(value))

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])

// What a configuration says is printed on a terminal.
const printable = (text: string): string => text.replaceAll(/\p{Cc}/gu, '?')
