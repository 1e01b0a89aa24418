import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { valuesOf } from '../../servers/client.ts'
import { skipWithoutEnvoy } from '../../servers/envoy.ts'
import {
  createOpensslCa,
  skipWithoutOpenssl,
  type OcspResponder,
  type OpensslCa,
} from '../../servers/ocsp.ts'
import { startScriptedHttp, type ScriptedHttp } from '../../servers/scripted-http.ts'
import { send, verdictOf, verdictOn } from '../asking.ts'
import { ALICE, eventually, startSite, type Site } from '../site.ts'
import { as } from './callers.ts'
import { reconfigure } from './changing.ts'

const KNOWN = ['alice', 'bob', 'carol', 'dave', 'erin', 'formerly'] as const

/** Answers are remembered, and waited for, so briefly that a test can wait for the end of both. */
const SHORT = { cacheTtl: '1s', timeout: '500ms' } as const

/** Counts the questions on their way to the responder. */
const relayTo = async ({ url }: OcspResponder): Promise<ScriptedHttp> =>
  await startScriptedHttp(async ({ body }) => {
    const headers = { 'content-type': 'application/ocsp-request' }
    const response = await fetch(url, { method: 'POST', headers, body: Uint8Array.from(body) })
    return { status: response.status, body: Buffer.from(await response.arrayBuffer()) }
  })

describe(
  'client certificates with a real OCSP responder',
  { skip: skipWithoutEnvoy() || skipWithoutOpenssl() },
  () => {
    let ca: OpensslCa
    let responder: OcspResponder
    let relay: ScriptedHttp
    let site: Site
    before(async () => {
      ca = await createOpensslCa()
      for (const name of KNOWN) {
        await ca.issue(name)
      }
      await ca.issue('stranger', 'leaf', true)
      await ca.issue('responder', 'responder')
      await ca.revoke('formerly')
      responder = await ca.respond('responder')
      relay = await relayTo(responder)
      site = await startSite({
        authenticators: { cards: cards({ cacheTtl: '1h', timeout: '4s' }) },
        route: { authenticate: ['cards', 'staff'] },
        listener: { clientCa: ca.folder.file('ca.crt') },
      })
    })
    after(async () => {
      await site[Symbol.asyncDispose]()
      await relay[Symbol.asyncDispose]()
      await responder[Symbol.asyncDispose]()
      await ca[Symbol.asyncDispose]()
    })

    const cards = (ocsp: object, more: object = {}): object => ({
      certificate: {
        trust: ca.folder.file('ca.crt'),
        revocation: { ocsp: { urls: [relay.origin], coolDown: '200ms', ...ocsp }, ...more },
      },
    })

    const holder = (name: string): Site =>
      as(site, {
        certificate: ca.folder.file(`${name}.crt`),
        key: ca.folder.file(`${name}.key`),
      })
    const verdictFor = (name: string): Promise<string> => verdictOn(holder(name))
    /** Where answers are waited for so briefly that one may be late. */
    const decided = (name: string, verdict: string): Promise<string> =>
      eventually(
        () => verdictFor(name),
        (one) => one === verdict,
      )

    it('1. good ones are accepted, with one query', async () => {
      for (const name of ['alice', 'bob', 'alice', 'bob', 'alice']) {
        assert.equal(await verdictFor(name), '200 permitted')
      }
      assert.equal(relay.requests.length, 2)
    })

    it('2. revoked and unknown ones are refused, each with its reason', async () => {
      assert.equal(await verdictFor('formerly'), '401 certificate-revoked')
      assert.equal((await site.events()).at(-1)?.user, 'formerly')
      assert.equal(await verdictFor('stranger'), '401 certificate-status-unknown')
      assert.equal(await verdictOn(holder('formerly'), ALICE), '401 certificate-revoked')
    })

    it('3. one that is revoked meanwhile is accepted until the cached answer ends', async () => {
      await ca.revoke('alice')
      const requests = relay.requests.length
      assert.equal(await verdictFor('alice'), '200 permitted')
      assert.equal(relay.requests.length, requests)
      await reconfigure(site, { authenticators: { cards: cards(SHORT) } })
      await decided('bob', '200 permitted')
      await ca.revoke('bob')
      await decided('alice', '401 certificate-revoked')
      await decided('bob', '401 certificate-revoked')
    })

    it('4. the responder is silent: 503 for certificates without a cached status, and only for those', async () => {
      await decided('dave', '200 permitted')
      responder.pause()
      const [answer, password] = await Promise.all([send(holder('carol')), verdictOn(site, ALICE)])
      // By authz, and not by Envoy: before that stops waiting.
      assert.equal(await verdictOf(site, answer), '503 authenticator-unavailable')
      assert.match(valuesOf(answer, 'retry-after').join(), /^[1-9]\d*$/)
      assert.equal(password, '200 permitted')
      const requests = relay.requests.length
      await eventually(
        async () => {
          assert.equal(await verdictFor('dave'), '200 permitted')
          return relay.requests.length
        },
        (count) => count > requests, // without an answer: the last one remains valid
      )
      assert.equal(await verdictFor('bob'), '401 certificate-revoked')
    })

    it('5. the responder answers again: they are accepted', async () => {
      responder.resume()
      await decided('carol', '200 permitted')
    })

    it('6. `unavailable: allow` accepts certificates without a cached status while it is silent', async () => {
      responder.pause()
      assert.equal(await verdictFor('erin'), '503 authenticator-unavailable')
      await reconfigure(site, {
        authenticators: { cards: cards(SHORT, { unavailable: 'allow' }) },
      })
      assert.equal(await verdictFor('erin'), '200 permitted')
      assert.equal(await verdictFor('bob'), '401 certificate-revoked')
      responder.resume()
    })
  },
)
