// A flood of requests without a credential, through the service and its audit log.
//
// Slow: it floods a server for seconds.

import assert from 'node:assert/strict'
import { readFile, rename, stat, writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { startAuthz } from '../src/authz.ts'
import { basic } from './fakes/envoy.ts'
import { EnvoyClient } from './fakes/envoy-client.ts'
import { cheapHash } from './fakes/hashes.ts'
import { temporaryFolder, type TemporaryFolder } from './servers/temporary.ts'

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

/** Writes the files of a configuration. */
const writeFiles = async (folder: TemporaryFolder): Promise<void> => {
  const hash = await cheapHash('secret')
  await writeFile(folder.file('users.yaml'), `users: { alice: { password: '${hash}' } }`)
  await writeFile(folder.file('countersign.yaml'), CONFIGURATION)
}

type Events = readonly Readonly<Record<string, unknown>>[]

const eventsIn = async (path: string): Promise<Events> =>
  (await readFile(path, 'utf8'))
    .trimEnd()
    .split('\n')
    .map((line): Record<string, unknown> => JSON.parse(line))

/** How many requests without a credential the events report, one by one or in summaries. */
const countedIn = (events: Events): number =>
  events
    .map(({ event, reason, count }) => {
      if (event === 'refusals-summary') return Number(count)
      return reason === 'credential-missing' ? 1 : 0
    })
    .reduce((sum, count) => sum + count, 0)

describe('a flood of requests without a credential', () => {
  it('takes a bounded part of the audit log, and each request is counted', async () => {
    await using folder = await temporaryFolder()
    await writeFiles(folder)
    {
      await using authz = await startAuthz(folder.file('countersign.yaml'))
      using client = new EnvoyClient(authz.address)
      const answers = await Promise.all(Array.from({ length: REFUSALS }, () => client.check({})))
      assert.ok(answers.every((answer) => !answer.allow && answer.status === 'Unauthorized'))
      const headers = [['authorization', basic('alice', 'secret')]] as const
      assert.ok((await client.check({ headers })).allow)
    }
    const path = folder.file('audit.jsonl')
    const events = await eventsIn(path)
    assert.equal(countedIn(events), REFUSALS)
    assert.equal(events.filter(({ event }) => event === 'refusals-summary').length, 1)
    assert.equal(events.filter(({ decision }) => decision === 'allow').length, 1)
    assert.ok((await stat(path)).size < 8_192)
  })
})

describe('a flood while the audit log is rotated', () => {
  it('leaves each refusal in one of the files exactly once', async () => {
    await using folder = await temporaryFolder()
    await writeFiles(folder)
    const path = folder.file('audit.jsonl')
    const ROTATIONS = 5
    {
      await using authz = await startAuthz(folder.file('countersign.yaml'))
      using client = new EnvoyClient(authz.address)
      for (let rotation = 1; rotation <= ROTATIONS; rotation += 1) {
        const answers = Array.from({ length: REFUSALS / ROTATIONS }, () => client.check({}))
        await Promise.any(answers)
        await rename(path, `${path}.${rotation}`)
        await authz.reload()
        await Promise.all(answers)
      }
    }
    const files = [path, ...Array.from({ length: ROTATIONS }, (_, index) => `${path}.${index + 1}`)]
    const events = (await Promise.all(files.map(eventsIn))).flat()
    assert.equal(countedIn(events), REFUSALS)
    assert.ok(events.filter(({ event }) => event === 'refusals-summary').length > 1)
  })
})
