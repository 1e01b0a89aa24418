// The spans of a login: of the requests of the browser, and of what authz requests for them from itself, from `state`, from a
// directory and from an upstream IdP. A real collector gets them.

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { after, before, describe, it } from 'node:test'
import { Browser } from '../fakes/browser.ts'
import { ldapResponse, startLdapServer } from '../fakes/ldap-server.ts'
import { FAKE_CLIENT } from '../fakes/openid-provider.ts'
import { until } from '../fakes/until.ts'
import { startNodeOidc } from '../servers/node-oidc.ts'
import {
  skipWithoutOtelCollector,
  startOtelCollector,
  type CollectedSpan,
  type OtelCollector,
} from '../servers/otel-collector.ts'
import { createPki } from '../servers/pki.ts'
import { configuration, startSite, type Site } from './authorization-server.ts'
import { ACCOUNT, loggedIn, sessionOn, withSessions } from './session/browsing.ts'
import { callbackOf, leave, siteWith } from './upstream-idp-site.ts'

const skip = skipWithoutOtelCollector()

describe('the spans of a login', { skip, timeout: 120_000 }, () => {
  let collector: OtelCollector
  before(async () => {
    collector = await startOtelCollector()
  })
  after(async () => {
    await collector[Symbol.asyncDispose]()
  })

  const traced = (yaml: string, sampling = 1): string =>
    `${yaml}tracing: { otlp: { endpoint: '${collector.httpEndpoint}' }, sampling: ${sampling} }\n`

  /** The spans that a site sends until it ends. */
  const spansOf = async (
    site: Site,
    use: (site: Site) => Promise<void>,
  ): Promise<readonly CollectedSpan[]> => {
    const known = (await collector.spans()).length
    try {
      await use(site)
    } finally {
      await site[Symbol.asyncDispose]()
    }
    let spans: readonly CollectedSpan[] = []
    // Spans are sent before the end; the collector writes them a moment later.
    await until(async () => {
      const now = (await collector.spans()).slice(known)
      const isComplete = now.length > 0 && now.length === spans.length
      spans = now
      return isComplete
    })
    return spans
  }

  const parentOf = (spans: readonly CollectedSpan[], child: CollectedSpan | undefined) =>
    spans.find(({ spanId }) => spanId === child?.parentSpanId)?.name

  it('join the request for tokens with the callback, and operations on state with both', async () => {
    const site = await startSite(traced(withSessions('state: { sqlite: state.db }')))
    const spans = await spansOf(site, async () => {
      const { browser } = await loggedIn(site)
      await sessionOn(browser)
    })
    const tokens = spans.filter(({ name }) => name === 'POST /token')
    assert.deepEqual(
      tokens.map((span) => parentOf(spans, span)),
      ['GET /.countersign'],
    )
    const operations = spans.filter(({ name }) => name.startsWith('sqlite '))
    const parents = new Set(operations.map((span) => parentOf(spans, span)))
    for (const name of ['POST /token', 'POST /login', 'GET /.countersign']) {
      assert.ok(parents.has(name), `${name} of ${[...parents].join()}`)
    }
    assert.ok(!parents.has(undefined))
  })

  it('do not begin with the request for tokens where the callback is not traced', async () => {
    const site = await startSite(traced(withSessions(), 0.3))
    const spans = await spansOf(site, async () => {
      const { browser } = await loggedIn(site)
      for (let count = 0; count < 10; count += 1) await sessionOn(browser)
    })
    const tokens = spans.filter(({ name }) => name === 'POST /token')
    assert.ok(tokens.every(({ parentSpanId }) => parentSpanId !== ''))
  })

  it('name the directory that proves a password', async () => {
    await using ldap = await startLdapServer((request) => ldapResponse(request, 0))
    const server = `ldap://127.0.0.1:${ldap.port}`
    const verify = `[{ ldap: { servers: ['${server}'], startTls: false, direct: ['uid={user},dc=example'] } }]`
    const site = await startSite(
      traced(configuration().replace('[{ users: { file: users.yaml } }]', verify)),
    )
    const spans = await spansOf(site, async () => {
      const browser = site.browser()
      const login = await browser.get(ACCOUNT)
      await browser.submit(login, '/password', { user: 'alice', password: 'wonderland' })
    })
    const bind = spans.find(({ name }) => name === 'ldap bind')
    assert.equal(bind?.attributes['countersign.server'], server)
    assert.equal(parentOf(spans, bind), 'POST /login')
  })

  it('name the upstream IdP, within the request of the browser that returns', async () => {
    await using pki = await createPki()
    await using oidc = await startNodeOidc(pki.upstream, [
      {
        client_id: FAKE_CLIENT.id,
        client_secret: FAKE_CLIENT.secret,
        redirect_uris: [callbackOf('corp')],
        response_types: ['code'],
        grant_types: ['authorization_code'],
        id_token_signed_response_alg: 'ES256',
      },
    ])
    const identity = { user: 'claims.preferred_username', groups: 'claims.groups' }
    const further = { scopes: ['openid', 'profile', 'groups'], identity }
    const site = await siteWith(
      [{ id: 'corp', issuer: oidc.issuer, ca: pki.ca, further }],
      '[staff]',
      traced(configuration()),
    )
    const spans = await spansOf(site, async () => {
      const { browser, left } = await leave(site, 'corp')
      const tls = { ca: await readFile(pki.ca) }
      const { port } = new URL(oidc.issuer)
      const back = await new Browser({ port: Number(port), tls }).get(left.url)
      await browser.get(back.url)
    })
    const requests = spans.filter(({ name }) => name === 'upstream-idp')
    const parents = new Set(requests.map((span) => parentOf(spans, span)))
    assert.ok(parents.has('GET /login'), [...parents].join())
    assert.deepEqual(
      new Set(requests.map(({ attributes }) => attributes['countersign.server'])),
      new Set(['corp']),
    )
    const text = JSON.stringify(spans)
    assert.ok(!text.includes(FAKE_CLIENT.secret) && !/code=|state=/.test(text))
  })
})
