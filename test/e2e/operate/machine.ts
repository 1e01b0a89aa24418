// A machine of an operator: a folder in place of `/`, the commands that a page runs on it, and services that `systemctl`
// starts and ends. Services are real processes; `systemctl` and `journalctl` speak to this process over a socket.

import assert from 'node:assert/strict'
import { execFile, type ExecFileException } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { dirname, delimiter, join } from 'node:path'
import { blocksOf, placeOf, type Block } from '../../docs/examples/blocks.ts'
import { isAsWritten, stepsOf } from '../../docs/examples/console.ts'
import { ROOT } from '../../docs/markdown.ts'
import { temporaryFolder, type TemporaryFolder } from '../../servers/temporary.ts'
import { eventually } from '../site.ts'

/** A service, as systemd knows it. */
export interface Service extends AsyncDisposable {
  start(): Promise<void>
  /** Ends it by SIGTERM, and waits for that. */
  stop(): Promise<void>
  /** Sends SIGHUP. */
  reload(): void
  /** Lets it open its audit file anew. */
  reopen(): void
  readonly log: () => string
}

/** What a page leaves to its reader: by the `edit=NAME` of the block before which it is done. */
export type Edits = Readonly<Record<string, () => Promise<void>>>

const LIMIT_MS = 60_000

// What names a path of the machine: not the rest of another path, nor of a URL.
const PATH = /(?<![\w./-])\/(etc|run|var)(?=[/\s]|$)/g

/** A machine. */
export class Machine implements AsyncDisposable {
  readonly #folder: TemporaryFolder
  readonly #services: ReadonlyMap<string, Service>
  readonly #control: Server
  readonly #replaced = new Map<string, string>()
  #marks = new Map<string, number>()

