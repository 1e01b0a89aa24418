// Envoy’s headers about callers are trusted from a proven peer alone: over a UNIX socket, or over mutual TLS. On
// a TCP address without TLS every local process, or every pod, could send them.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { after, before, describe, it } from 'node:test'
import { connect } from 'node:tls'
import type { Browser, Visit } from '../../fakes/browser.ts'
import { Browser as FreshBrowser } from '../../fakes/browser.ts'
import { asEnvoySends } from '../../fixtures/presented.ts'
import {
  createAuthority,
  createPki,
  type Authority,
  type KeyPair,
  type Pki,
} from '../../servers/pki.ts'
import { x509 } from '../../servers/x509.ts'
import {
  atSocket,
  authorization,
  configuration,
  startSite,
  type Site,
} from '../authorization-server.ts'
import { ACCOUNT, ALICE, isIn, sessionOn, withSessions } from '../session/browsing.ts'

const SOURCE = 'x-countersign-source'
const CERTIFICATE = 'x-countersign-certificate'

const pageAt = async (site: Site, browser: Browser): Promise<Visit> =>
  await browser.get((await authorization(await site.client('spa'))).url)

/** Sources of the login events so far. */
const sourcesIn = async (site: Site): Promise<readonly unknown[]> =>
  (await site.audit('login')).map(({ source }) => source)

/** Login by certificate in addition; only for listeners whose peers are proven. */
const withCards = (yaml: string): string =>
  yaml
    .replace('authenticators: [staff]\n    claims', 'authenticators: [staff, card]\n    claims')
    .replace('  staff: { basic', '  card: { certificate: { trust: ca.pem } }\n  staff: { basic')

const derIn = async ({ certificate }: KeyPair): Promise<Buffer> =>
  Buffer.from(new x509.X509Certificate(await readFile(certificate, 'utf8')).rawData)

describe('a caller’s address in a header over TCP without TLS', () => {
  it('is ignored: audit has the address of the peer', async () => {
    await using site = await startSite()
    const browser = site.browser({ [SOURCE]: '198.51.100.7' })
    await browser.submit(await pageAt(site, browser), '/password', {
      user: 'alice',
      password: 'no',
    })
    assert.deepEqual(await sourcesIn(site), ['127.0.0.1'])
  })

  it('does not spread guesses over sources: they count for the peer', async () => {
    await using site = await startSite()
    let status = 0
    let guesses = 0
    for (; guesses < 60 && status !== 429; guesses += 1) {
      const browser = site.browser({ [SOURCE]: `198.51.100.${guesses}` })
      const page = await pageAt(site, browser)
      const fields = { user: `user-${guesses}`, password: 'no' }
      ;({ status } = await browser.submit(page, '/password', fields))
    }
    assert.equal(status, 429, `${guesses} guesses`)
    assert.deepEqual([...new Set(await sourcesIn(site))], ['127.0.0.1'])
  })
})

describe('a caller’s address in a header over a UNIX socket', () => {
  it('is trusted on a UNIX socket', async () => {
    await using site = await startSite(atSocket(configuration()))
    const browser = site.browser({ [SOURCE]: '198.51.100.7' })
    await browser.submit(await pageAt(site, browser), '/password', {
      user: 'alice',
      password: 'no',
    })
    assert.deepEqual(await sourcesIn(site), ['198.51.100.7'])
  })
})

