// `countersign test`: the examples and tests that a configuration carries, without a network.

import { Command } from 'commander'
import { tryExamples } from '../../configuration/problems/identity-examples.ts'
import { buildOffline } from '../../tools/offline.ts'
import { coverageOf } from '../../tools/policy-tests/coverage.ts'
import { runPolicyTests, type PolicyTestResult } from '../../tools/policy-tests/run.ts'
import { warningsOf } from '../../configuration/warnings.ts'
import { ConfigurationFiles } from '../../config/files.ts'
import { readConfig } from '../../configuration/parse.ts'
import type { CommandContext } from '../context.ts'
import { configOption } from '../options.ts'
import { reportFailure } from '../report.ts'
import { asJson } from './json.ts'
import { hasFailed, untouchedIn, type TestReport } from './report.ts'
import { asText } from './text.ts'

interface Options {
  readonly config: string
  readonly json?: boolean
  readonly strict?: boolean
}

const FAILED = 1
const UNUSABLE = 2

/** The command. */
export const testCommand = (context: CommandContext): Command =>
  new Command('test')
    .description(
      'run the examples of each `identity` of a configuration through its mapping, and the `tests` through its rules, as the service does, without a network. Reports rules that no test covers, and warns about valid settings that are probably mistakes.',
    )
    .addOption(configOption())
    .option('--strict', 'fail when there are warnings, or rules that no test touches')
    .option('--json', 'print the results as JSON: {"examples", "tests", "untouched", "warnings"}')
    .action(async (options: Options) => {
      try {
        context.process.exitCode = await run(context, options)
      } catch (cause) {
        reportFailure(context, cause)
        context.process.exitCode = UNUSABLE
      }
    })

const run = async (
  { process }: CommandContext,
  { config: file, json, strict = false }: Options,
): Promise<number> => {
  const files = new ConfigurationFiles()
  const { config, locate } = await readConfig(file, files)
  const examples = await tryExamples(config, files)
  // Examples need none of the files that a whole configuration names.
  const tests = config.tests.length === 0 ? [] : await runTests(file, files)
  const rules = coverageOf(config.routes, tests)
  const warnings = warningsOf(config, locate)
  const report: TestReport = { file, locate, examples, tests, rules, warnings, strict }
  process.stdout.write(json === true ? asJson(report) : asText(report))
  const failed = [...examples, ...tests].some(hasFailed)
  const incomplete = untouchedIn(report).length > 0 || warnings.length > 0
  return failed || (strict && incomplete) ? FAILED : 0
}

const runTests = async (
  file: string,
  files: ConfigurationFiles,
): Promise<readonly PolicyTestResult[]> => {
  await using snapshot = await buildOffline(file, files)
  return await runPolicyTests(snapshot)
}
