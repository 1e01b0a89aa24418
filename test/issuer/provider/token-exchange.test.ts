// Token exchange (RFC 8693) with a client library of another project: what a service gets for the token that it
// was called with, and what is refused.

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { createLocalJWKSet, decodeJwt, jwtVerify, UnsecuredJWT } from 'jose'
import * as openid from 'openid-client'
import { ConfigurationFiles } from '../../../src/config/files.ts'
import { readSigningKeys } from '../../../src/keys/signing-key-folder.ts'
import { SigningKeySet, type TokenType } from '../../../src/keys/signing-key-set.ts'
import { systemClock } from '../../../src/runtime/clock.ts'
import { madeKey, signingKeysOf } from '../../fakes/signing-keys.ts'
import {
  authorization,
  configuration,
  ISSUER,
  logIn,
  refusalOf,
  startSite,
  type Site,
} from '../authorization-server.ts'

const API = 'https://api.example.org'
const LEDGER = 'https://ledger.example.org'
const VAULT = 'https://vault.example.org'
const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange'
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token'

const yaml = configuration(`
    ${LEDGER}: { audience: ledger, scopes: [book], claims: { desk: '"7"' }, lifetime: 10m }
    ${VAULT}: {}
`).replace(
  '    robot:',
  `    gateway: { secret: file:secret, grantTypes: [token_exchange], exchange: { from: [${API}], to: [${LEDGER}], scopes: { '${LEDGER}': [book] } } }
    ledger: { secret: file:secret, grantTypes: [token_exchange], exchange: { from: [${LEDGER}], to: [${API}] } }
    robot:`,
)

const seconds = (): number => Math.floor(Date.now() / 1_000)

