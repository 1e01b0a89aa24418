import { writeFileSync } from 'node:fs'
import { it } from 'node:test'

it('writes the file that another test file waits for', () => {
  writeFileSync(process.env['COUNTERSIGN_TEST_FILE'] ?? '', '')
})
