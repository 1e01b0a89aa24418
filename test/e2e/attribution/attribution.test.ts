import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { skipWithoutEnvoy } from '../../servers/envoy.ts'
import { startCertificateSite, type SiteUser } from '../certificate-site.ts'
import { release, type Swarm } from './swarm.ts'

const usersOf = (count: number): Record<string, SiteUser> =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`user-${index}`, {}]))

const VERSIONS = ['http1', 'http2'] as const
const WORKERS = 4

for (const upstream of VERSIONS) {
  for (const version of VERSIONS) {
    describe(`attribution: ${version} in, ${upstream} out`, { skip: skipWithoutEnvoy() }, () => {
      it('each of 200 identities has its own certificate in 50 requests, 50 at once', async () => {
        const users = usersOf(200)
        await using site = await startCertificateSite({
          users,
          protocol: upstream,
          concurrency: WORKERS,
        })
        const swarm: Swarm = {
          users: Object.keys(users),
          requests: 50,
          concurrency: 50,
          version,
        }
        const { statuses, misattributed } = await release(site.target, swarm)
        assert.deepEqual([...statuses], [[200, 10_000]])
        assert.equal(misattributed, 0)
        // One certificate for each identity and slot, however many workers requested it.
        const handles = new Set((await site.decisions()).map(({ handle }) => handle))
        const issued = (await site.issuances()).filter(
          ({ event }) => event === 'certificate-issued',
        )
        assert.equal(issued.length, handles.size)
      })
    })
  }
}

describe('attribution', { skip: skipWithoutEnvoy() }, () => {
  it('two alternating identities on one connection have their own certificates', async () => {
    await using site = await startCertificateSite({ concurrency: 1 })
    const swarm: Swarm = {
      users: ['alice', 'bob'],
      requests: 100,
      concurrency: 1,
      version: 'http2',
    }
    const { statuses, misattributed } = await release(site.target, swarm)
    assert.deepEqual([...statuses], [[200, 200]])
    assert.equal(misattributed, 0)
    assert.equal(new Set(site.upstream.requests.map(({ connection }) => connection)).size, 2)
  })

  // Proof that the tests above can fail: the one setting that must not be different.
  for (const upstream of VERSIONS) {
    it(`with envoy.string in place of envoy.hashable_string, identities are mistaken (${upstream})`, async () => {
      const users = usersOf(20)
      await using site = await startCertificateSite({
        users,
        protocol: upstream,
        bootstrap: (yaml) => yaml.replace('envoy.hashable_string', 'envoy.string'),
      })
      const swarm: Swarm = {
        users: Object.keys(users),
        requests: 20,
        concurrency: 20,
        version: 'http2',
      }
      const { misattributed } = await release(site.target, swarm)
      assert.ok(misattributed > 0)
    })
  }
})