describe('token exchange', () => {
  let site: Site
  let keys: SigningKeySet
  /** What alice's application calls the API with. */
  let subject: string
  let tokens: openid.TokenEndpointResponse
  before(async () => {
    site = await startSite(yaml)
    const folder = await readSigningKeys(
      site.folder.file('keys'),
      new ConfigurationFiles(),
      Date.now(),
    )
    keys = new SigningKeySet(folder, systemClock)
    const web = await site.client('web')
    const { url, checks } = await authorization(web, { resource: API, scope: 'openid read' })
    tokens = await openid.authorizationCodeGrant(web, await logIn(site.browser(), url), checks)
    subject = tokens.access_token
  })
  after(() => site[Symbol.asyncDispose]())

  type Fields = Readonly<Record<string, string | undefined>>

  const exchange = async (fields: Fields = {}, id = 'gateway') => {
    const given = Object.entries<string | undefined>({
      subject_token: subject,
      subject_token_type: ACCESS_TOKEN,
      resource: LEDGER,
      ...fields,
    })
    const parameters = Object.fromEntries(
      given.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
    )
    return await openid.genericGrantRequest(await site.client(id), EXCHANGE, parameters)
  }

  /** A token as we would sign it, with other claims. */
  const signed = async (claims: object = {}, type: TokenType = 'at+jwt', by = keys) => {
    const whole = {
      iss: ISSUER,
      aud: API,
      sub: 'alice',
      client_id: 'web',
      grant_id: decodeJwt(subject)['grant_id'],
      iat: seconds(),
      exp: seconds() + 300,
      ...claims,
    }
    return (await by.sign('EdDSA', type, whole)).token
  }

  it('issues a token for the next service about the same user, with the actor in `act`', async () => {
    const answer = await exchange({ scope: 'book' })
    assert.equal(answer['issued_token_type'], ACCESS_TOKEN)
    assert.equal(answer.token_type, 'bearer')
    assert.equal(answer.refresh_token, undefined)
    const response = await fetch(`http://127.0.0.1:${site.port}/jwks`)
    const jwks: Parameters<typeof createLocalJWKSet>[0] = JSON.parse(await response.text())
    const { payload, protectedHeader } = await jwtVerify(
      answer.access_token,
      createLocalJWKSet(jwks),
      { issuer: ISSUER, audience: 'ledger', typ: 'at+jwt' },
    )
    assert.equal(protectedHeader.alg, 'ES256')
    const { sub, groups, desk, scope, act, client_id: holder } = payload
    assert.deepEqual(
      { sub, groups, desk, scope, act, holder },
      {
        sub: 'alice',
        groups: ['dev', 'ops'],
        desk: '7',
        scope: 'book',
        act: { sub: 'gateway' },
        holder: 'gateway',
      },
    )
    assert.equal(payload['team'], undefined, 'claims are those of the resource')
  })

  it('is recorded in the audit log with client, user and resource', async () => {
    await exchange()
    const event = (await site.audit('tokens-issued')).at(-1)
    assert.deepEqual(
      [event?.['grantType'], event?.['client'], event?.['user'], event?.['resource']],
      [EXCHANGE, 'gateway', 'alice', LEDGER],
    )
  })

  it('issues no token that outlives the subject token', async () => {
    const exp = seconds() + 30
    const { access_token: token, expires_in: left = 0 } = await exchange({
      subject_token: await signed({ exp }),
    })
    assert.ok(left <= 30)
    assert.ok((decodeJwt(token).exp ?? Infinity) <= exp)
    const long = await exchange({ subject_token: await signed({ exp: seconds() + 3_000 }) })
    assert.ok((long.expires_in ?? Infinity) <= 600, 'nor as the resource has it')
  })

  it('nests earlier actors (RFC 8693 §4.1)', async () => {
    const { access_token: token } = await exchange()
    const again = await exchange({ subject_token: token, resource: API }, 'ledger')
    assert.deepEqual(decodeJwt(again.access_token)['act'], {
      sub: 'ledger',
      act: { sub: 'gateway' },
    })
  })

  it('is in the metadata only where a client may use it', async () => {
    const supports = async (one: Site) =>
      (await one.client('web')).serverMetadata().grant_types_supported?.includes(EXCHANGE)
    assert.equal(await supports(site), true)
    await using other = await startSite()
    assert.equal(await supports(other), false)
  })

  it('accepts a token whose may_act names the client', async () => {
    const token = await signed({ may_act: { sub: 'gateway' } })
    assert.ok((await exchange({ subject_token: token })).access_token)
  })

  const HOSTILE: readonly {
    name: string
    fields: () => Fields | Promise<Fields>
    want: string
    client?: string
  }[] = [
    {
      name: 'an ID token',
      fields: () => ({ subject_token: tokens.id_token ?? '' }),
      want: 'invalid_request',
    },
    {
      name: 'an ID token signed for the API',
      fields: async () => ({ subject_token: await signed({}, 'JWT') }),
      want: 'invalid_request',
    },
    {
      name: 'no subject_token',
      fields: () => ({ subject_token: undefined }),
      want: 'invalid_request',
    },
    { name: 'an opaque token', fields: () => ({ subject_token: 'abc' }), want: 'invalid_request' },
    {
      name: 'a token with a changed claim',
      fields: () => {
        const [header, , signature] = subject.split('.')
        const payload = { ...decodeJwt(subject), sub: 'bob' }
        const text = Buffer.from(JSON.stringify(payload)).toString('base64url')
        return { subject_token: `${header}.${text}.${signature}` }
      },
      want: 'invalid_request',
    },
    {
      name: 'an unsigned token',
      fields: () => ({ subject_token: new UnsecuredJWT(decodeJwt(subject)).encode() }),
      want: 'invalid_request',
    },
    {
      name: 'a token signed with another key',
      fields: async () => {
        const otherKeys = signingKeysOf([await madeKey('EdDSA')], systemClock)
        return { subject_token: await signed({}, 'at+jwt', otherKeys) }
      },
      want: 'invalid_request',
    },
    {
      name: 'a token of another issuer, signed with the own key',
      fields: async () => ({ subject_token: await signed({ iss: 'https://evil.example' }) }),
      want: 'invalid_request',
    },
    {
      name: 'a token that has expired',
      fields: async () => ({ subject_token: await signed({ exp: seconds() - 1 }) }),
      want: 'invalid_request',
    },
    {
      name: 'a token without exp',
      fields: async () => ({ subject_token: await signed({ exp: undefined }) }),
      want: 'invalid_request',
    },
    {
      name: 'a token for a service that is not in "from"',
      fields: async () => ({ subject_token: await signed({ aud: VAULT }) }),
      want: 'invalid_request',
    },
    {
      name: 'a token for several services',
      fields: async () => ({ subject_token: await signed({ aud: [API, VAULT] }) }),
      want: 'invalid_request',
    },
    {
      name: 'a token that is bound to a key (DPoP)',
      fields: async () => ({ subject_token: await signed({ cnf: { jkt: 'x' } }) }),
      want: 'invalid_request',
    },
    {
      name: 'a token that a client with a user’s name got for itself',
      fields: async () => ({ subject_token: await signed({ client_id: 'alice' }) }),
      want: 'invalid_request',
    },
    {
      name: 'a token without client_id',
      fields: async () => ({ subject_token: await signed({ client_id: undefined }) }),
      want: 'invalid_request',
    },
    {
      name: 'a token whose may_act names another client',
      fields: async () => ({ subject_token: await signed({ may_act: { sub: 'robot' } }) }),
      want: 'invalid_request',
    },
    {
      name: 'a token of an unknown login',
      fields: async () => ({ subject_token: await signed({ sub: 'zoe' }) }),
      want: 'invalid_grant',
    },
    {
      name: 'another subject_token_type',
      fields: () => ({ subject_token_type: 'urn:ietf:params:oauth:token-type:saml2' }),
      want: 'invalid_request',
    },
    {
      name: 'a missing subject_token_type',
      fields: () => ({ subject_token_type: undefined }),
      want: 'invalid_request',
    },
    {
      name: 'another requested_token_type',
      fields: () => ({ requested_token_type: 'urn:ietf:params:oauth:token-type:refresh_token' }),
      want: 'invalid_request',
    },
    {
      name: 'an actor_token',
      fields: () => ({ actor_token: subject, actor_token_type: ACCESS_TOKEN }),
      want: 'invalid_request',
    },
    { name: 'a service not in "to"', fields: () => ({ resource: VAULT }), want: 'invalid_target' },
    {
      name: 'the resource that the token is for already',
      fields: () => ({ resource: API }),
      want: 'invalid_target',
    },
    { name: 'a missing resource', fields: () => ({ resource: undefined }), want: 'invalid_target' },
    { name: 'an audience', fields: () => ({ audience: 'ledger' }), want: 'invalid_target' },
    { name: 'an unknown scope', fields: () => ({ scope: 'book read' }), want: 'invalid_scope' },
    { name: 'a client without it', fields: () => ({}), want: 'invalid_request', client: 'robot' },
    { name: 'a public client', fields: () => ({}), want: 'invalid_request', client: 'spa' },
  ]
  for (const { name, fields, want, client } of HOSTILE) {
    it(`hostile: refuses ${name}`, async () => {
      const count = (await site.audit('tokens-issued')).length
      assert.equal(await refusalOf(exchange(await fields(), client)), want)
      assert.equal((await site.audit('tokens-issued')).length, count)
    })
  }

  it('hostile: refuses two resources', async () => {
    const parameters = new URLSearchParams({
      subject_token: subject,
      subject_token_type: ACCESS_TOKEN,
      resource: LEDGER,
    })
    parameters.append('resource', API)
    const call = openid.genericGrantRequest(await site.client('gateway'), EXCHANGE, parameters)
    assert.equal(await refusalOf(call), 'invalid_request')
  })

  it('hostile: refuses a client that does not authenticate', async () => {
    const response = await fetch(`http://127.0.0.1:${site.port}/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: EXCHANGE,
        client_id: 'gateway',
        subject_token: subject,
        subject_token_type: ACCESS_TOKEN,
        resource: LEDGER,
      }),
    })
    assert.equal(response.status, 401)
  })
})
