// `countersign up` with older releases of Envoy: the bootstrap as it is generated, without a change.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { http1 } from '../../servers/client.ts'
import { OLDER_ENVOYS, skipWithoutOlderEnvoy } from '../../servers/older-envoys.ts'
import { ALICE, HOST, received, receivedBy } from '../site.ts'
import { exitOf, launch, startUp, writeSite } from '../up/running.ts'

const OLDEST = 37

for (const older of OLDER_ENVOYS) {
  const minor = Number(older.version.split('.')[1])
  describe(
    `countersign up with Envoy ${older.version}`,
    { skip: skipWithoutOlderEnvoy(older) },
    () => {
      if (minor < OLDEST) {
        it('is refused', async () => {
          await using site = await writeSite()
          const { process: child, log } = launch(site.config, { args: ['--envoy', older.program] })
          assert.equal(await exitOf(child), 1)
          assert.match(log(), /is Envoy 1\.36\.\d+; up needs Envoy ≥ 1\.37\./)
        })
        return
      }

      it('forwards what is permitted, without look-alikes of headers, and refuses the rest', async () => {
        await using up = await startUp(writeSite, { args: ['--envoy', older.program] })
        const look = [
          ['X.Remote~User', 'root'],
          ['x~remote.group', 'system:masters'],
          ['X-Remote.Extra', 'x'],
          ['X.Forwarded.Client-Cert', 'x'],
          ['x-kept.header', 'kept'],
        ] as const
        const permitted = await http1(up.target, { host: HOST, headers: [ALICE, ...look] })
        assert.equal(permitted.status, 200, permitted.body)
        assert.deepEqual(received(permitted, 'x-remote-user'), ['alice'])
        const names = receivedBy(permitted).map(([name]) => name.toLowerCase())
        for (const [name] of look.slice(0, -1)) assert.ok(!names.includes(name.toLowerCase()), name)
        assert.ok(names.includes('x-kept.header'))
        const refused = await http1(up.target, { host: HOST })
        assert.equal(refused.status, 401)
      })
    },
  )
}
