import assert from 'node:assert/strict'
import { createHash, X509Certificate } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { http1, http2, valuesOf, type Answer, type HeaderLine } from '../../servers/client.ts'
import { skipWithoutEnvoy } from '../../servers/envoy.ts'
import { createAuthority, type Authority, type KeyPair } from '../../servers/pki.ts'
import { bearer, verdictOf } from '../asking.ts'
import { ALICE, HOST, received, startSite, type Site } from '../site.ts'
import { authenticatorsIn, tokenWith } from './credentials.ts'

const BEARER = 'Bearer realm="Tokens"'
const BASIC = 'Basic realm="Site", charset="UTF-8"'

/** RFC 8705 §3.1: what a token that is bound to this certificate says of it. */
const confirmationOf = async ({ certificate }: KeyPair): Promise<unknown> => {
  const { raw } = new X509Certificate(await readFile(certificate))
  return { 'x5t#S256': createHash('sha256').update(raw).digest('base64url') }
}

/** Certificates of callers, and tokens that are bound to them. */
interface Callers extends AsyncDisposable {
  readonly authority: Authority
  /** A CA that Envoy trusts as well, and the authenticator does not. */
  readonly other: Authority
  readonly alice: KeyPair
  readonly bob: KeyPair
  readonly outsider: KeyPair
  readonly token: string
  /** alice's token, bound to alice's certificate. */
  readonly bound: string
}

