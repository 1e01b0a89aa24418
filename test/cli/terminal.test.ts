// Progress and colours at a real terminal, and their absence in a pipe.
//
// Slow: it starts processes.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { open, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { ROOT } from '../docs/markdown.ts'
import { cheapHash } from '../fakes/hashes.ts'
import { MINIMAL_CONFIGURATION } from '../fakes/minimal-configuration.ts'
import { atTerminal, skipWithoutTerminal, type AtTerminal } from '../servers/terminal.ts'
import { temporaryFolder, type TemporaryFolder } from '../servers/temporary.ts'
import { countersignProcess, type Result } from './run.ts'

const EVENT = `${JSON.stringify({ log: 'audit', event: 'configuration-loaded', generation: 1, file: 'x'.repeat(2_000) })}\n`
const ERASED = '\r\u001b[2K' // ECMA-48 §8.3.41
const XTERM = { TERM: 'xterm' }

const siteFolder = async (): Promise<TemporaryFolder> => {
  const folder = await temporaryFolder()
  const hash = await cheapHash('secret')
  await writeFile(folder.file('users.yaml'), `users: { alice: { password: '${hash}' } }`)
  await writeFile(folder.file('countersign.yaml'), MINIMAL_CONFIGURATION)
  return folder
}

const atTerminalOf = (args: readonly string[], env: NodeJS.ProcessEnv): AtTerminal =>
  atTerminal([process.execPath, join(ROOT, 'src/countersign.ts'), ...args], env)

/** Writes events into a pipe with a name until something is over, and a second at least. */
const trickle = async (pipe: string, isOver: () => boolean): Promise<void> => {
  await using handle = await open(pipe, 'r+') // which waits for no reader (fifo(7))
  const begin = performance.now()
  while (!isOver() || performance.now() - begin < 1_000) {
    await handle.write(EVENT.repeat(20)) // what a pipe takes, at most, without a reader (pipe(7))
    await sleep(50)
  }
}

describe('long work', { skip: skipWithoutTerminal() }, () => {
  const replayOf = async (folder: TemporaryFolder): Promise<readonly string[]> => {
    execFileSync('mkfifo', [folder.file('log')])
    return ['replay', '--config', folder.file('countersign.yaml'), folder.file('log')]
  }

  it('shows its progress at a terminal, and removes the line before the result', async () => {
    await using folder = await siteFolder()
    const args = await replayOf(folder)
    await using terminal = atTerminalOf(args, XTERM)
    let isShown = false
    const shown = terminal.shows(/reading \S+log: \d+ MB/).then(() => (isShown = true))
    await Promise.all([trickle(folder.file('log'), () => isShown), shown])
    const { screen } = await terminal.ended
    const last = screen.slice(screen.lastIndexOf(ERASED))
    assert.doesNotMatch(last, /reading/)
    assert.match(last, /there is no decision in/)
  })

  it('shows no progress in a pipe', async () => {
    await using folder = await siteFolder()
    const args = await replayOf(folder)
    let result: Result | undefined
    const running = countersignProcess(args).then((ended) => (result = ended))
    await trickle(folder.file('log'), () => true)
    await running
    assert.doesNotMatch(`${result?.stdout}${result?.stderr}`, /reading|\r/)
  })
})

describe('a warning of validate', { skip: skipWithoutTerminal() }, () => {
  const YELLOW = '\u001b[33mwarning:\u001b[39m'
  const CASES = [
    { name: 'is coloured at a terminal', env: XTERM, want: true },
    {
      name: 'has no colour at a terminal with NO_COLOR',
      env: { ...XTERM, NO_COLOR: '1' },
      want: false,
    },
    { name: 'has no colour at a dumb terminal', env: { TERM: 'dumb' }, want: false },
    { name: 'is coloured with FORCE_COLOR', env: { TERM: 'dumb', FORCE_COLOR: '1' }, want: true },
  ]
  for (const { name, env, want } of CASES) {
    it(name, async () => {
      await using folder = await siteFolder()
      const text = MINIMAL_CONFIGURATION.replace(
        '[{ allow: all }]',
        '[{ allow: all }, { deny: nothing, methods: [GET] }]',
      )
      await writeFile(folder.file('countersign.yaml'), text)
      const args = ['validate', '--config', folder.file('countersign.yaml')]
      await using terminal = atTerminalOf(args, env)
      const { screen } = await terminal.ended
      assert.match(screen, /warning:/)
      assert.equal(screen.includes(YELLOW), want, screen)
    })
  }
})
