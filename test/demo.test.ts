import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { resolve } from 'node:path'
import { it } from 'node:test'
import { promisify } from 'node:util'
import { tourWith } from '../demo/tour.ts'
import { skipWithoutEnvoy } from './servers/envoy.ts'

it('the demo keeps its promises', { skip: skipWithoutEnvoy() }, async () => {
  // And the visit of a browser.
  const stops = tourWith({ token: '', apiKey: '', issuer: '' }).length + 1
  const demo = resolve(import.meta.dirname, '../demo/demo.ts')
  const { stdout } = await promisify(execFile)(process.execPath, [demo, '--check'])
  assert.equal(stdout.match(/^ok /gm)?.length, stops)
  assert.match(stdout, /All answers are as expected/)
})
