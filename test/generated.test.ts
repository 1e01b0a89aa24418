import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { relative, resolve } from 'node:path'
import { describe, it } from 'node:test'
import { generate } from '../scripts/generate.ts'

const root = resolve(import.meta.dirname, '..')

describe('what is generated and committed', async () => {
  for (const { file, contents } of await generate()) {
    it(`${relative(root, file)} is current`, async () => {
      const committed = await readFile(file, 'utf8')
      assert.equal(committed, contents, 'run "npm run generate"')
    })
  }
})