const makeCallers = async (): Promise<Callers> => {
  await using stack = new AsyncDisposableStack()
  const authority = stack.use(await createAuthority('Client CA'))
  const other = stack.use(await createAuthority('Other CA'))
  const issue = (by: Authority, commonName: string): Promise<KeyPair> =>
    by.issue({ commonName, organizations: ['dev'], usage: 'client' })
  const alice = await issue(authority, 'alice')
  const callers = {
    authority,
    other,
    alice,
    bob: await issue(authority, 'bob'),
    outsider: await issue(other, 'alice'),
    token: await tokenWith(),
    bound: await tokenWith({ cnf: await confirmationOf(alice) }),
  }
  const owned = stack.move()
  return { ...callers, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

/** A site whose Envoy asks for client certificates of both CAs. */
const startCertificateSite = async (
  { authority, other }: Callers,
  authenticate: readonly unknown[],
): Promise<Site> => {
  const clientCa = join(authority.folder, 'both.pem')
  const both = await Promise.all([authority, other].map(({ ca }) => readFile(ca, 'utf8')))
  await writeFile(clientCa, both.join('\n'))
  return await startSite({
    authenticators: {
      ...(await authenticatorsIn(authority.folder)),
      certificates: { certificate: { trust: authority.ca } },
    },
    route: { authenticate },
    listener: { clientCa },
  })
}

interface Case {
  readonly name: string
  readonly client?: (callers: Callers) => KeyPair
  readonly headers?: (callers: Callers) => readonly HeaderLine[]
  readonly verdict: string
  /** The user that the upstream receives. */
  readonly user?: string
  readonly challenges?: readonly string[]
}

/** The expected outcome of each case, over HTTP/1.1 and HTTP/2. */
const cases = (
  site: () => Site,
  callers: () => Callers,
  table: readonly Case[],
  invitations: readonly string[],
): void => {
  for (const { name, client, headers, verdict, user, challenges = invitations } of table) {
    it(`${name}: ${verdict}`, async () => {
      site().upstream.clear()
      for (const sendOver of [http1, http2]) {
        const presented = client?.(callers())
        const target = { ...site().target, ...(presented && { client: presented }) }
        const answer: Answer = await sendOver(target, {
          host: HOST,
          headers: headers?.(callers()) ?? [],
        })
        assert.equal(await verdictOf(site(), answer), verdict)
        const expected = verdict.startsWith('401') ? challenges : []
        assert.deepEqual(valuesOf(answer, 'www-authenticate'), expected)
        if (user !== undefined) assert.deepEqual(received(answer, 'x-remote-user'), [user])
      }
      assert.equal(site().upstream.requests.length, user === undefined ? 0 : 2)
    })
  }
}

const BOTH: readonly Case[] = [
  {
    name: 'a certificate and a token of one user',
    client: ({ alice }) => alice,
    headers: ({ token }) => [bearer(token)],
    verdict: '200 permitted',
    user: 'alice',
  },
  {
    name: 'a certificate and the token that is bound to it',
    client: ({ alice }) => alice,
    headers: ({ bound }) => [bearer(bound)],
    verdict: '200 permitted',
    user: 'alice',
  },
  {
    name: 'a certificate and a token that is bound to another',
    client: ({ bob }) => bob,
    headers: ({ bound }) => [bearer(bound)],
    verdict: '401 token-binding',
    challenges: [`${BEARER}, error="invalid_token"`, BASIC],
  },
  {
    name: 'a certificate and a token of another user',
    client: ({ bob }) => bob,
    headers: ({ token }) => [bearer(token)],
    verdict: '400 credential-conflict',
  },
  {
    name: 'a certificate of a CA that only Envoy trusts, and a token',
    client: ({ outsider }) => outsider,
    headers: ({ token }) => [bearer(token)],
    verdict: '401 certificate-untrusted',
  },
  {
    name: 'a certificate in a header, and a token',
    headers: ({ token }) => [bearer(token), ['X-Forwarded-Client-Cert', 'Subject="CN=alice"']],
    verdict: '401 credential-unsupported',
  },
  {
    name: 'a certificate alone',
    client: ({ alice }) => alice,
    verdict: '401 credential-unsupported',
  },
  {
    name: 'a token alone',
    headers: ({ token }) => [bearer(token)],
    verdict: '401 credential-unsupported',
  },
  {
    name: 'a token alone that is bound to a certificate',
    headers: ({ bound }) => [bearer(bound)],
    verdict: '401 credential-unsupported',
  },
  { name: 'a password alone', headers: () => [ALICE], verdict: '200 permitted', user: 'alice' },
  {
    name: 'a password over a connection with a certificate',
    client: ({ bob }) => bob,
    headers: () => [ALICE],
    verdict: '200 permitted',
    user: 'alice',
  },
  { name: 'no credential at all', verdict: '200 permitted', user: 'visitor' },
]

describe('a client certificate and a token together', { skip: skipWithoutEnvoy() }, () => {
  let callers: Callers
  let site: Site
  before(async () => {
    callers = await makeCallers()
    site = await startCertificateSite(callers, [
      { all: ['certificates', 'tokens'], sameUser: true },
      'staff',
      'nobody',
    ])
  })
  after(async () => {
    await site[Symbol.asyncDispose]()
    await callers[Symbol.asyncDispose]()
  })

  cases(
    () => site,
    () => callers,
    BOTH,
    [BEARER, BASIC],
  )

  it('name the user and the groups of the certificate, which is listed first', async () => {
    const target = { ...site.target, client: callers.alice }
    const answer = await http1(target, { host: HOST, headers: [bearer(callers.token)] })
    assert.deepEqual(received(answer, 'x-remote-group'), ['dev'])
    const event = (await site.events()).at(-1)
    assert.deepEqual(
      [event?.authenticator, event?.authentication],
      ['certificates+tokens', 'certificate'],
    )
  })
})

const BOUND: readonly Case[] = [
  {
    name: 'with its certificate',
    client: ({ alice }) => alice,
    headers: ({ bound }) => [bearer(bound)],
    verdict: '200 permitted',
    user: 'alice',
  },
  {
    name: 'with another one, also while its proof is cached',
    client: ({ bob }) => bob,
    headers: ({ bound }) => [bearer(bound)],
    verdict: '401 token-binding',
    challenges: [`${BEARER}, error="invalid_token"`],
  },
  {
    name: 'with another one of the same name',
    client: ({ outsider }) => outsider,
    headers: ({ bound }) => [bearer(bound)],
    verdict: '401 token-binding',
    challenges: [`${BEARER}, error="invalid_token"`],
  },
  {
    name: 'without a certificate',
    headers: ({ bound }) => [bearer(bound)],
    verdict: '401 token-binding',
    challenges: [`${BEARER}, error="invalid_token"`],
  },
  {
    name: 'with its certificate in a header',
    headers: ({ bound }) => [bearer(bound), ['Client-Cert', ':AAAA:']],
    verdict: '401 token-binding',
    challenges: [`${BEARER}, error="invalid_token"`],
  },
  {
    name: 'that is bound to no certificate, with any',
    client: ({ bob }) => bob,
    headers: ({ token }) => [bearer(token)],
    verdict: '200 permitted',
    user: 'alice',
  },
  {
    name: 'missing, with a certificate that this route does not accept as a credential',
    client: ({ bob }) => bob,
    verdict: '200 permitted',
    user: 'visitor',
  },
]

describe(
  'a token that is bound to a certificate, on a route with tokens only',
  { skip: skipWithoutEnvoy() },
  () => {
    let callers: Callers
    let site: Site
    before(async () => {
      callers = await makeCallers()
      site = await startCertificateSite(callers, ['tokens', 'nobody'])
    })
    after(async () => {
      await site[Symbol.asyncDispose]()
      await callers[Symbol.asyncDispose]()
    })

    cases(
      () => site,
      () => callers,
      BOUND,
      [BEARER],
    )
  },
)
