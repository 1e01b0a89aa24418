// `npm run soak`: the scenario test/e2e/soak for longer than tests have time for; an argument says how
// many minutes.

import { run } from './run.ts'

const minutes = Number(process.argv[2] ?? '10')
if (Number.isFinite(minutes) && minutes >= 1) {
  process.env['COUNTERSIGN_SOAK_MINUTES'] = String(minutes)
  process.exitCode = await run(process.execPath, ['--test', 'test/e2e/soak/soak.test.ts'])
} else {
  console.error(`soak: "${process.argv[2]}" is not a number of minutes from 1 on`)
  process.exitCode = 2
}
