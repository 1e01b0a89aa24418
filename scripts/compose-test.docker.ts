// Docker for scripts/compose-test.ts: the engine that runs already, or one of our own.

import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { Child, findProgram } from '../src/runtime/child.ts'
import { DEBIAN_FILES } from '../test/servers/debian.ts'
import type { TemporaryFolder } from '../test/servers/temporary.ts'

/** How a command ended and what it said. */
export interface Ended {
  readonly status: number
  /** Standard output and standard error, as they came. */
  readonly said: string
}

/** Variables for Docker's command, on top of our own. */
export type Environment = Readonly<Record<string, string>>

/** Runs a command to its end. */
export const run = async (
  command: readonly [string, ...string[]],
  environment: Environment = {},
): Promise<Ended> => {
  const [program, ...args] = command
  const child = spawn(program, args, {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text
    })
  }
  const [status] = await once(child, 'close')
  return { status: typeof status === 'number' ? status : 1, said }
}

/** Runs a command that must not fail. */
export const mustRun = async (
  command: readonly [string, ...string[]],
  environment: Environment = {},
): Promise<string> => {
  const { status, said } = await run(command, environment)
  if (status !== 0) throw new Error(`${command.join(' ')} ended with ${status}:\n${said}`)
  return said
}

const works = (program: string, ...args: readonly string[]): boolean =>
  spawnSync(program, args, { stdio: 'ignore' }).status === 0

/** What keeps the test from running; `undefined` when nothing does. */
export const missing = (): string | undefined =>
  missingEngine() ??
  (composeCommand() === undefined ? 'Docker Compose v2 is not installed' : undefined) ??
  (existsSync(DEBIAN_FILES) ? undefined : 'no Debian to build in: sudo sh scripts/debian-root.sh')

/** Why there is no Docker engine, and none can be started; `undefined` when there can be one. */
export const missingEngine = (): string | undefined => {
  if (findProgram('docker') === undefined) return 'docker is not installed'
  if (!works('docker', 'info') && !canStartEngine()) {
    return 'no Docker engine answers, and only root with dockerd can start one'
  }
  return undefined
}

const canStartEngine = (): boolean =>
  process.getuid?.() === 0 && findProgram('dockerd') !== undefined

/** Compose as a plug-in of docker, or as the program of its own that it also is. */
export const composeCommand = (): readonly [string, ...string[]] | undefined => {
  if (works('docker', 'compose', 'version')) return ['docker', 'compose']
  const { status, stdout } = spawnSync('docker-compose', ['version', '--short'], {
    encoding: 'utf8',
  })
  return status === 0 && !stdout.startsWith('1.') ? ['docker-compose'] : undefined
}

/** A Docker engine. */
export interface Engine extends AsyncDisposable {
  /** For commands that are to reach it. */
  readonly environment: Environment
}

/** The engine that answers, or a new one that keeps everything in the folder and ends with us. */
export const useEngine = async (folder: TemporaryFolder): Promise<Engine> => {
  const builder: Environment = works('docker', 'buildx', 'version') ? {} : { DOCKER_BUILDKIT: '0' }
  if (works('docker', 'info')) {
    return { environment: builder, [Symbol.asyncDispose]: () => Promise.resolve() }
  }
  const socket = `unix://${folder.file('docker.sock')}`
  const log = folder.file('dockerd.log')
  const program = [
    ['dockerd', '--host', socket],
    ['--data-root', folder.file('data')],
    ['--exec-root', folder.file('exec')],
    ['--pidfile', folder.file('dockerd.pid')],
  ].flat()
  const engine = new Child({
    name: 'dockerd',
    command: 'sh',
    args: ['-c', 'log="$1"; shift; exec "$@" >"$log" 2>&1', 'sh', log, ...program],
    ipc: false,
    grace: GRACE_MS,
  })
  const stop = async (): Promise<void> => {
    await engine[Symbol.asyncDispose]()
    // It leaves this mounted, and a folder with a mount in it cannot be removed.
    await run(['umount', folder.file('exec/netns/default')])
  }
  const environment = { ...builder, DOCKER_HOST: socket }
  try {
    await engine.orEnded(untilAnswers(environment))
  } catch (cause) {
    await stop()
    const lines = (await readFile(log, 'utf8')).split('\n').slice(-20)
    throw new Error(`dockerd did not start:\n${lines.join('\n')}`, { cause })
  }
  return { environment, [Symbol.asyncDispose]: stop }
}

// It ends its containers first.
const GRACE_MS = 30_000
const POLL_MS = 200
const POLLS = 150

const untilAnswers = async (environment: Environment): Promise<void> => {
  for (let poll = 0; poll < POLLS; poll++) {
    if ((await run(['docker', 'info'], environment)).status === 0) return
    await sleep(POLL_MS)
  }
  throw new Error('no answer')
}
