// The sections `introspection` and `tokenReview`, built: what is wrong with them is said when the
// configuration is read, without a word of any secret.

import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { before, after, describe, it } from 'node:test'
import { outcomeOf } from '../../authenticate/bearer/asking.ts'
import { ACTIVE } from '../../authenticate/introspection/introspecting.ts'
import { ISSUER } from '../../authenticate/bearer/issuing.ts'
import { createAuthority, type Authority } from '../../servers/pki.ts'
import { startTokenServer } from '../../servers/token-server.ts'
import { buildFrom } from '../../authenticate/building.ts'

const SECRET = 's3cr3t-of-the-client'

type Settings = Readonly<Record<string, unknown>>

let authority: Authority
before(async () => {
  authority = await createAuthority('Countersign building test CA')
  const { folder } = authority
  await writeFile(`${folder}/client.secret`, `${SECRET}\n`)
  await writeFile(`${folder}/empty`, '\n')
  const { privateKey } = generateKeyPairSync('ed25519')
  await writeFile(`${folder}/ed.key`, privateKey.export({ type: 'pkcs8', format: 'pem' }))
})
after(async () => await authority[Symbol.asyncDispose]())

const build = async (sections: Settings) =>
  await buildFrom(`${authority.folder}/countersign.yaml`, JSON.stringify(sections))

const introspection = (changes: Settings = {}): Settings => ({
  introspection: {
    issuer: ISSUER,
    endpoint: `${ISSUER}/introspect`,
    audiences: ['kubernetes'],
    client: { id: 'c', secret: 'file:client.secret' },
    ...changes,
  },
})

const tokenReview = (changes: Settings = {}): Settings => ({
  tokenReview: { server: 'https://10.0.0.1:6443', token: 'file:client.secret', ...changes },
})

interface Case {
  readonly name: string
  readonly sections: Settings
  readonly problem: RegExp
}

const assertion = (changes: Settings): Settings =>
  introspection({
    client: { id: 'c', assertion: { key: 'file:ed.key', algorithm: 'EdDSA', ...changes } },
  })

const CASES: readonly Case[] = [
  { name: 'an empty list of audiences', sections: introspection({ audiences: [] }), problem: /.*/ },
  {
    name: 'an http: issuer',
    sections: introspection({ issuer: 'http://login.example.org', endpoint: undefined }),
    problem: /must begin with https/,
  },
  {
    name: 'an http: endpoint',
    sections: introspection({ endpoint: 'http://login.example.org' }),
    problem: /must begin with https/,
  },
  {
    name: 'a client without secret, assertion and certificate',
    sections: introspection({ client: { id: 'c' } }),
    problem: /must have "secret", "assertion" or "certificate"/,
  },
  {
    name: 'a client with both secret and assertion',
    sections: introspection({
      client: { id: 'c', secret: 'file:x', assertion: { key: 'file:y', algorithm: 'ES256' } },
    }),
    problem: /has both "secret" and "assertion"/,
  },
  {
    name: 'a secret in the configuration itself',
    sections: introspection({ client: { id: 'c', secret: SECRET } }),
    problem: /must be a reference/,
  },
  {
    name: 'a file of the secret that does not exist',
    sections: introspection({ client: { id: 'c', secret: 'file:missing' } }),
    problem: /does not exist/,
  },
  {
    name: 'an empty secret',
    sections: introspection({ client: { id: 'c', secret: 'file:empty' } }),
    problem: /is empty/,
  },
  {
    name: 'a file of the key that contains no key',
    sections: assertion({ key: 'file:client.secret' }),
    problem: /holds no private key/,
  },
  {
    name: 'a key of another type than the algorithm',
    sections: assertion({ algorithm: 'ES256' }),
    problem: /holds no key that is fit for ES256/,
  },
  {
    name: 'a symmetric algorithm for an assertion',
    sections: assertion({ algorithm: 'HS256' }),
    problem: /.*/,
  },
  {
    name: 'a file of the CA that contains no certificate',
    sections: introspection({ ca: 'client.secret' }),
    problem: /client.secret holds no certificate/,
  },
  {
    name: 'a certificate of another key',
    sections: introspection({
      client: { id: 'c', certificate: { certificate: 'ca.pem', key: 'file:ed.key' } },
    }),
    problem: /ed.key does not hold the key of .*ca.pem/,
  },
  {
    name: 'a malformed condition',
    sections: introspection({ require: 'claims.' }),
    problem: /.*/,
  },
  {
    name: 'neither server nor inCluster',
    sections: tokenReview({ server: undefined }),
    problem: /must have "server" or "inCluster: true"/,
  },
  {
    name: 'both server and inCluster',
    sections: tokenReview({ inCluster: true, token: undefined }),
    problem: /must have "server" or "inCluster: true"/,
  },
  {
    name: 'inCluster with a token',
    sections: tokenReview({ inCluster: true, server: undefined }),
    problem: /brings a token/,
  },
  {
    name: 'an API server without token and client',
    sections: tokenReview({ token: undefined }),
    problem: /exactly one of "token" and "client"/,
  },
  {
    name: 'an API server with both token and client',
    sections: tokenReview({ client: { certificate: 'a', key: 'file:b' } }),
    problem: /exactly one of "token" and "client"/,
  },
  {
    name: 'an http: API server',
    sections: tokenReview({ server: 'http://10.0.0.1' }),
    problem: /must begin with https/,
  },
  {
    name: 'inCluster outside of a cluster',
    sections: { tokenReview: { inCluster: true } },
    problem: /not in a pod/,
  },
  {
    name: 'a file of the token that does not exist',
    sections: tokenReview({ token: 'file:missing' }),
    problem: /does not exist/,
  },
  { name: 'an empty token', sections: tokenReview({ token: 'file:empty' }), problem: /is empty/ },
  ...[
    'system:*',
    '*',
    'system:serviceaccount:*:*',
    'system:serviceaccount:Team:*',
    'system:serviceaccount:a:b*',
    'system:serviceaccounts:*',
  ].map((name) => ({
    name: `a pattern of reserved names that is too wide: ${name}`,
    sections: { ...tokenReview(), allowReserved: [name] },
    problem: /the only pattern is/,
  })),
  {
    name: 'a pattern of service accounts in a section that is not tokenReview',
    sections: { ...introspection(), allowReserved: ['system:serviceaccount:team-a:*'] },
    problem: /the only pattern is/,
  },
]

