// docs/operate/rotate-certificates.md, done on real processes while requests pass. No request fails, and none has another
// identity.

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { until } from '../../fakes/until.ts'
import { skipWithoutEnvoy } from '../../servers/envoy.ts'
import { basic, call, Callers, type Caller } from './callers.ts'
import { startOperatedSite, type OperatedSite } from './operated-site.ts'

const PAGE = 'docs/operate/rotate-certificates.md'

describe('the page "Rotate certificates"', { skip: skipWithoutEnvoy() }, () => {
  let site: OperatedSite
  let callers: Callers
  let doras = 'staff/dora'
  const alice: Caller = { user: 'alice', headers: basic('alice') }
  const dora: Caller = { user: 'dora', certificate: () => doras }
  const front: Caller = { user: 'bob', host: 'front.example.org', headers: basic('bob') }
  before(async () => {
    site = await startOperatedSite()
    await site.machine.follow(PAGE, { part: 'once' })
    callers = new Callers(site, [alice, dora, front])
    await callers.again()
  })
  after(() => site[Symbol.asyncDispose]())

  const follow = async (part: string, edits = {}): Promise<void> => {
    await site.machine.follow(PAGE, { part, edits })
    await callers.again()
  }
  const path = (file: string): string => site.machine.path(`/etc/countersign/${file}`)

  it('renews the certificate of Envoy for callers', async () => await follow('edge'))

  it('renews the front-proxy certificate: Envoy has the new one', async () => await follow('front'))

  it('renews both certificates between Envoy and authz: a new connection is accepted', async () => {
    await follow('authz')
    await site.machine.must('systemctl restart countersign-authz')
    await callers.again()
  })

  it('replaces the CA of an upstream', async () => {
    const next = async (): Promise<void> => {
      await site.machine.must(
        'countersign ca server --ca ca-next --dns localhost --out upstream --as next',
      )
      const tls = { certificate: path('upstream/next.pem'), key: path('upstream/next.key') }
      await site.upstream.present({
        ...tls,
        clientCas: [path('ca/ca.pem'), path('signer-ca/ca.pem')],
      })
      // New identities, and so new connections, on which the upstream presents it.
      const [bob] = [{ user: 'bob', headers: basic('bob') }]
      assert.equal((await call(site, bob)).status, 200)
    }
    await follow('upstream', { 'upstream-next': next })
    // That of the connection to authz is another file.
    await until(async () => (await contextsWith('ca/ca.pem')) === 1)
    await callers.again(6)
  })

  /** In how many contexts Envoy has a CA. */
  const contextsWith = async (ca: string): Promise<number> => {
    const serial = await site.machine.must(`openssl x509 -in ${ca} -noout -serial`)
    const certs = await site.machine.must(
      'curl --silent --unix-socket /run/envoy/admin.sock http://localhost/certs',
    )
    return certs.split(serial.trim().replace('serial=', '').toLowerCase()).length - 1
  }

  it('replaces the CA of callers: the certificate of the old one is refused at the end', async () => {
    await follow('trust')
    await follow('trust-end', {
      'dora-next': async () => {
        doras = 'staff-next/dora'
        await callers.again()
      },
    })
    const old = { user: 'dora', certificate: () => 'staff/dora' }
    await until(async () => (await call(site, old).catch(() => undefined))?.status !== 200)
  })

  it('has refused no request', async (t) => {
    const count = await callers.end()
    t.diagnostic(`${count} requests`)
    assert.ok(count > 30, String(count))
  })

  it('refuses a certificate of the deny-list', async () => {
    assert.equal((await call(site, dora)).status, 200)
    await site.machine.follow(PAGE, { part: 'deny' })
    await until(async () => (await call(site, dora)).status === 401)
  })
})
