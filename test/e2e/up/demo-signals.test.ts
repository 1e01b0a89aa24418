// Slow: starts the demo a dozen times.
// `npm run demo` ends whole, also without a terminal, whichever of its processes a signal reaches.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { skipWithoutEnvoy } from '../../servers/envoy.ts'
import { eventually } from '../site.ts'
import { childrenOf, commandOf, exitOf, isAlive } from './running.ts'

const LIMIT_MS = 60_000
const ROOT = join(import.meta.dirname, '../../..')

const BOTH = ['SIGINT', 'SIGTERM'] as const

/** By a part of the command line, in which NUL keeps arguments apart. */
const PROCESSES: readonly { name: string; of: RegExp; signals: readonly NodeJS.Signals[] }[] = [
  { name: 'npm', of: /^npm run demo/, signals: BOTH },
  { name: 'set-up', of: /^node\0scripts\/setup\.mjs/, signals: BOTH },
  { name: 'the demo', of: /demo\/demo\.ts\0/, signals: BOTH },
  { name: 'countersign up', of: /countersign\.ts\0up/, signals: ['SIGINT'] },
  { name: 'authz', of: /countersign\.ts\0authz/, signals: ['SIGTERM'] },
  { name: 'Envoy', of: /envoy\.yaml/, signals: ['SIGTERM'] },
]

const descendantsOf = (pid: number): readonly number[] => [
  pid,
  ...childrenOf(pid).flatMap(descendantsOf),
]

describe('npm run demo, without a terminal', { skip: skipWithoutEnvoy() }, () => {
  for (const { name, of, signals } of PROCESSES) {
    for (const signal of signals) {
      it(`ends all its processes when ${signal} reaches ${name}`, async (t) => {
        const npm = spawn('npm', ['run', 'demo', '--', '--port', '0'], {
          cwd: ROOT,
          stdio: ['ignore', 'pipe', 'pipe'],
          detached: true,
        })
        const ended = exitOf(npm)
        let output = ''
        for (const stream of [npm.stdout, npm.stderr]) {
          stream.setEncoding('utf8').on('data', (chunk: string) => (output += chunk))
        }
        const isUp = (text: string): boolean =>
          text.includes('ends the demo') || npm.exitCode !== null
        await eventually(() => Promise.resolve(output), isUp, LIMIT_MS)
        const all = descendantsOf(npm.pid ?? 0)
        t.after(() => all.filter(isAlive).forEach((pid) => process.kill(pid, 'SIGKILL')))
        const target = all.find((pid) => of.test(commandOf(pid)))
        assert.ok(target !== undefined, `${name} is none of\n${all.map(commandOf).join('\n')}`)
        process.kill(target, signal)
        const left = (): Promise<readonly number[]> => Promise.resolve(all.filter(isAlive))
        await eventually(left, ({ length }) => length === 0, LIMIT_MS)
        await ended
        assert.doesNotMatch(output, /\[warning\]|closed: 13/)
      })
    }
  }
})
