import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, before, describe, it } from 'node:test'
import { http2, http2On, openHttp2 } from '../../servers/client.ts'
import { skipWithoutEnvoy } from '../../servers/envoy.ts'
import { sendRaw, upgradeRaw } from '../../servers/raw-client.ts'
import { temporaryFolder, type TemporaryFolder } from '../../servers/temporary.ts'
import { verdictOf } from '../asking.ts'
import { eventually, HOST, startSite, type Site } from '../site.ts'
import { as, makeCa, makeCaller, now, writePem } from './callers.ts'

const root = makeCa('Staff CA')

/** How long the certificate is good. */
const SECONDS = 4

describe('a certificate that expires', { skip: skipWithoutEnvoy() }, () => {
  let folder: TemporaryFolder
  let site: Site
  before(async () => {
    folder = await temporaryFolder()
    const trust = await writePem(folder, 'trust.pem', root)
    site = await startSite({
      authenticators: { cards: { certificate: { trust } } },
      route: { authenticate: ['cards'] },
      listener: { clientCa: trust },
    })
  })
  after(async () => {
    await site[Symbol.asyncDispose]()
    await folder[Symbol.asyncDispose]()
  })

  // Of which the first half would never end.
  const bound = { timeout: 30_000 }

  it('ends the streams that it began, and is refused on an open connection', bound, async () => {
    const end = now() + SECONDS
    const holder = as(site, await makeCaller(folder, { signer: root, notAfter: end }))
    const session = await openHttp2(holder.target)
    const ask = async (): Promise<string> =>
      await verdictOf(site, await http2On(session, { host: HOST }))
    assert.equal(await ask(), '200 permitted')

    const stream = sendRaw(holder.target, {
      line: 'GET /slow?interval=50 HTTP/1.1',
      headers: [['Host', HOST]],
    })
    using upgraded = await upgradeRaw(holder.target, {
      headers: [
        ['Host', HOST],
        ['Connection', 'Upgrade'],
        ['Upgrade', 'websocket'],
      ],
    })
    assert.equal(upgraded.answer.status, 101)
    upgraded.socket.resume()
    const [answer] = await Promise.all([stream, once(upgraded.socket, 'close')])
    assert.equal(answer.status, 200)
    // Envoy rounds: a moment early is not at once.
    assert.ok(Date.now() > (end - 1) * 1_000, `${end * 1_000 - Date.now()} ms early`)
    for (const { rawHeaders } of site.upstream.requests.slice(-2)) {
      assert.doesNotMatch(rawHeaders.join(), /stream-duration/i)
    }

    const verdict = await eventually(ask, (one) => one !== '200 permitted')
    assert.equal(verdict, '401 certificate-expired')
    assert.ok(Date.now() >= end * 1_000)
    session.destroy()
    await assert.rejects(http2(holder.target, { host: HOST }))
  })
})
