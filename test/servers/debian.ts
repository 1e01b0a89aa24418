// A Debian machine of its own: scripts/debian-root.sh made its file system, systemd is its first process (systemd-nspawn). It has the
// network of this machine, its changes are in memory, and it ends with the test.

import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { findProgram } from '../../src/runtime/child.ts'
import { until } from '../fakes/until.ts'

const CACHE = process.env['COUNTERSIGN_CACHE'] ?? join(import.meta.dirname, '../../.cache')
const SETPRIV = 'setpriv'
/** The files of a machine. */
export const DEBIAN_FILES = join(CACHE, 'debian/bookworm-1')
const run = promisify(execFile)

/** Why tests are left out on a machine without it, as node:test takes it; with `CI=true`, they fail. */
export const skipWithoutDebian = (): string | false => {
  const isThere = existsSync(DEBIAN_FILES) && findProgram('systemd-nspawn') !== undefined
  if (isThere && process.getuid?.() === 0) return false
  const missing = 'needs root, and the Debian of: sudo sh scripts/debian-root.sh'
  if (process.env['CI'] === 'true') throw new Error(missing)
  return missing
}

/** A running machine. */
export interface DebianMachine extends AsyncDisposable {
  /** Runs a program in it, as root; its standard output. */
  run(program: string, ...args: readonly string[]): Promise<string>
  /** Runs a script of a shell in it. */
  sh(script: string): Promise<string>
  /** The path, for this machine, of one of its files. */
  file(path: string): string
}

/**
 * Starts a machine, and waits until systemd has started it.
 *
 * @param mounts paths in it → files and folders of this machine, which it can read
 */
export const startDebian = async (
  mounts: Readonly<Record<string, string>>,
): Promise<DebianMachine> => {
  const binds = Object.entries(mounts).map(([to, from]) => `--bind-ro=${from}:${to}`)
  const options = ['--boot', '--volatile=overlay', '--keep-unit', '--register=no', '--console=pipe']
  // It shuts down when the tests end, however they do.
  const nspawn = ['TERM', '--', 'systemd-nspawn', '--quiet', `--directory=${DEBIAN_FILES}`]
  const child = spawn(SETPRIV, ['--pdeathsig', ...nspawn, ...options, ...binds], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let log = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => (log += chunk))
  }
  const machine = new Machine(child)
  try {
    await machine.ready()
  } catch (cause) {
    await machine[Symbol.asyncDispose]()
    throw new Error(`Debian does not start:\n${log}`, { cause })
  }
  return machine
}

class Machine implements DebianMachine {
  readonly #child: ChildProcess
  readonly #ended: Promise<unknown>
  /** Its first process. */
  #pid = ''

  constructor(child: ChildProcess) {
    this.#child = child
    this.#ended = once(child, 'exit')
  }

  async ready(): Promise<void> {
    const { pid } = this.#child
    await until(async () => {
      if (pid === undefined || this.#child.exitCode !== null)
        throw new Error('systemd-nspawn ended')
      const children = `/proc/${pid}/task/${pid}/children`
      ;[this.#pid = ''] = (await readFile(children, 'utf8')).trim().split(' ')
      const system = await this.run('systemctl', 'is-system-running').catch(
        // It exits with 1 when a unit failed, and while it starts.
        (cause: unknown) => String(Reflect.get(Object(cause), 'stdout')),
      )
      return /^(?:running|degraded)\n/.test(system)
    }, 'systemd has started')
  }

  async run(program: string, ...args: readonly string[]): Promise<string> {
    const { stdout } = await run('nsenter', ['--target', this.#pid, '--all', program, ...args], {
      env: { PATH: '/usr/sbin:/usr/bin', DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C.UTF-8' },
    })
    return stdout
  }

  async sh(script: string): Promise<string> {
    return await this.run('sh', '-ec', script)
  }

  file(path: string): string {
    return join(`/proc/${this.#pid}/root`, path)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // There is nothing in it to keep: without its first process it ends.
    if (this.#pid === '') this.#child.kill('SIGTERM')
    else process.kill(Number(this.#pid), 'SIGKILL')
    await this.#ended
  }
}
