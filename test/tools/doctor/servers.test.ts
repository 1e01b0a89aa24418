// `countersign doctor` against servers that answer, or fail, as a test says. Real ones: real-servers.test.ts.

import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import type { Finding } from '../../../src/tools/doctor/examination.ts'
import {
  FAKE_SECRET,
  judge,
  REJECT,
  silent,
  startFakeRadius,
  type RadiusBehaviour,
} from '../../fakes/radius-server.ts'
import { startScriptedHttp, type ScriptedHttp } from '../../servers/scripted-http.ts'
import { temporaryFolder } from '../../servers/temporary.ts'
import { diagnose } from './site.ts'

const says = (finding: Finding | undefined, outcome: Finding['outcome'], text: RegExp): void => {
  assert.equal(finding?.outcome, outcome, JSON.stringify(finding))
  assert.match(`${finding.message} → ${finding.remedy}`, text)
}

/** A port on which no process listens, since its server has ended. */
const closedPort = async (): Promise<number> => {
  await using server = await startScriptedHttp(() => ({}))
  return Number(new URL(server.origin).port)
}

const STATUS = 12 // RFC 5997 §3

const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value))

const KEY = {
  kty: 'OKP',
  crv: 'Ed25519',
  x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
  kid: 'one',
  alg: 'EdDSA',
  use: 'sig',
}

const bearer = (origin: string): Readonly<Record<string, object>> => ({
  tok: { bearer: { issuer: origin, audiences: ['api'], keys: { url: `${origin}/keys` } } },
})

