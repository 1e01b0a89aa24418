// docs/tutorials/first-request.md, followed from top to bottom.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { parse } from 'yaml'
import { blocksOf } from '../../docs/examples/blocks.ts'
import { skipWithoutEnvoy } from '../../servers/envoy.ts'
import { until } from '../../fakes/until.ts'
import { follow } from './tutorial.ts'

const PAGE = 'docs/tutorials/first-request.md'

const skip =
  skipWithoutEnvoy() || (spawnSync('python3', ['--version']).status !== 0 && 'no python3')

/** Puts the rule of the page before the one that `init` wrote, and waits until authz has read it. */
const addRule = async (folder: string): Promise<void> => {
  const rules = blocksOf(PAGE).find(({ language }) => language === 'yaml')?.text ?? ''
  const [deny = ''] = /^ +- deny:[^]*?(?=^ +- allow)/m.exec(rules) ?? []
  const indented = deny.replaceAll(/^ {2}/gm, '      ')
  const file = join(folder, 'gateway/countersign.yaml')
  const before = await readFile(file, 'utf8')
  const after = before.replace(/^ +- allow: everyone/m, (allow) => indented + allow)
  assert.notEqual(after, before)
  assert.match(JSON.stringify(parse(after)), /"no-admin"/)
  await writeFile(file, after)
  await until(async () => {
    const audit = await readFile(join(folder, 'gateway/audit.jsonl'), 'utf8')
    return audit.includes('"event":"configuration-loaded","generation":2')
  })
}

describe('the tutorial "First request"', { skip }, () => {
  it('does what it says, with the outputs that it shows', async () => {
    await follow(PAGE, { ports: [3000, 8443], edits: { admin: addRule } })
  })
})
