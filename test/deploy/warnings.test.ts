// Configurations that are handed out as examples: none of them has what `countersign validate` warns about.

import assert from 'node:assert/strict'
import { globSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { basename, resolve } from 'node:path'
import { describe, it } from 'node:test'
import { parse, stringify } from 'yaml'
import { z } from 'zod'
import { configuration } from '../../demo/configuration.ts'
import { warningsOf } from '../../src/configuration/warnings.ts'
import { parseConfig } from '../../src/configuration/parse.ts'
import { formatWarning } from '../../src/config/problem.ts'
import { createPki } from '../servers/pki.ts'

const ROOT = resolve(import.meta.dirname, '../..')

const warningsIn = (file: string, text: string): readonly string[] => {
  const result = parseConfig(file, text)
  assert.ok(result.ok, JSON.stringify(result))
  return warningsOf(result.config, result.locate).map(formatWarning)
}

const valuesSchema = z.looseObject({ config: z.looseObject({}) })

/** What the values of the chart leave to it. */
const LISTEN = { authz: 'unix:authz.sock', issuer: 'unix:issuer.sock' }

describe('no warning is printed', () => {
  const files = globSync(
    [
      'deploy/recipes/*.countersign.yaml',
      'deploy/compose/countersign.yaml',
      'envoy/*.countersign.yaml',
    ],
    { cwd: ROOT },
  )
  assert.ok(files.length >= 12, files.join())
  for (const file of files) {
    it(`is printed about ${file}`, async () => {
      const path = resolve(ROOT, file)
      assert.deepEqual(warningsIn(path, await readFile(path, 'utf8')), [])
    })
  }

  const examples = globSync('deploy/kubernetes/examples/*.values.yaml', { cwd: ROOT })
  assert.ok(examples.length >= 4, examples.join())
  for (const file of examples) {
    it(`about the configuration in ${basename(file)}`, async () => {
      const path = resolve(ROOT, file)
      const { config } = valuesSchema.parse(parse(await readFile(path, 'utf8')))
      const { issuer, envoy: _, ...rest } = config // the chart completes `envoy`
      const listen = issuer === undefined ? { authz: LISTEN.authz } : LISTEN
      const certificateGrants = { keyring: 'file:grant.keys' }
      assert.deepEqual(
        warningsIn(path, stringify({ version: 1, listen, certificateGrants, issuer, ...rest })),
        [],
      )
    })
  }

  it('about the demo', async () => {
    await using pki = await createPki()
    const parts = { pki, upstreams: { api: 1, ledger: 2 }, port: 3 }
    assert.deepEqual(warningsIn('/demo/countersign.yaml', configuration(parts)), [])
  })
})
