// `npm run test:unit`: every test file that needs no real server and is not marked as slow, or those named.
// `-- --slow` runs the slow ones too; `-- --apart` runs each in a process of its own, to compare.

import { parseArgs } from 'node:util'
import { findTestFiles } from './tests/files.ts'
import { runTestFiles } from './tests/run.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    apart: { type: 'boolean', default: false },
    slow: { type: 'boolean', default: false },
  },
})
const files = findTestFiles().filter(
  ({ path, server, slow }) =>
    !server && (positionals.length === 0 ? values.slow || !slow : positionals.includes(path)),
)
const chosen = values.apart ? files.map((file) => ({ ...file, shared: false })) : files
process.exitCode = (await runTestFiles(chosen)) ? 0 : 1
