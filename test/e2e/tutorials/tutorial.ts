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

// What every tutorial may ask its reader to copy: what `init` prints.
const CAPTURES = { PASSWORD: /password of \S+ is (\S+)\./ }

/** What a tutorial asks its reader to do by hand. */
export interface TutorialOptions {
  /** The ports that it names. */
  readonly ports: readonly number[]
  /** What is done before the step with `edit=NAME`, in the folder of the tutorial. */
  readonly edits?: Readonly<Record<string, (folder: string) => Promise<void>>>
  /** What the reader copies out of an output into a later command, in place of the name. */
  readonly captures?: Readonly<Record<string, RegExp>>
}

/** Does everything that a page says; throws at the first output that differs. */
export const follow = async (
  page: string,
  { ports, edits = {}, captures = {} }: TutorialOptions,
): Promise<void> => {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await temporaryFolder())
  const reader = new Reader(folder.path, await replacements(ports), {
    ...CAPTURES,
    ...captures,
  })
  await reader.install()
  for (const block of blocksOf(page)) {
    const { attributes } = block
    const edit = attributes.get('edit')
    if (edit !== undefined) {
      const perform = edits[edit]
      assert.ok(perform !== undefined, `${placeOf(block)}: nothing performs edit=${edit}`)
      await perform(folder.path)
    }
    if (attributes.has('export')) reader.export(block)
    else if (attributes.has('start')) stack.use(await reader.start(block))
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
  readonly #captures: Readonly<Record<string, RegExp>>
  readonly #exported: Record<string, string> = {}

  constructor(
    folder: string,
    replaced: ReadonlyMap<string, string>,
    captures: Readonly<Record<string, RegExp>>,
  ) {
    this.#folder = folder
    this.#captures = captures
    this.#replaced = new Map(replaced)
  }

  /** Makes the command `countersign`, and an `npm` that knows `npm run cluster --` alone. */
  async install(): Promise<void> {
    const bin = join(this.#folder, '.bin')
    await mkdir(bin)
    const script = async (name: string, check: string, file: string): Promise<void> => {
      const text = `#!/bin/sh\n${check}exec "${process.execPath}" "${join(ROOT, file)}" "$@"\n`
      await writeFile(join(bin, name), text, { mode: 0o755 })
    }
    await script('countersign', '', 'src/countersign.ts')
    const cluster = '[ "$1 $2 $3" = "run cluster --" ] || exit 127\nshift 3\n'
    await script('npm', cluster, 'scripts/cluster.ts')
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

  /** Runs `export NAME=VALUE` commands, and keeps the variables for what comes later. */
  export(block: Block): void {
    const { stdout, stderr, status } = spawnSync(
      'sh',
      ['-c', `${this.#here(block.text)}\nenv -0`],
      {
        cwd: this.#folder,
        env: this.#environment(),
        encoding: 'utf8',
      },
    )
    assert.equal(status, 0, `${placeOf(block)}: ${stderr}`)
    for (const line of stdout.split('\0').filter((text) => text !== '')) {
      const [name = '', ...value] = line.split('=')
      this.#exported[name] = value.join('=')
    }
  }

  step(block: Block): void {
    for (const { command, output } of stepsOf(block.text)) {
      const { stdout, stderr } = spawnSync('sh', ['-c', this.#here(command)], {
        cwd: this.#folder,
        env: this.#environment(),
        encoding: 'utf8',
      })
      const printed = stdout + stderr
      for (const [name, pattern] of Object.entries(this.#captures)) {
        const [, value] = pattern.exec(printed) ?? []
        if (value !== undefined) this.#replaced.set(name, value)
      }
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
    return { PATH: path, ENVOY_BIN, COUNTERSIGN_CACHE, HOME, NO_COLOR: '1', ...this.#exported }
  }
}
