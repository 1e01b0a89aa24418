// A command of a tutorial that waits for its reader: it runs at a terminal, opens pages in the reader's browser, and continues
// when the reader has done what they ask.

import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { until } from '../../fakes/until.ts'
import { beginsAsWritten, isAsWritten } from '../../docs/examples/console.ts'
import { atTerminal, type AtTerminal } from '../../servers/terminal.ts'
import type { Replacements } from './replacements.ts'

/** What it runs in. */
interface Surroundings {
  readonly folder: string
  readonly environment: NodeJS.ProcessEnv
  readonly replaced: Replacements
}

// In `.bin`.
const OPENED = 'opened'

/** Makes the program by which commands open a page: here it notes which. @param bin the folder of programs */
export const installOpener = async (bin: string): Promise<void> => {
  const file = join(bin, OPENED)
  const text = `#!/bin/sh\nprintf %s "$1" > "${file}.new" && mv "${file}.new" "${file}"\n`
  await writeFile(join(bin, 'xdg-open'), text, { mode: 0o755 })
}

/** One command, from its start to its end. */
export class TerminalStep implements AsyncDisposable {
  readonly #terminal: AtTerminal
  readonly #surroundings: Surroundings
  #begun = ''

  constructor(command: string, surroundings: Surroundings) {
    const { folder, environment, replaced } = surroundings
    const line = `cd '${folder}' && exec ${replaced.here(command)}`
    // The commands expect a browser where there is a display.
    this.#terminal = atTerminal(['sh', '-c', line], { ...environment, DISPLAY: ':0' })
    this.#surroundings = surroundings
  }

  /** Waits until it has printed this, and has opened a page: the value of `OPENED_PAGE` from now on. */
  async opensPage(output: string, place: string): Promise<void> {
    const { folder, replaced } = this.#surroundings
    const wanted = beginsAsWritten(replaced.here(output))
    await this.#terminal.shows(wanted).catch((cause: unknown) => {
      throw new Error(`${place}: ${String(cause)}`, { cause })
    })
    const file = join(folder, '.bin', OPENED)
    await until(async () => existsSync(file))
    replaced.set('OPENED_PAGE', await readFile(file, 'utf8'))
    this.#begun = output.trim()
  }

  /** Waits for its end; all that it has printed since must be this. */
  async prints(output: string, place: string): Promise<void> {
    const { status, screen } = await this.#terminal.ended
    const written = this.#surroundings.replaced.here([this.#begun, '…', output].join('\n'))
    assert.ok(status === 0 && isAsWritten(screen, written), `${place}: ${status}\n${screen}`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#terminal[Symbol.asyncDispose]()
  }
}
