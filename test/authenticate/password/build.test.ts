// The `basic` section, built: the operational log of lock-outs.

import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { FakeClock } from '../../fakes/clock.ts'
import { basic, requestOf } from '../../fakes/envoy.ts'
import { cheapHash } from '../../fakes/hashes.ts'
import { processLogger } from '../../fakes/logger.ts'
import { temporaryFolder } from '../../servers/temporary.ts'
import { buildFrom } from '../building.ts'

const GUARD =
  '{ userAndSource: { attempts: 1, lockAfter: 1 }, source: { attempts: 1, lockAfter: 1 } }'
const ADDRESSES = 40

describe('lock-outs from many addresses', () => {
  it('are logged with user and address, and repeated lines are suppressed', async () => {
    await using folder = await temporaryFolder()
    const hash = await cheapHash('secret')
    await writeFile(folder.file('users.yaml'), `users: { alice: { password: '${hash}' } }`)
    await using built = await buildFrom(
      folder.file('countersign.yaml'),
      `{ basic: { verify: [{ users: { file: users.yaml } }], bruteForceProtection: ${GUARD} } }`,
    )
    const { signal } = new AbortController()
    for (let index = 0; index < ADDRESSES; index += 1) {
      const request = requestOf({
        sourceAddress: `203.0.113.${index}`,
        headers: [['authorization', basic(index === 0 ? 'alice' : `nobody${index}`, 'wrong')]],
      })
      await built.link?.authenticator.authenticate(request, signal)
    }
    assert.ok(built.log.length >= ADDRESSES)
    const { msg, user, address, count } = JSON.parse(built.log[0] ?? '')
    assert.deepEqual(
      [msg, user, address, count],
      ['lock-out begins', 'alice', '203.0.113.0', 'userAndSource'],
    )
    const { logger, lines } = processLogger(new FakeClock())
    for (const line of built.log) logger.warn(JSON.parse(line), 'lock-out begins')
    assert.ok(lines.length <= 10, `${lines.length} lines`)
  })
})
