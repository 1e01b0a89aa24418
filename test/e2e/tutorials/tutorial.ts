// Follows a tutorial: its files, its commands and their outputs, and the pages that its images show, from top to bottom.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { delimiter, dirname, join } from 'node:path'
import { blocksOf, placeOf, type Block } from '../../docs/examples/blocks.ts'
import { isAsWritten, stepsOf } from '../../docs/examples/console.ts'
import { ROOT } from '../../docs/markdown.ts'
import { until } from '../../fakes/until.ts'
import { freePort } from '../../servers/ports.ts'
import { temporaryFolder } from '../../servers/temporary.ts'
import { BackgroundCommand } from '../background-command.ts'
import { Browsing, type BrowsingOptions } from './browsing.ts'
import { imagesOf } from './images.ts'
import { Replacements } from './replacements.ts'
import { WRITES } from './screenshots.ts'
import { installOpener, TerminalStep } from './terminal-step.ts'

// What every tutorial may ask its reader to copy: what `init` prints.
const CAPTURES = { PASSWORD: /password of \S+ is (\S+)\./ }

/** What a tutorial asks its reader to do by hand. */
export interface TutorialOptions {
  /** The ports that it names. */
  readonly ports: readonly number[]
  /** What is done at the block with `edit=NAME`, before its step if it is one. */
  readonly edits?: Readonly<Record<string, Edit>>
  /** What the reader copies out of an output into a later command, in place of the name. */
  readonly captures?: Readonly<Record<string, RegExp>>
  /** What is done in a browser, for tutorials with images. */
  readonly browsing?: BrowsingOptions
  /** Further environment variables of the commands. */
  readonly environment?: NodeJS.ProcessEnv
}

/** Edits files in the folder of a tutorial. @param text the block, with the ports of this run */
export type Edit = (folder: string, text: string) => Promise<void>

/** Does everything that a page says; throws at the first output or page that differs. */
export const follow = async (page: string, options: TutorialOptions): Promise<void> => {
  const { ports, edits = {}, browsing = { certificate: '', visits: {} } } = options
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await temporaryFolder())
  const replaced = new Replacements(await replacements(ports))
  const reader = stack.use(new Reader(folder.path, replaced, options))
  await reader.install()
  const browser = stack.use(new Browsing({ ...browsing, page, folder: folder.path, replaced }))
  for (const part of inOrder([...blocksOf(page), ...imagesOf(page)])) {
    if ('image' in part) {
      await browser.show(part)
      continue
    }
    const edit = part.attributes.get('edit')
    if (edit !== undefined) {
      const perform = edits[edit]
      assert.ok(perform !== undefined, `${placeOf(part)}: nothing performs edit=${edit}`)
      await perform(folder.path, replaced.here(part.text))
    }
    if (part.attributes.has('export')) reader.export(part)
    else if (part.attributes.has('start')) await reader.start(part)
    else if (part.attributes.has('terminal')) await reader.begin(part)
    else if (part.attributes.has('output')) await reader.end(part)
    else if (part.attributes.has('step')) await reader.step(part)
    else if (part.attributes.has('file')) await reader.write(part)
  }
  await browser.finish()
}

const inOrder = <T extends { readonly line: number }>(parts: readonly T[]): readonly T[] =>
  parts.toSorted((one, other) => one.line - other.line)

/** Free ports in place of those of the page, except in images that are kept: there readers see the page's own. */
const replacements = async (ports: readonly number[]): Promise<ReadonlyMap<string, string>> => {
  const entries: [string, string][] = []
  for (const port of ports) entries.push([String(port), String(WRITES ? port : await freePort())])
  return new Map(entries)
}

class Reader implements AsyncDisposable {
  readonly #folder: string
  readonly #replaced: Replacements
  readonly #captures: Readonly<Record<string, RegExp>>
  readonly #environment: Record<string, string | undefined>
  readonly #started = new AsyncDisposableStack()
  #waiting: TerminalStep | undefined

