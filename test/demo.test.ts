import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { resolve } from 'node:path'
import { it } from 'node:test'
import { promisify } from 'node:util'
import { tourWith } from '../demo/tour.ts'
import { blocksTestedBy } from './docs/examples/blocks.ts'
import { commandsIn } from './docs/examples/shell.ts'
import { skipWithoutEnvoy } from './servers/envoy.ts'

it('the demo keeps its promises', { skip: skipWithoutEnvoy() }, async () => {
  // And the visit of a browser.
  const stops = tourWith({ token: '', apiKey: '', issuer: '' }).length + 1
  const demo = resolve(import.meta.dirname, '../demo/demo.ts')
  const [, check = []] = blocksTestedBy('test/demo.test.ts', 'README.md').flatMap(({ text }) =>
    commandsIn(text),
  )
  assert.deepEqual(check.slice(0, 4), ['npm', 'run', 'demo', '--'])
  const { stdout } = await promisify(execFile)(process.execPath, [demo, ...check.slice(4)])
  assert.equal(stdout.match(/^ok /gm)?.length, stops)
  assert.match(stdout, /All answers are as expected/)
})
