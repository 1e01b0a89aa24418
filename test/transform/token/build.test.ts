// Tokens that another server makes, built from the text of a configuration: client authentication at
// the token endpoint, verified independently, and problems reported when the configuration is read.

import assert from 'node:assert/strict'
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { after, before, describe, it } from 'node:test'
import { jwtVerify } from 'jose'
import { systemClock } from '../../../src/runtime/clock.ts'
import { createAuthority, type Authority, type KeyPair } from '../../servers/pki.ts'
import { startTokenServer, type TokenServerHandle } from '../../servers/token-server.ts'
import { byToken, numbered, permitOf, wordOf } from './asking-for-tokens.ts'
import { buildForwardFrom, type BuiltForward } from '../../authenticate/building.ts'

const ISSUER = 'https://login.example.org/'
const SECRET = 's3cr3t of the client'
const FOREVER = new AbortController().signal

type Settings = Readonly<Record<string, unknown>>

let authority: Authority
let server: KeyPair
let client: KeyPair
let publicKey: KeyObject
before(async () => {
  authority = await createAuthority('Countersign bearer test CA')
  const { folder } = authority
  server = await authority.issue({ commonName: 's', names: ['127.0.0.1'], usage: 'server' })
  client = await authority.issue({ commonName: 'gateway', usage: 'client' })
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  ;({ publicKey } = pair)
  await writeFile(`${folder}/own.key`, pair.privateKey.export({ type: 'pkcs8', format: 'pem' }))
  await writeFile(`${folder}/client.secret`, `${SECRET}\n`)
  await writeFile(`${folder}/own.token`, 'own-token\n')
  await writeFile(`${folder}/two.tokens`, 'own-token\nother-token\n')
  await writeFile(`${folder}/empty`, '\n')
})
after(async () => await authority[Symbol.asyncDispose]())

const build = async (bearer: Settings): Promise<BuiltForward> =>
  await buildForwardFrom(`${authority.folder}/countersign.yaml`, { bearer }, systemClock)

const settings = (changes: Settings = {}): Settings => ({
  issuer: ISSUER,
  endpoint: 'https://login.example.org/token',
  ca: 'ca.pem',
  client: { id: 'gateway', secret: 'file:client.secret' },
  ...changes,
})

const give = async ({ transformers, problems }: BuiltForward): Promise<string> => {
  assert.deepEqual(problems, [])
  const [transformer, ...more] = transformers
  assert.ok(transformer !== undefined && more.length === 0)
  const permit = permitOf(byToken(), [['authorization', 'Bearer opaque']])
  return wordOf(await transformer.transform(permit, FOREVER))
}

const SECTIONS = {
  exchange: 'urn:ietf:params:oauth:grant-type:token-exchange',
  clientCredentials: 'client_credentials',
} as const