describe('countersign doctor', () => {
  it('counts the keys of an issuer, and compares the clock', async () => {
    await using folder = await temporaryFolder()
    await using server = await startScriptedHttp(() => ({ body: json({ keys: [KEY] }) }))
    const findings = await diagnose(folder, { authenticators: bearer(server.origin) })
    says(findings.keys, 'ok', /^1 key /)
    says(findings.clock, 'ok', /^within \d s of http:\/\/127\.0\.0\.1/)
    says(findings.authz, 'error', /does not answer: .*authz\.sock.* → Start authz/)
  })

  it('reports a clock that differs', async () => {
    await using folder = await temporaryFolder()
    const date = new Date(Date.now() - 600_000).toUTCString()
    await using server = await startScriptedHttp(() => ({
      headers: { date },
      body: json({ keys: [KEY] }),
    }))
    const { clock } = await diagnose(folder, { authenticators: bearer(server.origin) })
    says(clock, 'error', /^(59\d|60\d) s ahead of http.*NTP/)
  })

  const KEYS: readonly {
    name: string
    answer: Parameters<typeof startScriptedHttp>[0]
    want: RegExp
  }[] = [
    { name: 'no keys', answer: () => ({ body: json({ keys: [] }) }), want: /publishes no key/ },
    { name: 'another page', answer: () => ({ body: json({}) }), want: /is not a JSON Web Key Set/ },
    { name: 'an error', answer: () => ({ status: 500 }), want: /answered 500/ },
  ]
  for (const { name, answer, want } of KEYS) {
    it(`reports an issuer with ${name}`, async () => {
      await using folder = await temporaryFolder()
      await using server = await startScriptedHttp(answer)
      says((await diagnose(folder, { authenticators: bearer(server.origin) })).keys, 'error', want)
    })
  }

  it('reports an issuer that cannot be reached, with the key that names it', async () => {
    await using folder = await temporaryFolder()
    const authenticators = bearer(`http://127.0.0.1:${await closedPort()}`)
    const { keys, clock } = await diagnose(folder, { authenticators })
    says(keys, 'error', /ECONNREFUSED.* → No process listens there/)
    assert.equal(keys?.path, 'authenticators.tok.bearer')
    says(clock, 'skipped', /no queried server/)
  })

  it('reports a name that cannot be resolved', async () => {
    await using folder = await temporaryFolder()
    const { dns } = await diagnose(folder, { authenticators: bearer('https://id.invalid') })
    assert.equal(dns?.target, 'id.invalid')
    says(dns, 'error', /(ENOTFOUND|EAI_AGAIN).* → /)
  })

  const ENDPOINTS = [
    {
      name: 'accepts the client',
      status: 200,
      body: { active: false },
      outcome: 'ok',
      want: /accepts the client/,
    },
    {
      name: 'refuses the client',
      status: 401,
      body: { error: 'invalid_client' },
      outcome: 'error',
      want: /refuses the client credentials: 401, invalid_client → Correct "client"/,
    },
    { name: 'is not there', status: 404, body: {}, outcome: 'error', want: /answers 404/ },
  ] as const
  for (const { name, status, body, outcome, want } of ENDPOINTS) {
    it(`judges an introspection endpoint that ${name}`, async () => {
      await using folder = await temporaryFolder()
      await using server = await startScriptedHttp(() => ({ status, body: json(body) }))
      await writeFile(folder.file('secret'), 'secret')
      const authenticators = {
        opaque: {
          introspection: {
            issuer: server.origin,
            endpoint: `${server.origin}/introspect`,
            client: { id: 'authz', secret: 'file:secret' },
            audiences: ['api'],
          },
        },
      }
      says((await diagnose(folder, { authenticators })).introspection, outcome, want)
      assert.match(requestTo(server), /^POST \/introspect token=countersign-doctor/)
    })
  }

  it('judges a token endpoint without requesting a token', async () => {
    await using folder = await temporaryFolder()
    const answer = { status: 400, body: json({ error: 'unsupported_grant_type' }) }
    await using server = await startScriptedHttp(() => answer)
    await writeFile(folder.file('secret'), 'secret')
    const settings = {
      issuer: server.origin,
      endpoint: `${server.origin}/token`,
      client: { id: 'authz', secret: 'file:secret' },
    }
    await writeFile(folder.file('keys'), JSON.stringify({ keys: [KEY] }))
    const keys = { file: 'keys' }
    const authenticators = { tok: { bearer: { issuer: server.origin, audiences: ['api'], keys } } }
    const findingsWith = async (way: object) =>
      await diagnose(folder, { authenticators, route: { forward: { bearer: way } } })
    const exchange = await findingsWith({ exchange: settings })
    says(exchange['token-endpoint'], 'warning', /unsupported_grant_type/)
    const own = await findingsWith({ clientCredentials: settings })
    says(own['token-endpoint'], 'ok', /no token of the service was requested/)
    assert.match(requestTo(server), /^POST \/token grant_type=urn%3Aietf.*token-exchange/)
  })

  it('judges CRLs and OCSP responders', async () => {
    await using folder = await temporaryFolder()
    await using server = await startScriptedHttp(({ path }) =>
      path === '/crl' ? { body: Buffer.from('3000', 'hex') } : { status: 404 },
    )
    const { origin } = server
    const revocation = {
      crl: { urls: [`${origin}/crl`] },
      ocsp: { urls: [`${origin}/ocsp`] },
    }
    const authenticators = { cert: { certificate: { trust: 'ca.pem', revocation } } }
    const findings = await diagnose(folder, { authenticators })
    says(findings.crl, 'ok', /a CRL of 2 bytes/)
    says(findings.ocsp, 'warning', /answers an empty request with 404/)
    server.script = () => ({ body: Buffer.from('<html>') })
    says((await diagnose(folder, { authenticators })).crl, 'error', /something else than a CRL/)
  })

  const RADIUS: readonly {
    readonly name: string
    readonly behave: RadiusBehaviour
    readonly secret?: string
    readonly outcome?: 'ok'
    readonly want: RegExp
  }[] = [
    {
      name: 'that signs its replies',
      behave: judge,
      outcome: 'ok',
      want: /unknown user "countersign-doctor"/,
    },
    {
      name: 'that signs none',
      behave: (_, reply) => [reply({ code: REJECT, mac: 'none' })],
      want: /reply without Message-Authenticator was discarded.*Let the server put/,
    },
    {
      name: 'with another secret',
      behave: judge,
      secret: 'another secret',
      want: /is the shared secret the same\?.* → Give both sides the same/,
    },
    {
      name: 'that does not know this machine',
      behave: silent,
      want: /no reply.* → .*add the address of this machine/,
    },
    {
      name: 'that is silent about unknown users',
      behave: (request, reply) => (request.code === STATUS ? [reply()] : []),
      want: /answers Status-Server, and not .* → Let the server reject/,
    },
  ]
  for (const { name, behave, secret = FAKE_SECRET, outcome = 'error', want } of RADIUS) {
    it(`judges a RADIUS server ${name}`, async () => {
      await using folder = await temporaryFolder()
      await using server = await startFakeRadius(behave)
      await writeFile(folder.file('secret'), secret)
      const radius = { servers: [{ host: `127.0.0.1:${server.port}`, secret: 'file:secret' }] }
      const authenticators = { staff: { basic: { verify: [{ radius }] } } }
      // A failure is certain when the time is over, and takes all of it.
      const timeout = outcome === 'ok' ? '10s' : '1s'
      says((await diagnose(folder, { authenticators, timeout })).radius, outcome, want)
    })
  }
})

const requestTo = ({ requests }: ScriptedHttp): string => {
  const last = requests.at(-1)
  return `${last?.method} ${last?.path} ${last?.body.toString('utf8')}`
}
