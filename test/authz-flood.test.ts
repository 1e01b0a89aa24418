// A flood of requests without a credential, through the service and its audit log.

import assert from 'node:assert/strict'
import { readFile, stat, writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { startAuthz } from '../src/authz.ts'
import { basic } from './fakes/envoy.ts'
import { EnvoyClient } from './fakes/envoy-client.ts'
import { cheapHash } from './fakes/hashes.ts'
import { temporaryFolder } from './servers/temporary.ts'

const CONFIGURATION = `
version: 1
listen: { authz: 127.0.0.1:0 }
authenticators:
  staff: { basic: { verify: [{ users: { file: users.yaml } }] } }
routes:
  - { name: app, authenticate: [staff], authorize: [{ allow: all }] }
audit:
  file: audit.jsonl
  unauthenticated: { source: { burst: 4096, perSecond: 1 } }
log: { level: error }
`

const REFUSALS = 1_000

describe('a flood of requests without a credential', () => {
  it('takes a bounded part of the audit log, and each of them is counted', async () => {
    await using folder = await temporaryFolder()
    await writeFile(folder.file('countersign.yaml'), CONFIGURATION)
    const hash = await cheapHash('secret')
    await writeFile(folder.file('users.yaml'), `users: { alice: { password: '${hash}' } }`)
    {
      await using authz = await startAuthz(folder.file('countersign.yaml'))
      using client = new EnvoyClient(authz.address)
      const answers = await Promise.all(Array.from({ length: REFUSALS }, () => client.check({})))
      assert.ok(answers.every((answer) => !answer.allow && answer.status === 'Unauthorized'))
      const headers = [['authorization', basic('alice', 'secret')]] as const
      assert.ok((await client.check({ headers })).allow)
    }
    const path = folder.file('audit.jsonl')
    const events = (await readFile(path, 'utf8'))
      .trimEnd()
      .split('\n')
      .map((line): Record<string, unknown> => JSON.parse(line))
    const whole = events.filter(({ reason }) => reason === 'credential-missing').length
    const [summary, ...more] = events.filter(({ event }) => event === 'refusals-summary')
    assert.ok(more.length === 0 && whole > 0)
    assert.equal(whole + Number(summary?.['count']), REFUSALS)
    assert.equal(events.filter(({ decision }) => decision === 'allow').length, 1)
    assert.ok((await stat(path)).size < 8_192)
  })
})
