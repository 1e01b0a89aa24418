// Follows a tutorial: its files, its commands and their outputs, from top to bottom.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { blocksOf, placeOf, type Block } from '../../docs/examples/blocks.ts'
import { isAsWritten, stepsOf } from '../../docs/examples/console.ts'
import { ROOT } from '../../docs/markdown.ts'
import { freePort } from '../../servers/ports.ts'
import { temporaryFolder } from '../../servers/temporary.ts'
import { BackgroundCommand } from '../background-command.ts'

// What `init` prints.
const PASSWORD = /password of \S+ is (\S+)\./

/** What a tutorial asks its reader to do by hand. */
export interface TutorialOptions {
  /** The ports that it names. */
  readonly ports: readonly number[]
  /** What is done before the step with `edit=NAME`, in the folder of the tutorial. */
  readonly edits?: Readonly<Record<string, (folder: string) => Promise<void>>>
}

/** Does everything that a page says; throws at the first output that differs. */
export const follow = async (
  page: string,
  { ports, edits = {} }: TutorialOptions,
): Promise<void> => {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await temporaryFolder())
  const reader = new Reader(folder.path, await replacements(ports))
  await reader.install()
  for (const block of blocksOf(page)) {
    const { attributes } = block
    const edit = attributes.get('edit')
    if (edit !== undefined) {
      const perform = edits[edit]
      assert.ok(perform !== undefined, `${placeOf(block)}: nothing performs edit=${edit}`)
      await perform(folder.path)
    }
    if (attributes.has('start')) stack.use(await reader.start(block))
    else if (attributes.has('step')) reader.step(block)
    else if (attributes.has('file')) await reader.write(block)
  }
}

const replacements = async (ports: readonly number[]): Promise<ReadonlyMap<string, string>> => {
  const entries: [string, string][] = []
  for (const port of ports) entries.push([String(port), String(await freePort())])
  return new Map(entries)
}

class Reader {
  readonly #folder: string
  readonly #replaced: Map<string, string>

  constructor(folder: string, replaced: ReadonlyMap<string, string>) {
    this.#folder = folder
    this.#replaced = new Map(replaced)
  }

  /** Makes the command `countersign`. */
  async install(): Promise<void> {
    const bin = join(this.#folder, '.bin')
    await mkdir(bin)
    const command = `#!/bin/sh\nexec "${process.execPath}" "${join(ROOT, 'src/countersign.ts')}" "$@"\n`
    await writeFile(join(bin, 'countersign'), command, { mode: 0o755 })
  }

  async write({ text, attributes }: Block): Promise<void> {
    await writeFile(join(this.#folder, attributes.get('file') ?? ''), this.#here(text))
  }

  async start(block: Block): Promise<BackgroundCommand> {
    const command = this.#here(block.text).trim()
    const started = new BackgroundCommand(command, this.#folder, this.#environment())
    await started.printed(block.attributes.get('start') ?? '', placeOf(block))
    return started
  }

  step(block: Block): void {
    for (const { command, output } of stepsOf(block.text)) {
      const { stdout, stderr } = spawnSync('sh', ['-c', this.#here(command)], {
        cwd: this.#folder,
        env: this.#environment(),
        encoding: 'utf8',
      })
      const printed = stdout + stderr
      const [, password] = PASSWORD.exec(printed) ?? []
      if (password !== undefined) this.#replaced.set('PASSWORD', password)
      assert.ok(
        isAsWritten(this.#asWritten(printed), output),
        `${placeOf(block)}: ${command}\n${printed}`,
      )
    }
  }

  /** The text with what differs here. */
  #here(text: string): string {
    let here = text
    for (const [written, value] of this.#replaced) here = here.replaceAll(written, value)
    return here
  }

  /** An output with what the page has in its place. */
  #asWritten(output: string): string {
    let written = output
    for (const [name, value] of this.#replaced) written = written.replaceAll(value, name)
    return written
  }

  #environment(): NodeJS.ProcessEnv {
    const { PATH = '', ENVOY_BIN, COUNTERSIGN_CACHE, HOME } = process.env
    const path = `${join(this.#folder, '.bin')}${delimiter}${PATH}`
    return { PATH: path, ENVOY_BIN, COUNTERSIGN_CACHE, HOME, NO_COLOR: '1' }
  }
}