  private constructor(folder: TemporaryFolder, services: ReadonlyMap<string, Service>) {
    this.#folder = folder
    this.#services = services
    this.#control = createServer((request, response) => {
      this.#perform(request.url ?? '').then(
        (output) => response.end(output),
        (cause: unknown) => response.writeHead(500).end(String(cause)),
      )
    })
  }

  /** @param servicesOf by the names of their units */
  static async start(
    servicesOf: (folder: TemporaryFolder) => ReadonlyMap<string, Service>,
  ): Promise<Machine> {
    const folder = await temporaryFolder()
    const machine = new Machine(folder, servicesOf(folder))
    await machine.#install()
    return machine
  }

  /** A path of the machine as it is here. */
  path(path: string): string {
    return join(this.#folder.path, path)
  }

  /** A text with what differs here, such as ports and paths. */
  here(text: string): string {
    let here = text.replaceAll(PATH, `${this.#folder.path}/$1`)
    for (const [written, value] of this.#replaced) here = here.replaceAll(written, value)
    return here
  }

  /** Lets a page have a text, such as a port, in place of the one that it has here. */
  replace(written: string, value: string): void {
    this.#replaced.set(written, value)
  }

  /** What a service has logged. */
  log(unit: string): string {
    return this.#services.get(unit)?.log() ?? ''
  }

  /** Writes a file, and the folders above it. */
  async write(path: string, text: string, mode = 0o600): Promise<void> {
    await mkdir(dirname(this.path(path)), { recursive: true })
    await writeFile(this.path(path), this.here(text), { mode })
  }

  /** Puts a program of a shell on the PATH, for what is not on this machine. */
  async program(name: string, text: string): Promise<void> {
    await this.write(`.bin/${name}`, `#!/bin/sh\n${text}\n`, 0o755)
  }

  /** Makes a folder, and those above it. */
  async makeFolder(path: string): Promise<void> {
    await mkdir(this.path(path), { recursive: true })
  }

  /** Runs a command of a shell in /etc/countersign; what it prints, with the paths of the machine. */
  async run(command: string): Promise<string> {
    return (await this.#execute(command)).output
  }

  /** The same; a failure throws. */
  async must(command: string): Promise<string> {
    const { output, failure } = await this.#execute(command)
    assert.equal(failure, null, output)
    return output
  }

  async #execute(command: string): Promise<{ output: string; failure: ExecFileException | null }> {
    const { promise, resolve } = Promise.withResolvers<{
      output: string
      failure: ExecFileException | null
    }>()
    const { PATH: path = '', HOME, COUNTERSIGN_CACHE } = process.env
    const env = {
      PATH: `${this.path('.bin')}${delimiter}${path}`,
      HOME,
      COUNTERSIGN_CACHE,
      NO_COLOR: '1',
    }
    const options = { cwd: this.path('/etc/countersign'), env, encoding: 'utf8' } as const
    const args = ['-c', this.here(command)]
    execFile('sh', args, options, (failure, stdout, stderr) => {
      resolve({ output: this.#written(stdout + stderr), failure })
    })
    return await promise
  }

  /**
   * Does what a page says in the blocks of one part (`part=NAME`), or in those of none. A command whose block says `eventually` only looks: it
   * is repeated until its output is as written.
   */
  async follow(page: string, { part, edits = {} }: { part?: string; edits?: Edits } = {}) {
    const blocks = blocksOf(page).filter(({ attributes }) => attributes.get('part') === part)
    assert.notEqual(blocks.length, 0, `${page} has no block part=${part}`)
    for (const block of blocks) {
      const { attributes } = block
      const edit = attributes.get('edit')
      if (edit !== undefined) await (edits[edit] ?? assert.fail(`${placeOf(block)}: ${edit}`))()
      const file = attributes.get('file')
      if (file !== undefined) await this.write(join('/etc/countersign', file), block.text)
      if (!attributes.has('step')) continue
      if (!attributes.has('eventually')) this.#mark()
      for (const step of stepsOf(block.text)) await this.#step(block, step)
    }
  }

  async #step(block: Block, { command, output }: { command: string; output: string }) {
    const isDone = (printed: string): boolean => isAsWritten(printed, output)
    const limit = block.attributes.has('eventually') ? LIMIT_MS : 0
    const once = await eventually(
      () => this.run(command),
      (printed) => isDone(printed) || limit === 0,
      limit,
    )
    assert.ok(isDone(once), `${placeOf(block)}: ${command}\n${once}`)
  }

  /** From here on journalctl shows what is logged. */
  #mark(): void {
    this.#marks = new Map([...this.#services].map(([unit, { log }]) => [unit, log().length]))
  }

  #written(output: string): string {
    let written = output.replaceAll(this.#folder.path, '')
    for (const [name, value] of this.#replaced) written = written.replaceAll(value, name)
    return written
  }

  async #install(): Promise<void> {
    const socket = this.path('.control')
    await new Promise<void>((resolve) => this.#control.listen(socket, resolve))
    const calling = `exec curl --silent --show-error --fail-with-body --unix-socket ${socket} --get`
    const programs = {
      countersign: `exec "${process.execPath}" "${join(ROOT, 'src/countersign.ts')}" "$@"`,
      systemctl: `for unit; do set -- "$@" --data-urlencode "w=$unit"; shift; done; ${calling} "$@" http://m/systemctl`,
      journalctl: `for word; do set -- "$@" --data-urlencode "w=$word"; shift; done; ${calling} "$@" http://m/journalctl`,
      // The users of the package are not on the machine of the test.
      chown: 'exit 0',
    }
    for (const [name, text] of Object.entries(programs)) await this.program(name, text)
    for (const folder of [
      '/etc/countersign',
      '/etc/envoy',
      '/run/envoy',
      '/var/backups',
      '/var/tmp',
    ]) {
      await this.makeFolder(folder)
    }
  }

  async #perform(url: string): Promise<string> {
    const { pathname, searchParams } = new URL(url, 'http://m')
    const words = searchParams.getAll('w')
    const units = words.filter((word) => this.#services.has(word.replace(/\.service$/, '')))
    const services = units.map((unit) => this.#services.get(unit) ?? assert.fail(unit))
    assert.notEqual(services.length, 0, words.join(' '))
    if (pathname === '/journalctl') return this.#journal(units, words)
    const [verb = ''] = words
    for (const service of services) {
      if (verb === 'reload') service.reload()
      if (verb === 'kill' && words.includes('--signal=SIGUSR2')) service.reopen()
      if (verb === 'stop' || verb === 'restart') await service.stop()
      if (verb === 'start' || verb === 'restart') await service.start()
    }
    assert.match(verb, /^(?:reload|kill|stop|start|restart)$/)
    return ''
  }

  /** What units have logged since the last block that did something, as far as it contains the text. */
  #journal(units: readonly string[], words: readonly string[]): string {
    const wanted = words[words.indexOf('--grep') + 1] ?? ''
    const lines = units.flatMap((unit) =>
      (this.#services.get(unit)?.log() ?? '').slice(this.#marks.get(unit)).split('\n'),
    )
    const found = lines.filter((line) => new RegExp(wanted).test(line))
    return found.map((line) => `${line}\n`).join('')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const service of this.#services.values()) await service[Symbol.asyncDispose]()
    this.#control.close()
    this.#control.closeAllConnections()
    await this.#folder[Symbol.asyncDispose]()
  }
}