  constructor(
    folder: string,
    replaced: Replacements,
    { captures, environment }: Pick<TutorialOptions, 'captures' | 'environment'>,
  ) {
    this.#folder = folder
    this.#replaced = replaced
    this.#captures = { ...CAPTURES, ...captures }
    const { PATH = '', ENVOY_BIN, COUNTERSIGN_CACHE, HOME } = process.env
    const path = `${join(folder, '.bin')}${delimiter}${PATH}`
    const own = { PATH: path, ENVOY_BIN, COUNTERSIGN_CACHE, HOME, NO_COLOR: '1' }
    this.#environment = { ...own, ...environment }
  }

  /** Makes the command `countersign`, and an `npm` that knows `npm run cluster` alone. */
  async install(): Promise<void> {
    const bin = join(this.#folder, '.bin')
    await mkdir(bin)
    const script = async (name: string, check: string, file: string): Promise<void> => {
      const text = `#!/bin/sh\n${check}exec "${process.execPath}" "${join(ROOT, file)}" "$@"\n`
      await writeFile(join(bin, name), text, { mode: 0o755 })
    }
    await script('countersign', '', 'src/countersign.ts')
    const cluster = '"run cluster --prefix /path/to/the/clone --"'
    await script(
      'npm',
      `[ "$1 $2 $3 $4 $5" = ${cluster} ] || exit 127\nshift 5\n`,
      'scripts/cluster.ts',
    )
    await installOpener(bin)
  }

  async write({ text, attributes }: Block): Promise<void> {
    const file = join(this.#folder, attributes.get('file') ?? '')
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, this.#replaced.here(text))
  }

  /** Starts a command that runs until the end of the tutorial. */
  async start(block: Block): Promise<void> {
    const command = this.#replaced.here(block.text).trim()
    const started = new BackgroundCommand(command, this.#folder, this.#environment)
    this.#started.use(started)
    await started.printed(block.attributes.get('start') ?? '', placeOf(block))
  }

  /** Runs a command at a terminal, until it waits for the reader. */
  async begin(block: Block): Promise<void> {
    const [step, ...further] = stepsOf(block.text)
    assert.ok(step !== undefined && further.length === 0, `${placeOf(block)}: not one command`)
    const surroundings = {
      folder: this.#folder,
      environment: this.#environment,
      replaced: this.#replaced,
    }
    this.#waiting = this.#started.use(new TerminalStep(step.command, surroundings))
    await this.#waiting.opensPage(step.output, placeOf(block))
  }

  /** Waits for the end of that command. */
  async end(block: Block): Promise<void> {
    assert.ok(this.#waiting !== undefined, `${placeOf(block)}: no command waits`)
    await this.#waiting.prints(block.text, placeOf(block))
    this.#waiting = undefined
  }

  /** Runs `export NAME=VALUE` commands, and keeps the variables for what comes later. */
  export(block: Block): void {
    const { stdout, stderr, status } = spawnSync(
      'sh',
      ['-c', `${this.#replaced.here(block.text)}\nenv -0`],
      {
        cwd: this.#folder,
        env: this.#environment,
        encoding: 'utf8',
      },
    )
    assert.equal(status, 0, `${placeOf(block)}: ${stderr}`)
    for (const line of stdout.split('\0').filter((text) => text !== '')) {
      const [name = '', ...value] = line.split('=')
      this.#environment[name] = value.join('=')
    }
  }

  async step(block: Block): Promise<void> {
    assert.equal(this.#waiting, undefined, `${placeOf(block)}: a command waits for its reader`)
    for (const { command, output } of stepsOf(block.text)) {
      let printed = this.#run(command)
      const isDone = (): boolean => isAsWritten(this.#replaced.asWritten(printed), output)
      if (block.attributes.has('eventually')) {
        const isNow = (): boolean => {
          if (!isDone()) printed = this.#run(command)
          return isDone()
        }
        await until(isNow).catch(() => {}) // the assertion shows the last output
      }
      assert.ok(isDone(), `${placeOf(block)}: ${command}\n${printed}`)
    }
  }

  /** What a command prints. */
  #run(command: string): string {
    const { stdout, stderr } = spawnSync('sh', ['-c', this.#replaced.here(command)], {
      cwd: this.#folder,
      env: this.#environment,
      encoding: 'utf8',
    })
    const printed = stdout + stderr
    for (const [name, pattern] of Object.entries(this.#captures)) {
      const [, value] = pattern.exec(printed) ?? []
      if (value !== undefined) this.#replaced.set(name, value)
    }
    return printed
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#started.disposeAsync()
  }
}