describe('the issuer over mutual TLS', () => {
  let pki: Pki
  let other: Authority
  let envoy: KeyPair
  let site: Site

  const overTls = (yaml: string): string =>
    yaml.replace(
      'issuer: "127.0.0.1:0"',
      'issuer: { address: "127.0.0.1:0", tls: { certificate: server.pem, key: file:server.key, clientCa: ca.pem, clientNames: [Envoy.example.org, "spiffe://example.org/envoy"] } }',
    )

  const filesOf = async (
    authority: Authority,
    server: KeyPair,
  ): Promise<Record<string, string>> => ({
    'ca.pem': await readFile(authority.ca, 'utf8'),
    'server.pem': await readFile(server.certificate, 'utf8'),
    'server.key': await readFile(server.key, 'utf8'),
  })

  const browserWith = async (
    client: KeyPair | undefined,
    headers: Readonly<Record<string, string>> = {},
    ca = pki.ca,
  ): Promise<Browser> => {
    const pair = client && {
      certificate: await readFile(client.certificate),
      key: await readFile(client.key),
    }
    const tls = { ca: await readFile(ca), ...(pair && { client: pair }) }
    return new FreshBrowser({ port: site.port, tls }, headers)
  }

  before(async () => {
    pki = await createPki()
    other = await createAuthority('Other CA')
    envoy = await pki.issue({
      commonName: 'envoy',
      names: ['ENVOY.example.org'],
      usage: 'client',
    })
    site = await startSite(overTls(withCards(withSessions())), await filesOf(pki, pki.edge))
  })
  after(async () => {
    await site[Symbol.asyncDispose]()
    await other[Symbol.asyncDispose]()
    await pki[Symbol.asyncDispose]()
  })

  const UNLISTED = 'unlisted.example.org'
  const REFUSED: readonly { name: string; client: () => Promise<KeyPair | undefined> }[] = [
    { name: 'no certificate', client: async () => undefined },
    {
      name: 'a certificate of another CA',
      client: () =>
        other.issue({ commonName: 'envoy', names: ['envoy.example.org'], usage: 'client' }),
    },
    {
      name: 'a certificate with another name',
      client: () => pki.issue({ commonName: 'other', names: [UNLISTED], usage: 'client' }),
    },
    {
      name: 'a certificate with the name in the subject only',
      client: () => pki.issue({ commonName: 'envoy.example.org', usage: 'client' }),
    },
    {
      name: 'a certificate for servers',
      client: () => pki.issue({ commonName: 's', names: ['envoy.example.org'], usage: 'server' }),
    },
  ]
  for (const { name, client } of REFUSED) {
    it(`refuses a connection with ${name}`, async () => {
      const browser = await browserWith(await client())
      await assert.rejects(browser.get('https://id.example.org/jwks'))
    })
  }

  it('ignores a request sent together with the handshake of a peer that is refused', async () => {
    const unlisted = await pki.issue({ commonName: 'eager', names: [UNLISTED], usage: 'client' })
    const socket = connect({
      port: site.port,
      host: '127.0.0.1',
      servername: 'localhost',
      ca: await readFile(pki.ca),
      cert: await readFile(unlisted.certificate),
      key: await readFile(unlisted.key),
    })
    socket.on('error', () => {})
    let got = ''
    socket.on('data', (chunk: Buffer) => (got += chunk.toString()))
    socket.write('GET /jwks HTTP/1.1\r\nHost: id.example.org\r\n\r\n')
    await once(socket, 'close')
    assert.equal(got, '')
  })

  it('accepts a peer by a DNS name or a URI', async () => {
    const spiffe = 'spiffe://example.org/envoy'
    const mesh = await pki.issue({ commonName: 'mesh', names: [spiffe], usage: 'client' })
    for (const client of [envoy, mesh]) {
      const { status } = await (await browserWith(client)).get('https://id.example.org/jwks')
      assert.equal(status, 200)
    }
  })

  it('trusts the caller’s address and certificate in Envoy’s headers', async () => {
    const alice = asEnvoySends(await derIn(pki.alice))
    const headers = { [SOURCE]: '198.51.100.7', [CERTIFICATE]: alice }
    const browser = await browserWith(envoy, headers)
    const login = await browser.get(ACCOUNT)
    const page = await browser.submit(login, '/certificate')
    assert.equal(page.url.href, ACCOUNT, page.body)
    const event = (await site.audit('login')).at(-1)
    assert.deepEqual([event?.['user'], event?.['source']], ['alice', '198.51.100.7'])
  })

  it('begins sessions, whose tokens this process requests over loopback', async () => {
    const browser = await browserWith(envoy)
    const login = await browser.get(ACCOUNT)
    const [user, password] = ALICE
    await browser.submit(login, '/password', { user, password })
    const cookie = await sessionOn(browser)
    assert.equal(await isIn(site.authz, cookie), true)
  })

  it('uses a new CA and a new certificate after a reload', async () => {
    const server = await other.issue({
      commonName: 'new',
      names: ['id.example.org'],
      usage: 'server',
    })
    for (const [name, content] of Object.entries(await filesOf(other, server))) {
      await writeFile(site.folder.file(name), content)
    }
    await site.authz.reload()
    const jwks = 'https://id.example.org/jwks'
    const fresh = await other.issue({
      commonName: 'next',
      names: ['envoy.example.org'],
      usage: 'client',
    })
    assert.equal((await (await browserWith(fresh, {}, other.ca)).get(jwks)).status, 200)
    const old = await browserWith(envoy, {}, other.ca)
    await assert.rejects(old.get(jwks))
  })
})
