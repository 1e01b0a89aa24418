// The outcome of requests while a component is down: authz, the provider, the policies. Steps are in
// README.md.

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { http1, type Answer, type HeaderLine } from '../../servers/client.ts'
import { basic, eventually, received, receivedBy } from '../site.ts'
import { verdictOf } from './asking.ts'
import { PASSWORD } from './configuration.ts'
import { meshConfig, objectsOf, type KubeObject } from './files.ts'
import { apply } from './mesh.ts'
import { HOSTS, skipWithoutServers, startIstioSite, type IstioSite } from './site.ts'

const ALICE = basic('alice', PASSWORD)
const POLICIES = 'authorizationpolicies.security.istio.io'

describe('an ingress gateway without', { skip: skipWithoutServers(), timeout: 180_000 }, () => {
  let site: IstioSite
  before(async () => {
    site = await startIstioSite()
    await site.apply('envoy-filter.yaml')
    await site.gateway.until((text) => text.includes('early_header_mutation'))
  })
  after(() => site[Symbol.asyncDispose]())

  const ask = (
    headers: readonly HeaderLine[] = [ALICE],
    host: string = HOSTS.api,
  ): Promise<Answer> => http1(site.target(host), { headers })

  const status = async (): Promise<number> => (await ask()).status

  const becomes = (wanted: number): Promise<number> =>
    eventually(status, (current) => current === wanted)

  /** Asks, and sees to it that the application hears nothing. */
  const refused = async (headers?: readonly HeaderLine[]): Promise<string> => {
    site.api.clear()
    const verdict = await verdictOf(site, await ask(headers))
    assert.equal(site.api.requests.length, 0)
    return verdict
  }

  /** Applies the first policy with something changed. */
  const changePolicy = async (change: (spec: KubeObject['spec']) => object): Promise<void> => {
    const [policy] = await objectsOf('authorization-policy.yaml', site.places)
    assert.ok(policy !== undefined)
    await apply(site.cluster, [{ ...policy, spec: change(policy.spec) }])
  }

  it('13. an answer of authz: 503 at the provider’s timeout, and nothing is forwarded', async () => {
    await becomes(200)
    site.authz.signal('SIGSTOP')
    const begun = performance.now()
    assert.equal(await refused(), '503 by the gateway')
    const seconds = (performance.now() - begun) / 1_000
    assert.ok(seconds > 4.5 && seconds < 8, `${seconds} s`)
    site.authz.signal('SIGCONT')
    await becomes(200)
  })

  it('14. authz: 503, or the provider’s statusOnError, which is 403 by default', async () => {
    await site.authz.end('SIGKILL')
    assert.equal(await refused(), '503 by the gateway')
    const { extensionProviders, ...mesh } = await meshConfig()
    const silent = extensionProviders.map(({ envoyExtAuthzGrpc, ...provider }) => ({
      ...provider,
      envoyExtAuthzGrpc: { ...Object(envoyExtAuthzGrpc), statusOnError: undefined },
    }))
    await site.istiod.configure({ ...mesh, extensionProviders: silent })
    await becomes(403)
    assert.equal(await refused(), '403 by the gateway')
    await site.istiod.configure(await meshConfig())
    await site.authz.start()
    await becomes(200)
  })

  it('15. a provider of that name: 403', async () => {
    await changePolicy((spec) => ({ ...spec, provider: { name: 'countersing' } }))
    await becomes(403)
    assert.equal(await refused(), '403 by the gateway')
    await changePolicy((spec) => spec)
    await becomes(200)
  })

  it('16. a check for other hosts, once a rule names hosts: still refused', async () => {
    const hosts = [HOSTS.reports]
    await changePolicy((spec) => ({ ...spec, rules: [{ to: [{ operation: { hosts } }] }] }))
    await becomes(403)
    assert.equal(await refused(), '403 by the gateway')
    await changePolicy((spec) => spec)
    await becomes(200)
  })

  it('17. the policy: every request is refused while the second policy exists', async () => {
    await site.remove(POLICIES, 'countersign')
    await becomes(403)
    assert.equal(await refused(), '403 by the gateway')
    assert.equal(await refused([ALICE, ['Audit-ID', 'forged']]), '403 by the gateway')
  })

  it('18. both policies: the gateway is open, and forwards what callers send', async () => {
    await site.remove(POLICIES, 'countersign-permitted')
    await becomes(200)
    const answer = await ask([
      ALICE,
      ['X-Remote-User', 'root'],
      ['X-Remote-Group', 'system:masters'],
    ])
    assert.deepEqual(received(answer, 'authorization'), [ALICE[1]])
    // The EnvoyFilter is still in force: no forged identity is accepted.
    assert.ok(!receivedBy(answer).some(([name]) => name.startsWith('x-remote-')))
    assert.equal((await ask([], HOSTS.reports)).status, 200)
  })

  it('19. the policies and the EnvoyFilter: identity headers of callers are forwarded', async () => {
    await site.remove('envoyfilters.networking.istio.io', 'countersign')
    const forged = (): Promise<Answer> => ask([['X-Remote-User', 'root']])
    const answer = await eventually(forged, (each) => received(each, 'x-remote-user').length > 0)
    assert.deepEqual(received(answer, 'x-remote-user'), ['root'])
  })
})
