import { existsSync } from 'node:fs'
import { it } from 'node:test'
import { until } from '../../fakes/until.ts'

it('waits for a file that another test file writes', async () => {
  await until(() => existsSync(process.env['COUNTERSIGN_TEST_FILE'] ?? ''))
})
