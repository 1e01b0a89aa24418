// Imports of Node's modules in the bundle, of every form that libraries use.

import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { build } from 'esbuild'
import * as z from 'zod'
import { nodeBuiltins } from '../../scripts/release/node-builtins.ts'
import { temporaryFolder } from '../servers/temporary.ts'

const FORMS = [
  { name: 'an import of a name', text: "import { Agent } from 'http'; export const made = Agent" },
  {
    name: 'an import of all',
    text: "import * as all from 'node:http'; export const made = all.Agent",
  },
  {
    name: 'an import of the default',
    text: "import http from 'node:http'; export const made = http.Agent",
  },
  {
    name: 'a dynamic import',
    text: "const { Agent } = await import('http'); export const made = Agent",
  },
  {
    name: 'the default of a dynamic import',
    text: "export const made = (await import('node:http')).default.Agent",
  },
]

describe('the bundle', () => {
  for (const { name, text } of FORMS) {
    it(`has what Node has by ${name}`, async () => {
      await using folder = await temporaryFolder()
      await writeFile(folder.file('source.mjs'), text)
      await build({
        entryPoints: [folder.file('source.mjs')],
        outdir: folder.file('out'),
        outExtension: { '.js': '.mjs' },
        bundle: true,
        splitting: true,
        format: 'esm',
        platform: 'node',
        plugins: [nodeBuiltins],
      })
      const bundled: unknown = await import(folder.file('out/source.mjs'))
      const { made } = z.object({ made: z.custom<unknown>() }).parse(bundled)
      assert.equal(made, process.getBuiltinModule('node:http').Agent)
    })
  }
})
