// The commands of deploy/recipes/README.md, with each recipe.

import assert from 'node:assert/strict'
import { globSync } from 'node:fs'
import { copyFile, readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { countersign } from '../../cli/run.ts'
import { blocksTestedBy } from '../../docs/examples/blocks.ts'
import { openPageFolder, type PageFolder } from '../../docs/examples/page-folder.ts'
import { commandsIn, type Words } from '../../docs/examples/shell.ts'
import { ROOT } from '../../docs/markdown.ts'
import { skipWithoutEnvoy } from '../../servers/envoy.ts'
import { BackgroundCommand } from '../background-command.ts'

const FOLDER = join(ROOT, 'deploy/recipes')
const recipes = globSync('*.countersign.yaml', { cwd: FOLDER })
const [block] = blocksTestedBy('test/e2e/documents/recipes.test.ts', 'deploy/recipes/README.md')
const commands = commandsIn(block?.text ?? '')

/** A file of the folder in place of one that recipes name. */
const insteadOf = (name: string): string => {
  if (name.endsWith('ca.pem')) return 'ca.pem'
  return /\.(?:pem|key)$/.test(name) ? `edge/server.${name.slice(-3)}` : 'secret'
}
const NAMED = /\/etc\/countersign\/([\w-]+\.(?:pem|key|secret|token))/g

describe('the commands for recipes', { skip: skipWithoutEnvoy() }, () => {
  let folder: PageFolder
  before(async () => {
    const texts = await Promise.all(
      recipes.map(async (name) => [name, await readFile(join(FOLDER, name), 'utf8')] as const),
    )
    folder = await openPageFolder([], { files: Object.fromEntries(texts) })
    const names = texts.flatMap(([, text]) =>
      [...text.matchAll(NAMED)].map(([, name = '']) => name),
    )
    for (const name of new Set(names)) {
      await copyFile(join(folder.path, insteadOf(name)), join(folder.path, name))
    }
  })
  after(() => folder[Symbol.asyncDispose]())

  const wordsFor = (words: Words, name: string): Words =>
    words.map((word) => folder.here(word).replace('NAME', name))

  for (const recipe of recipes) {
    const name = basename(recipe, '.countersign.yaml')
    it(`validate ${name}, and generate what Envoy reads`, async () => {
      for (const words of commands.slice(0, -1)) {
        const args = wordsFor(words, name)
          .slice(1)
          .map((word) => (word.endsWith('yaml') ? join(folder.path, word) : word))
        const { status, stderr } = await countersign(args)
        assert.equal(status, 0, `${words.join(' ')}: ${stderr}`)
      }
    })
  }

  it('start authz and Envoy', async () => {
    const last = wordsFor(commands.at(-1) ?? [], 'password-to-headers').join(' ')
    await using up = new BackgroundCommand(last, folder.path, folder.environment)
    await up.printed('ready, listening on')
  })
})
