// docs/operate/rotate-keys.md, done on real processes while requests pass. No request fails, and none has another identity.

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { after, before, describe, it } from 'node:test'
import { until } from '../../fakes/until.ts'
import { skipWithoutEnvoy } from '../../servers/envoy.ts'
import { basic, Callers, publishedKeys, type Caller } from './callers.ts'
import { startOperatedSite, type OperatedSite } from './operated-site.ts'
import { isLoggedIn, logIn } from './logins.ts'

const PAGE = 'docs/operate/rotate-keys.md'

describe('the page "Rotate keys"', { skip: skipWithoutEnvoy() }, () => {
  let site: OperatedSite
  let callers: Callers
  const alice: Caller = { user: 'alice', headers: basic('alice') }
  const dora: Caller = { user: 'dora', certificate: () => 'staff/dora' }
  const ci: Caller = { user: 'ci', headers: () => ({ 'x-api-key': site.apiKey }) }
  before(async () => {
    site = await startOperatedSite()
    callers = new Callers(site, [alice, ci, dora])
    await callers.again()
  })
  after(() => site[Symbol.asyncDispose]())

  const follow = async (part: string, edits = {}): Promise<void> => {
    await site.machine.follow(PAGE, { part, edits })
    await callers.again()
  }

  const trust =
    (...folders: readonly string[]) =>
    async (): Promise<void> => {
      const path = (file: string) => site.machine.path(`/etc/countersign/${file}`)
      await site.upstream.present({
        certificate: path('upstream/upstream.pem'),
        key: path('upstream/upstream.key'),
        clientCas: [path('ca/ca.pem'), ...folders.map((folder) => path(`${folder}/ca.pem`))],
      })
    }

  it('rotates the grant keys: certificates of the new key, and no other, at the end', async () => {
    const old = await site.machine.must('cat grant.keys')
    await follow('grant')
    await until(sealedAnew)
    await follow('grant-end')
    const kept = await site.machine.must('cat signer-ca/grant.keys')
    assert.equal(kept, await site.machine.must('cat grant.keys'))
    assert.notEqual(kept, old)
  })

  /** Whether each caller has a certificate since: a lifetime of 20 s is renewed every ten. */
  const sealedAnew = async (): Promise<boolean> => {
    const log = await readFile(
      site.machine.path('/var/log/countersign/signer/issued.jsonl'),
      'utf8',
    )
    return log.split('"certificate-issued"').length > 6
  }

  it('rotates the CA of the signer: the upstream sees the new one', async () => {
    await follow('ca', { 'trust-both': trust('signer-ca', 'signer-ca-next') })
    const issuers = () => [alice, dora, ci].map((caller) => callers.last(caller).issuer)
    await until(() => issuers().every((issuer) => issuer === 'Signer CA 2027'))
    await follow('ca-end', { 'trust-next': trust('signer-ca-next') })
    assert.deepEqual([...new Set(issuers())], ['Signer CA 2027'])
  })

  it('rotates and revokes signing keys: the revoked one is no longer published', async () => {
    const old = await publishedKeys(site)
    const stolen = async () => site.machine.replace('KID', kidsIn(old)[0] ?? '')
    await follow('signing', { stolen })
    await until(async () => {
      const published = await publishedKeys(site)
      return kidsIn(published).every((kid) => !kidsIn(old).includes(kid))
    })
    await callers.again()
  })

  it('rotates the secret of the state: users remain logged in', async () => {
    const session = await logIn(site, 'alice')
    await follow('state')
    assert.equal(await isLoggedIn(session), true)
    const later = await logIn(site, 'alice')
    await follow('state-end')
    assert.equal(await isLoggedIn(later), true)
    assert.equal(await isLoggedIn(session), false, 'the page says that it is lost')
  })

  it('has refused no request', async (t) => {
    const count = await callers.end()
    t.diagnostic(`${count} requests`)
    assert.ok(count > 50, String(count))
  })
})

const kidsIn = (keys: string): readonly string[] =>
  JSON.parse(keys).keys.map(({ kid }: { kid: string }) => kid)