for (const [section, grant] of Object.entries(SECTIONS)) {
  describe(`the client of the section ${section}`, () => {
    const requestWith = async (
      own: Settings,
      options: { readonly clientCa?: string } = {},
    ): Promise<TokenServerHandle['requests'][number]> => {
      await using stack = new AsyncDisposableStack()
      const scripted = stack.use(await startTokenServer(server, numbered(), options))
      const endpoint = `${scripted.origin}/token`
      const built = stack.use(
        await build({ [section]: settings({ endpoint, client: { id: 'gateway', ...own } }) }),
      )
      assert.equal(await give(built), 'Bearer token-1')
      const [question, ...more] = scripted.requests
      assert.ok(question !== undefined && more.length === 0)
      assert.equal(question.form['grant_type'], grant)
      return question
    }

    it('has its secret in the header', async () => {
      const { headers, form } = await requestWith({ secret: 'file:client.secret' })
      const [scheme, pair = ''] = (headers['authorization'] ?? '').split(' ')
      assert.equal(scheme, 'Basic')
      assert.equal(Buffer.from(pair, 'base64').toString(), 'gateway:s3cr3t+of+the+client')
      assert.ok(!('client_secret' in form) && !('client_id' in form))
    })

    it('has its secret in the form', async () => {
      const { headers, form } = await requestWith({ secret: 'file:client.secret', method: 'post' })
      assert.equal(headers['authorization'], undefined)
      assert.deepEqual([form['client_id'], form['client_secret']], ['gateway', SECRET])
    })

    it('signs an assertion that another library verifies', async () => {
      const assertion = { key: 'file:own.key', algorithm: 'ES256', keyId: 'k1' }
      const { headers, form } = await requestWith({ assertion })
      assert.equal(headers['authorization'], undefined)
      assert.equal(
        form['client_assertion_type'],
        'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      )
      const { payload, protectedHeader } = await jwtVerify(
        form['client_assertion'] ?? '',
        publicKey,
        { issuer: 'gateway', subject: 'gateway', audience: ISSUER, requiredClaims: ['jti', 'exp'] },
      )
      assert.equal(protectedHeader.kid, 'k1')
      assert.equal((payload.exp ?? 0) - (payload.iat ?? 0), 60)
      assert.equal(form['client_id'], 'gateway')
    })

    it('presents a certificate', async () => {
      const { certificate, key } = client
      const own = { certificate: { certificate, key: `file:${key}` } }
      const {
        headers,
        form,
        client: commonName,
      } = await requestWith(own, { clientCa: authority.ca })
      assert.equal(headers['authorization'], undefined)
      assert.deepEqual([form['client_id'], commonName], ['gateway', 'gateway'])
    })
  })
}

describe('the token endpoint', () => {
  it('is discovered, also at an issuer with a trailing slash', async () => {
    await using stack = new AsyncDisposableStack()
    const scripted = stack.use(await startTokenServer(server, () => ({})))
    const issuer = `${scripted.origin}/`
    const answer = numbered()
    scripted.answer = ({ path }) =>
      path === '/token'
        ? answer()
        : { body: { issuer, token_endpoint: `${scripted.origin}/token` } }
    const exchange = settings({ issuer, endpoint: undefined })
    const built = stack.use(await build({ exchange }))
    assert.equal(scripted.requests.length, 0) // until it is needed
    assert.equal(await give(built), 'Bearer token-1')
    assert.deepEqual(
      scripted.requests.map(({ method, path }) => `${method} ${path}`),
      ['GET /.well-known/openid-configuration', 'POST /token'],
    )
  })

  it('is a dependency of the route, with its kind', async () => {
    for (const [section, kind] of [
      ['exchange', 'token-exchange'],
      ['clientCredentials', 'client-credentials'],
    ] as const) {
      await using built = await build({ [section]: settings() })
      const [{ isUp, refusals, ...dependency } = { isUp: () => false }] = built.dependencies
      const name = 'https://login.example.org/token'
      assert.deepEqual(dependency, { route: 'app', kind, name })
      assert.ok(isUp())
      assert.equal(refusals?.().size, 0)
    }
  })

  it('names the setting that it refuses', async () => {
    await using stack = new AsyncDisposableStack()
    const scripted = stack.use(await startTokenServer(server, () => ({})))
    scripted.answer = () => ({ status: 401, body: { error: 'invalid_client' } })
    const endpoint = scripted.origin
    const words = [
      ['exchange', 'exchange tokens'],
      ['clientCredentials', 'use client_credentials'],
    ] as const
    for (const [section, may] of words) {
      const built = stack.use(await build({ [section]: settings({ endpoint }) }))
      assert.equal(
        await give(built),
        `unavailable: the token endpoint of ${ISSUER} refuses our own client (invalid_client): see "client", and whether this client may ${may}`,
      )
    }
  })
})

describe('a token of another source', () => {
  it('is from a file or the environment', async () => {
    await using file = await build({ token: 'file:own.token' })
    assert.equal(await give(file), 'Bearer own-token')
    // It is not a file of the configuration: a new token does not cause a reload.
    assert.deepEqual(file.files, [])
    process.env['COUNTERSIGN_TEST_TOKEN'] = 'of-the-environment'
    await using environment = await build({ token: 'env:COUNTERSIGN_TEST_TOKEN' })
    assert.equal(await give(environment), 'Bearer of-the-environment')
    delete process.env['COUNTERSIGN_TEST_TOKEN']
  })

  it('is the actor_token of an exchange', async () => {
    await using stack = new AsyncDisposableStack()
    const scripted = stack.use(await startTokenServer(server, numbered()))
    const actor = { token: 'file:own.token', type: 'jwt' }
    const exchange = settings({ endpoint: scripted.origin, actor })
    assert.equal(await give(stack.use(await build({ exchange }))), 'Bearer token-1')
    const [requestWith] = scripted.requests
    assert.equal(requestWith?.form['actor_token'], 'own-token')
    assert.equal(requestWith.form['actor_token_type'], 'urn:ietf:params:oauth:token-type:jwt')
  })
})

describe('an invalid section of a token', () => {
  interface Case {
    readonly name: string
    readonly bearer: Settings
    readonly problem: RegExp
  }
  const exchange = (changes: Settings): Settings => ({ exchange: settings(changes) })
  const CASES: readonly Case[] = [
    {
      name: 'a token file that does not exist',
      bearer: { token: 'file:none' },
      problem: /does not exist/,
    },
    { name: 'an empty token', bearer: { token: 'file:empty' }, problem: /is empty/ },
    {
      name: 'two sources of a token',
      bearer: { token: 'file:two.tokens' },
      problem: /two\.tokens does not hold exactly one token/,
    },
    {
      name: 'two sources of an actor token',
      bearer: exchange({ actor: { token: 'file:two.tokens' } }),
      problem: /two\.tokens does not hold exactly one token/,
    },
    {
      name: 'an exchange that requests refresh tokens',
      bearer: exchange({ requestedTokenType: 'urn:ietf:params:oauth:token-type:refresh_token' }),
      problem: /requests a refresh token/,
    },
    {
      name: 'an http: endpoint',
      bearer: exchange({ endpoint: 'http://login.example.org/token' }),
      problem: /must begin with https/,
    },
    {
      name: 'an http: issuer',
      bearer: exchange({ issuer: 'http://login.example.org', endpoint: undefined }),
      problem: /must begin with https/,
    },
    {
      name: 'an empty secret',
      bearer: { clientCredentials: settings({ client: { id: 'c', secret: 'file:empty' } }) },
      problem: /is empty/,
    },
    {
      name: 'a malformed CA',
      bearer: { clientCredentials: settings({ ca: 'client.secret' }) },
      problem: /holds no certificate/,
    },
    {
      name: 'parameters of another grant',
      bearer: exchange({ flow: 'on-behalf-of', audience: 'x' }),
      problem: /is a parameter of "flow: token-exchange"/,
    },
    {
      name: 'two kinds of a token',
      bearer: { token: 'file:own.token', clientCredentials: settings() },
      problem: /exactly one of/,
    },
  ]
  for (const { name, bearer, problem } of CASES) {
    it(`is refused: ${name}`, async () => {
      await using built = await build(bearer)
      assert.equal(built.transformers.length, 0)
      assert.match(built.problems.join('; '), problem)
      for (const secret of [SECRET, 'own-token']) assert.ok(!built.problems.join().includes(secret))
    })
  }
})

describe('the order of transformers', () => {
  it('is headers, token, certificate: a failure of a cheap one spares the expensive ones', async () => {
    const forward = { headers: 'kubernetes', bearer: { token: 'file:own.token' } }
    await using built = await buildForwardFrom(`${authority.folder}/countersign.yaml`, forward)
    assert.deepEqual(
      built.transformers.map(({ kind }) => kind),
      ['headers', 'service-token'],
    )
  })
})
