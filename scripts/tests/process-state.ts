// What a test file must leave as it found it, in a process that other files use after it.

import { mock } from 'node:test'

const GLOBALS = [
  'fetch',
  'Date',
  'setTimeout',
  'setInterval',
  'setImmediate',
  'queueMicrotask',
  'crypto',
  'performance',
  'process',
  'console',
] as const
const EVENTS = [
  'exit',
  'uncaughtException',
  'unhandledRejection',
  'warning',
  'SIGHUP',
  'SIGINT',
  'SIGTERM',
] as const

type State = ReadonlyMap<string, unknown>

/** The state of this process, one entry for each thing that a file can change. */
export const processState = (): State =>
  new Map<string, unknown>([
    ...Object.entries(process.env).map(([name, value]) => [`process.env.${name}`, value] as const),
    ...GLOBALS.map((name) => [`globalThis.${name}`, globalThis[name]] as const),
    ...EVENTS.map((event) => [`listeners of ${event}`, process.listenerCount(event)] as const),
    ['Date.now', Reflect.get(Date, 'now')],
    ['process.stdout.write', Reflect.get(process.stdout, 'write')],
    ['process.stderr.write', Reflect.get(process.stderr, 'write')],
    ['process.exit', Reflect.get(process, 'exit')],
    ['the working directory', process.cwd()],
    ['the umask', process.umask()],
  ])

/** What has changed since, as problems; the environment, the folder and mocks are put back. */
export const restoreProcessState = (before: State): readonly string[] => {
  mock.restoreAll()
  const after = processState()
  const changed = [...new Set([...before.keys(), ...after.keys()])].filter(
    (name) => before.get(name) !== after.get(name),
  )
  for (const name of changed) restore(name, before.get(name))
  return changed.map((name) => `It leaves ${name} changed, which other files would see.`)
}

const restore = (name: string, value: unknown): void => {
  if (typeof value === 'number' && name === 'the umask') process.umask(value)
  if (typeof value === 'string' && name === 'the working directory') process.chdir(value)
  if (!name.startsWith('process.env.')) return
  const variable = name.slice('process.env.'.length)
  if (typeof value === 'string') process.env[variable] = value
  else delete process.env[variable]
}
