// People log in at our authorization server, through the real Envoy over TLS: with a real browser, and
// with what stands between a browser and the page.

import assert from 'node:assert/strict'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import axe, { type AxeResults } from 'axe-core'
import * as openid from 'openid-client'
import type { Browser as Chromium, BrowserContextOptions } from 'playwright-core'
import { Browser } from '../../fakes/browser.ts'
import { writeSigningKeys } from '../../fakes/signing-key-files.ts'
import { madeKey } from '../../fakes/signing-keys.ts'
import { authorization, CALLBACK, ISSUER } from '../../issuer/authorization-server.ts'
import { skipWithoutChromium, startChromium } from '../../servers/chromium.ts'
import { skipWithoutEnvoy } from '../../servers/envoy.ts'
import type { KeyPair } from '../../servers/pki.ts'
import { temporaryFolder, type TemporaryFolder } from '../../servers/temporary.ts'
import { makeCa, makeCaller, writePem, type Caller } from '../client-certificates/callers.ts'
import { nameOf } from '../../authenticate/certificate/making.ts'
import { startSite, type Site } from '../site.ts'

const staffCa = makeCa('Staff CA')
const strangers = makeCa('Somebody else’s CA')

describe('people log in, through Envoy', { skip: skipWithoutEnvoy() }, () => {
  let folder: TemporaryFolder
  let site: Site
  let ca: Buffer
  before(async () => {
    folder = await temporaryFolder()
    const keys = folder.file('keys')
    await mkdir(keys)
    await writeSigningKeys(keys, [await madeKey('ES256')])
    const trust = await writePem(folder, 'trust.pem', staffCa)
    site = await startSite({
      issuer: {
        url: ISSUER,
        keys,
        login: { authenticators: ['staff', 'cards'] },
        look: { name: 'Example Works' },
        clients: {
          spa: { name: 'Dashboards', redirectUris: [CALLBACK] },
          cli: { grants: ['device_code'] },
        },
      },
      authenticators: { cards: { certificate: { trust } }, nobody: { anonymous: {} } },
      listener: { clientCa: await writePem(folder, 'edge.pem', staffCa, strangers) },
      // The application, as far as people see it here.
      routes: [
        {
          name: 'app',
          match: { hosts: ['app.example.org'] },
          authenticate: ['nobody'],
          authorize: [{ allow: 'everybody' }],
        },
      ],
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
    return new Browser({ port: site.target.port, tls }, headers)
  }

  /** openid-client over Envoy; Node's fetch cannot be told where a name is. */
  const reach: openid.CustomFetch = async (url, { method, headers, body }) => {
    const fields = body instanceof URLSearchParams ? Object.fromEntries(body) : {}
    const browser = await browserOf(undefined, headers)
    const visit = method === 'POST' ? await browser.post(url, fields) : await browser.get(url)
    const type = visit.headers['content-type'] ?? ''
    return new Response(visit.body, { status: visit.status, headers: { 'content-type': type } })
  }
  const clientOf = async (id: string) =>
    await openid.discovery(new URL(ISSUER), id, undefined, openid.None(), {
      [openid.customFetch]: reach,
    })
  const lastLogin = async (): Promise<Record<string, unknown> | undefined> =>
    (await readFile(site.files.audit, 'utf8'))
      .split('\n')
      .filter((line) => line !== '')
      .map((line): Record<string, unknown> => JSON.parse(line))
      .findLast(({ event }) => event === 'login')
  const holder = async (signer = staffCa, name = 'carol'): Promise<Caller> =>
    await makeCaller(folder, { signer, subject: nameOf(['O', 'developers'], ['CN', name]) })

  it('by certificate, with one click', async () => {
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
      ['cards', 'certificate', '127.0.0.1'],
    )
  })

  it('not by one of another CA, though Envoy takes it', async () => {
    const client = await clientOf('spa')
    const browser = await browserOf(await holder(strangers))
    const page = await browser.get((await authorization(client)).url)
    const refused = await browser.submit(page, '/certificate')
    assert.equal(refused.status, 403)
    assert.equal((await lastLogin())?.['reason'], 'certificate-untrusted')
  })

  it('hostile: a certificate or an address in a header is nobody’s', async () => {
    const client = await clientOf('spa')
    const { made } = await holder()
    const pem = `-----BEGIN CERTIFICATE-----\n${made.der.toString('base64')}\n-----END CERTIFICATE-----\n`
    for (const names of [
      ['x-countersign-certificate', 'x-countersign-source'],
      ['X-Countersign-Certificate', 'X-Countersign-Source'],
    ]) {
      const [certificate = '', source = ''] = names
      const forged = { [certificate]: encodeURIComponent(pem), [source]: '198.51.100.1' }
      // oxlint-disable-next-line no-await-in-loop -- one after another
      const browser = await browserOf(undefined, forged)
      // oxlint-disable-next-line no-await-in-loop -- as above
      const page = await browser.get((await authorization(client)).url)
      // oxlint-disable-next-line no-await-in-loop -- as above
      const refused = await browser.submit(page, '/certificate')
      assert.equal(refused.status, 403)
      // oxlint-disable-next-line no-await-in-loop -- as above
      const login = await lastLogin()
      assert.equal(login?.['reason'], 'credential-missing')
      assert.equal(login?.['source'], '127.0.0.1')
    }
  })

  it('what is not of the issuer stays refused on its host', async () => {
    const browser = await browserOf()
    for (const path of ['/', '/other', '/loginx', '/tokens', '/authorizex']) {
      // oxlint-disable-next-line no-await-in-loop -- one after another
      assert.equal((await browser.get(`${ISSUER}${path}`)).status, 403, path)
    }
  })

  describe('in a browser', { skip: skipWithoutChromium() }, () => {
    let chromium: Chromium
    before(async () => {
      chromium = await startChromium([
        `--host-resolver-rules=MAP *.example.org:443 127.0.0.1:${site.target.port}`,
      ])
    })
    after(() => chromium.close())

    /** A tab, everything that its console says, and what its requests could not load. */
    const open = async (options: BrowserContextOptions = {}) => {
      const context = await chromium.newContext({ ignoreHTTPSErrors: true, ...options })
      const page = await context.newPage()
      const said: string[] = []
      page.on('console', (message) => said.push(`${message.type()}: ${message.text()}`))
      page.on('pageerror', (error) => said.push(error.message))
      return { context, page, said, [Symbol.asyncDispose]: () => context.close() }
    }

    for (const [name, options] of Object.entries<BrowserContextOptions>({
      'on a desk': {},
      'on a phone, in the dark': {
        viewport: { width: 390, height: 844 },
        colorScheme: 'dark',
        locale: 'de-DE',
      },
      'without JavaScript': { javaScriptEnabled: false },
    })) {
      it(`by password, ${name}`, async () => {
        const client = await clientOf('spa')
        const { url, checks } = await authorization(client)
        await using tab = await open(options)
        const { page, said } = tab
        await page.goto(url.href)
        const german = options.locale === 'de-DE'
        await page.getByLabel(german ? 'Benutzername' : 'User name').fill('alice')
        await page.getByLabel(german ? 'Passwort' : 'Password').fill('wrong')
        await page.keyboard.press('Enter')
        await page.getByRole('alert').waitFor()
        if (options.javaScriptEnabled !== false) {
          await page.evaluate(axe.source)
          const { violations } = await page.evaluate<AxeResults>('axe.run()')
          const serious = violations.filter(
            ({ impact }) => impact === 'serious' || impact === 'critical',
          )
          assert.deepEqual(serious, [])
        }
        const shots = process.env['COUNTERSIGN_SCREENSHOTS']
        if (shots !== undefined) {
          await page.screenshot({ path: join(shots, `login, ${name}.png`), fullPage: true })
        }
        await page.getByLabel(german ? 'Passwort' : 'Password').fill('wonderland')
        await page.keyboard.press('Enter')
        await page.waitForURL(`${CALLBACK}?**`)
        const tokens = await openid.authorizationCodeGrant(client, new URL(page.url()), checks)
        assert.equal(tokens.claims()?.sub, 'alice')
        // The status of the page after the wrong password, and no more.
        assert.deepEqual(
          said.map((line) => /status of 403/.exec(line)?.[0] ?? line),
          ['status of 403'],
        )
      })
    }

    it('on another device, by the code that the device shows', async () => {
      const client = await clientOf('cli')
      const device = await openid.initiateDeviceAuthorization(client, { scope: 'openid' })
      await using tab = await open()
      const { page } = tab
      await page.goto(device.verification_uri_complete ?? '')
      await page.getByText(device.user_code).waitFor()
      await page.getByRole('button', { name: 'Yes, log it in' }).click()
      await page.getByLabel('User name').fill('alice')
      await page.getByLabel('Password').fill('wonderland')
      await page.keyboard.press('Enter')
      await page.getByRole('heading', { level: 1 }).waitFor()
      const tokens = await openid.pollDeviceAuthorizationGrant(client, { ...device, interval: 0 })
      assert.equal(tokens.claims()?.sub, 'alice')
      assert.deepEqual(tab.said, [])
    })

    it('back in the history, there is no form that still works, and no error either', async () => {
      const client = await clientOf('spa')
      const { url } = await authorization(client)
      await using tab = await open()
      const { page } = tab
      await page.goto(url.href)
      await page.getByLabel('User name').fill('alice')
      await page.getByLabel('Password').fill('wonderland')
      await page.keyboard.press('Enter')
      await page.waitForURL(`${CALLBACK}?**`)
      await page.goBack()
      await page.getByRole('heading', { name: 'This took too long' }).waitFor()
    })
  })
})
