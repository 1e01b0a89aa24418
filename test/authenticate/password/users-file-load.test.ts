// A users file that is rewritten again and again under load, by a whole authz: a user of every version is never
// refused, and a removed user is refused, whatever was cached.
//
// Slow: it verifies hashes for seconds.

import assert from 'node:assert/strict'
import { rename, writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { stringify } from 'yaml'
import { CountersignProcess } from '../../e2e/process.ts'
import { EnvoyClient } from '../../fakes/envoy-client.ts'
import { basic } from '../../fakes/envoy.ts'
import { cheapHash } from '../../fakes/hashes.ts'
import { temporaryFolder } from '../../servers/temporary.ts'

const PASSWORD = 'open sesame'
const ROUNDS = 40
const CALLERS = 4

const CONFIGURATION = stringify({
  version: 1,
  listen: { authz: 'unix:authz.sock' },
  authenticators: {
    staff: { basic: { realm: 'Site', verify: [{ users: { file: 'users.yaml' } }] } },
  },
  routes: [
    {
      name: 'app',
      match: { hosts: ['app.example.org'] },
      authenticate: ['staff'],
      authorize: [{ allow: 'everybody' }],
      forward: { headers: 'kubernetes' },
    },
  ],
  audit: { file: 'audit.jsonl' },
})

describe('a users file that is rewritten under load', () => {
  it('accepts a user of every version at any time, and refuses a removed user', async (t) => {
    await using stack = new AsyncDisposableStack()
    const folder = stack.use(await temporaryFolder())
    const password = await cheapHash(PASSWORD)
    const replace = async (text: string): Promise<void> => {
      await writeFile(folder.file('users.part'), text)
      await rename(folder.file('users.part'), folder.file('users.yaml'))
    }
    const fileOf = (...names: readonly string[]): string =>
      stringify(
        { users: Object.fromEntries(names.map((name) => [name, { password }])) },
        { aliasDuplicateObjects: false },
      )
    await replace(fileOf('alice', 'bob'))
    await writeFile(folder.file('countersign.yaml'), CONFIGURATION)
    const authz = stack.use(new CountersignProcess('authz', folder.file('countersign.yaml')))
    await authz.start()
    const client = stack.use(new EnvoyClient({ kind: 'unix', path: folder.file('authz.sock') }))
    const isLetIn = async (user: string, own = PASSWORD): Promise<boolean> => {
      const headers = [['authorization', basic(user, own)]] as const
      return (await client.check({ host: 'app.example.org', headers })).allow
    }
    const until = async (user: string, wanted: boolean): Promise<void> => {
      const end = Date.now() + 10_000
      while ((await isLetIn(user)) !== wanted) {
        assert.ok(Date.now() < end, `${user} is ${wanted ? 'not let in' : 'still let in'}`)
        await sleep(20)
      }
    }

    const over = new AbortController()
    let count = 0
    const load = async (): Promise<void> => {
      while (!over.signal.aborted) {
        assert.equal(await isLetIn('alice'), true)
        count += 1
      }
    }
    const callers = Promise.all(Array.from({ length: CALLERS }, load))
    for (let round = 0; round < ROUNDS; round += 1) {
      // Every third version is invalid: the one before remains in use.
      const names = round % 2 === 0 ? ['alice'] : ['alice', 'bob']
      const text =
        round % 3 === 2 ? 'users: {alice: {password: plain}}' : fileOf(...names, `user-${round}`)
      await replace(text)
      await sleep(25)
    }
    await replace(fileOf('alice', 'bob'))
    await until('bob', true)
    await replace(fileOf('alice'))
    await until('bob', false)
    await sleep(200)
    assert.equal(await isLetIn('bob'), false)
    over.abort()
    await callers
    t.diagnostic(`${count} answers`)
    assert.ok(count > 50, `${count}`)
  })
})