describe('a section of introspection or tokenReview that is wrong', () => {
  for (const { name, sections, problem } of CASES) {
    it(`is refused: ${name}`, async () => {
      await using built = await build(sections)
      assert.equal(built.link, undefined)
      assert.ok(built.problems.length > 0)
      assert.match(built.problems.join('; '), problem)
      assert.ok(!built.problems.join().includes(SECRET))
    })
  }
})

describe('a section of introspection or tokenReview that is valid', () => {
  it('has its files watched', async () => {
    await using built = await build({
      ...introspection({ ca: 'ca.pem' }),
      identity: { user: 'claims.username' },
    })
    assert.deepEqual(built.problems, [])
    assert.deepEqual(
      built.files.map((file) => file.slice(authority.folder.length + 1)).toSorted(),
      ['ca.pem', 'client.secret'],
    )
    const [dependency] = built.dependencies
    assert.equal(dependency?.name, `${ISSUER}/introspect`)
    assert.equal(dependency.isUp(), true)
  })

  it('authenticates by secret or assertion, as configured', async () => {
    await using stack = new AsyncDisposableStack()
    const identity = await authority.issue({
      commonName: 's',
      names: ['127.0.0.1'],
      usage: 'server',
    })
    const server = stack.use(await startTokenServer(identity, () => ({ body: ACTIVE })))
    const settings = { endpoint: server.origin, ca: 'ca.pem' }
    const posting = { id: 'a:b', secret: 'file:client.secret', method: 'post' }
    const posted = stack.use(await build(introspection({ ...settings, client: posting })))
    const signed = stack.use(
      await build(
        introspection({
          ...settings,
          client: { id: 'c', assertion: { key: 'file:ed.key', algorithm: 'EdDSA' } },
        }),
      ),
    )
    for (const { link } of [posted, signed]) {
      assert.ok(link !== undefined)
      assert.equal(await outcomeOf(link.authenticator, 'opaque'), 'authenticated')
    }
    const [first, second] = server.requests.map(({ form }) => form)
    assert.equal(first?.['client_id'], 'a:b')
    assert.equal(first['client_secret'], SECRET)
    const [, claims = ''] = second?.['client_assertion']?.split('.') ?? []
    assert.equal(JSON.parse(Buffer.from(claims, 'base64url').toString()).aud, ISSUER)
  })

  it('may accept the service accounts of a namespace', async () => {
    await using built = await build({
      ...tokenReview(),
      allowReserved: ['system:serviceaccount:team-a:*', 'system:serviceaccounts:team-a'],
    })
    const mapping = built.link?.mapping
    const credential = {
      method: 'bearer',
      digest: 'c',
      extra: {},
      groups: ['system:serviceaccounts:team-a'],
    } as const
    const outcomes = ['team-a', 'team-b'].map(
      (namespace) =>
        mapping?.identityOf({ ...credential, user: `system:serviceaccount:${namespace}:x` })
          .outcome,
    )
    assert.deepEqual(outcomes, ['identity', 'refused'])
  })
})
