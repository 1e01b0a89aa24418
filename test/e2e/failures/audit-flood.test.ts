// One client without a credential, through Envoy: it claims another address with each request, and fills
// only its share of the audit log.

import assert from 'node:assert/strict'
import { readFile, stat } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { countersign } from '../../cli/run.ts'
import { http1, openHttp2 } from '../../servers/client.ts'
import { skipWithoutEnvoy } from '../../servers/envoy.ts'
import { ALICE, HOST, startSite } from '../site.ts'

const REQUESTS = 1_000
const AT_ONCE = 50
// `audit.unauthenticated.source.burst`, by default.
const BURST = 1_048_576

describe('a flood of refusals from one address', { skip: skipWithoutEnvoy() }, () => {
  it('is one source in the audit log, leaves the events of other sources complete, and can be found by its address', async () => {
    await using site = await startSite()
    const session = await openHttp2(site.target)
    const ask = async (index: number): Promise<number> => {
      const { promise, resolve, reject } = Promise.withResolvers<number>()
      session
        .request({
          ':path': `/${'x'.repeat(1_500)}`,
          ':authority': HOST,
          'x-forwarded-for': `198.51.100.${index % 256}`,
        })
        .on('error', reject)
        .on('response', (headers) => resolve(Number(headers[':status'])))
        .resume()
      return await promise
    }
    for (let index = 0; index < REQUESTS; index += AT_ONCE) {
      const statuses = await Promise.all(
        Array.from({ length: AT_ONCE }, async (_, at) => await ask(index + at)),
      )
      assert.ok(statuses.every((status) => status === 401))
    }
    session.close()
    const other = { ...site.target, from: '127.0.0.2' }
    assert.equal((await http1(other, { path: '/other' })).status, 401)
    assert.equal((await http1(site.target, { headers: [ALICE] })).status, 200)
    await site.authz.end('SIGTERM')
    const { audit } = site.files
    // Some come back in the seconds that it takes.
    assert.ok((await stat(audit)).size < BURST * 1.5)
    const events = (await readFile(audit, 'utf8'))
      .trimEnd()
      .split('\n')
      .map((line): Record<string, unknown> => JSON.parse(line))
    const whole = events.filter(
      ({ source, decision }) => source === '127.0.0.1' && decision === 'deny',
    )
    const summaries = events.filter(({ event }) => event === 'refusals-summary')
    assert.ok(summaries.length > 0 && summaries.every(({ source }) => source === '127.0.0.1'))
    const counted = summaries.reduce((sum, { count }) => sum + Number(count), 0)
    assert.equal(whole.length + counted, REQUESTS)
    assert.ok(counted > REQUESTS / 4)
    assert.equal(events.filter(({ path }) => path === '/other').length, 1)
    assert.equal(events.filter(({ decision }) => decision === 'allow').length, 1)
    const { status, stdout } = await countersign(['trace', '127.0.0.1', '--audit', audit])
    assert.equal(status, 0)
    assert.match(stdout, /Countersign refused: \d+ requests\n +from +127\.0\.0\.1\n/)
  })
})
