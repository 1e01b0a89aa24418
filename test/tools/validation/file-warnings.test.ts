// What a process that starts or reloads logs about files that will stop it, or have stopped part of it already.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { errorAt, warningAt, type Finding } from '../../../src/tools/validation/finding.ts'
import { FileWarnings } from '../../../src/tools/validation/file-warnings.ts'
import { FakeClock } from '../../fakes/clock.ts'
import { memoryLogger } from '../../fakes/logger.ts'

const EXPIRED = errorAt(['listen', 'authz', 'tls', 'certificate'], 'a.pem expired. Renew it')
const EXPOSED = warningAt(['authenticators', 'a b', 'key'], 'b.key has mode 0644 (chmod 0600)')
const REPORTS = { onLoaded: () => undefined, onRejected: () => undefined }

interface Log {
  /** What was logged, and not taken yet. */
  readonly take: () => readonly (readonly unknown[])[]
  readonly parts: (
    find: () => Promise<readonly Finding[]>,
  ) => Parameters<typeof FileWarnings.start>[1]
}

const logOf = (): Log => {
  const { logger, lines } = memoryLogger()
  let taken = 0
  return {
    take: () =>
      lines.slice(taken, (taken = lines.length)).map((line) => {
        const { level, key, problem, msg } = JSON.parse(line)
        return [level, key, problem ?? msg]
      }),
    parts: (find) => ({ find, clock: new FakeClock(), logger }),
  }
}

const WARN = 40
const ERROR = 50

describe('warnings about files', () => {
  it('are logged at the start, one for each file, with its key in the configuration', async () => {
    const { take, parts } = logOf()
    await FileWarnings.start(
      {},
      parts(async () => [EXPIRED, EXPOSED]),
    )
    assert.deepEqual(take(), [
      [WARN, 'listen.authz.tls.certificate', 'a.pem expired. Renew it'],
      [WARN, 'authenticators["a b"].key', 'b.key has mode 0644 (chmod 0600)'],
    ])
  })

  it('are logged after a reload, unless they were logged before it', async () => {
    const { take, parts } = logOf()
    let findings: readonly Finding[] = [EXPIRED]
    const warnings = await FileWarnings.start(
      {},
      parts(async () => findings),
    )
    take()
    const reports = warnings.following<{ config: object }>(REPORTS)
    const reload = async (next: readonly Finding[]): Promise<void> => {
      findings = next
      const loaded = { value: { config: {} }, generation: 2 }
      reports.onLoaded(loaded, loaded)
      await setImmediate() // after what the report began, which waits for nothing outside
    }
    await reload([EXPIRED, EXPOSED])
    assert.deepEqual(
      take().map(([, key]) => key),
      ['authenticators["a b"].key'],
    )
    await reload([])
    await reload([EXPIRED])
    assert.deepEqual(
      take().map(([, key]) => key),
      ['listen.authz.tls.certificate'],
    )
  })

  it('do not stop a start where the files cannot be examined', async () => {
    const { take, parts } = logOf()
    const find = async (): Promise<readonly Finding[]> => {
      throw new Error('a fault')
    }
    await FileWarnings.start({}, parts(find))
    assert.deepEqual(take(), [[ERROR, undefined, 'files of the configuration cannot be examined']])
  })
})
