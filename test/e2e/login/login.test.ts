// Users log in at our authorization server, through the real Envoy over TLS, which adds what it knows of
// the caller and removes what the caller claims.

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { after, before, describe, it } from 'node:test'
import * as openid from 'openid-client'
import { Browser } from '../../fakes/browser.ts'
import { authorization, ISSUER } from '../../issuer/authorization-server.ts'
import { skipWithoutEnvoy } from '../../servers/envoy.ts'
import type { KeyPair } from '../../servers/pki.ts'
import { temporaryFolder, type TemporaryFolder } from '../../servers/temporary.ts'
import { makeCa, makeCaller, writePem, type Caller } from '../client-certificates/callers.ts'
import { nameOf } from '../../pki/making.ts'
import type { Site } from '../site.ts'
import { clientAt, loginsAt, startLoginSite } from './login-site.ts'

/** Where callers are: another address than Envoy’s, so that the two differ. */
const CALLER = '127.0.0.9'

const staffCa = makeCa('Staff CA')
const strangers = makeCa('Somebody else’s CA')

const WAYS = [
  { issuerListen: 'unix', way: 'a UNIX socket' },
  { issuerListen: 'mtls', way: 'mutual TLS' },
] as const

for (const { issuerListen, way } of WAYS)
  describe(`logins, through Envoy and ${way}`, { skip: skipWithoutEnvoy() }, () => {
    let folder: TemporaryFolder
    let site: Site
    let ca: Buffer
    before(async () => {
      folder = await temporaryFolder()
      site = await startLoginSite({
        issuerListen,
        login: { authenticators: ['staff', 'cards'] },
        authenticators: {
          cards: { certificate: { trust: await writePem(folder, 'trust.pem', staffCa) } },
        },
        listener: { clientCa: await writePem(folder, 'edge.pem', staffCa, strangers) },
      })
      ca = await readFile(site.pki.ca)
    })
    after(async () => {
      await site[Symbol.asyncDispose]()
      await folder[Symbol.asyncDispose]()
    })

    const browserOf = async (pair?: KeyPair, headers: Readonly<Record<string, string>> = {}) => {
      const client = pair && {
        certificate: await readFile(pair.certificate),
        key: await readFile(pair.key),
      }
      const tls = { ca, ...(client === undefined ? {} : { client }) }
      return new Browser({ port: site.target.port, tls, from: CALLER }, headers)
    }

    const clientOf = async (id: string) => await clientAt(site, id)
    const lastLogin = async () => (await loginsAt(site)).at(-1)
    const holder = async (signer = staffCa, name = 'carol'): Promise<Caller> =>
      await makeCaller(folder, { signer, subject: nameOf(['O', 'developers'], ['CN', name]) })

    it('succeed by certificate, with one click', async () => {
      const client = await clientOf('spa')
      const { url, checks } = await authorization(client)
      const browser = await browserOf(await holder())
      const { url: back } = await browser.submit(await browser.get(url), '/certificate')
      const tokens = await openid.authorizationCodeGrant(client, back, checks)
      assert.equal(tokens.claims()?.sub, 'carol')
      assert.deepEqual(tokens.claims()?.['groups'], ['developers'])
      assert.deepEqual(tokens.claims()?.['amr'], ['pop'])
      const login = await lastLogin()
      assert.deepEqual(
        [login?.['authenticator'], login?.['authentication'], login?.['source']],
        ['cards', 'certificate', CALLER],
      )
    })

    it('are refused with a certificate of another CA, which Envoy accepts', async () => {
      const client = await clientOf('spa')
      const browser = await browserOf(await holder(strangers))
      const page = await browser.get((await authorization(client)).url)
      const refused = await browser.submit(page, '/certificate')
      assert.equal(refused.status, 403)
      assert.equal((await lastLogin())?.['reason'], 'certificate-untrusted')
    })

    it('hostile: ignore a certificate or an address in a header of the client', async () => {
      const client = await clientOf('spa')
      const { made } = await holder()
      const pem = `-----BEGIN CERTIFICATE-----\n${made.der.toString('base64')}\n-----END CERTIFICATE-----\n`
      for (const names of [
        ['x-countersign-certificate', 'x-countersign-source'],
        ['X-Countersign-Certificate', 'X-Countersign-Source'],
      ]) {
        const [certificate = '', source = ''] = names
        const forged = { [certificate]: encodeURIComponent(pem), [source]: '198.51.100.1' }
        const browser = await browserOf(undefined, forged)
        const page = await browser.get((await authorization(client)).url)
        const refused = await browser.submit(page, '/certificate')
        assert.equal(refused.status, 403)
        const login = await lastLogin()
        assert.equal(login?.['reason'], 'credential-missing')
        assert.equal(login?.['source'], CALLER)
      }
    })

    it('serve no other paths on the issuer’s host', async () => {
      const browser = await browserOf()
      for (const path of ['/', '/other', '/loginx', '/tokens', '/authorizex']) {
        assert.equal((await browser.get(`${ISSUER}${path}`)).status, 403, path)
      }
    })
  })
