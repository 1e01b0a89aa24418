// Slow: it starts the command for each line of the examples.
//
// Executes the shell examples that say `run`, a folder for each page, in their order. Blocks with `file=NAME` are files of that
// folder, which also has the files that base.countersign.yaml names.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { describe, it } from 'node:test'
import { ROOT } from '../markdown.ts'
import { blocksOf, PAGES, placeOf, type Block } from './blocks.ts'
import { isAsWritten, stepsOf } from './console.ts'
import { makeExampleFiles } from './example-files.ts'
import { wholeText } from './yaml.ts'

const isRun = ({ attributes }: Block): boolean => attributes.has('run')
const fileOf = ({ attributes }: Block): string | undefined => attributes.get('file')

// A refusal is what `explain` shows, with status 1; of everything else it is a failure.
const COMMAND = `#!/bin/sh
"${process.execPath}" "${join(ROOT, 'src/countersign.ts')}" "$@" || {
  status=$?
  [ "$1" = explain ] && [ $status = 1 ] || exit $status
}
`

/** A folder with the command and the files of a page; it is removed at the end. */
const openFolder = async (page: readonly Block[]) => {
  const path = await mkdtemp(join(tmpdir(), 'countersign-run-'))
  await makeExampleFiles(path)
  await copyFile(join(path, 'ca.pem'), join(path, 'staff-ca.pem'))
  await mkdir(join(path, '.bin'))
  await writeFile(join(path, '.bin/countersign'), COMMAND, { mode: 0o755 })
  for (const block of page) {
    const name = fileOf(block)
    if (name !== undefined)
      await writeFile(join(path, name), wholeText(block, page), { mode: 0o600 })
  }
  return { path, [Symbol.asyncDispose]: async () => await rm(path, { recursive: true }) }
}

const runIn = (folder: string, text: string) => {
  const { PATH = '' } = process.env
  const env = { PATH: `${join(folder, '.bin')}${delimiter}${PATH}`, HOME: folder, NO_COLOR: '1' }
  return spawnSync('sh', ['-e', '-c', text], { cwd: folder, env, encoding: 'utf8' })
}

describe('shell examples that say "run"', () => {
  for (const page of PAGES.filter((path) => blocksOf(path).some(isRun))) {
    it(`succeed in their order, and print what ${page} says`, async () => {
      const blocks = blocksOf(page)
      await using folder = await openFolder(blocks)
      for (const block of blocks.filter(isRun)) {
        if (block.language === 'sh') {
          const { status, stderr } = runIn(folder.path, block.text)
          assert.equal(status, 0, `${placeOf(block)}: ${stderr}`)
          continue
        }
        for (const { command, output } of stepsOf(block.text)) {
          const { stdout, stderr } = runIn(folder.path, command)
          const printed = stdout + stderr
          assert.ok(isAsWritten(printed, output), `${placeOf(block)}: ${command}\n${printed}`)
        }
      }
    })
  }

  it('are there', () => {
    assert.ok(PAGES.flatMap(blocksOf).filter(isRun).length > 5)
  })
})
