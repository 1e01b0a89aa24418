import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { after, before, describe, it } from 'node:test'
import { claimsOf, jwksOf, makeKey, type IssuerKey } from '../../authenticate/bearer/issuing.ts'
import { makeCaller, type Caller, type Members } from '../../authenticate/bearer/proving.ts'
import {
  http1,
  http2,
  http2On,
  openHttp2,
  valuesOf,
  type Answer,
  type HeaderLine,
  type RequestOptions,
} from '../../servers/client.ts'
import { skipWithoutEnvoy } from '../../servers/envoy.ts'
import { sendRaw, upgradeRaw } from '../../servers/raw-client.ts'
import { temporaryFolder, type TemporaryFolder } from '../../servers/temporary.ts'
import { bearer, verdictOf } from '../asking.ts'
import { ALICE, HOST, received, receivedBy, startSite, type Site } from '../site.ts'
import { ABOUT, APART, PATHS, PORTED } from './proofs.ts'

const INVITATIONS = ['Bearer realm="DPoP test"', 'DPoP realm="DPoP test", algs="ES256 EdDSA"']
const BASIC = 'Basic realm="Site", charset="UTF-8"'
const FAILED = `${INVITATIONS[1]}, error="invalid_dpop_proof"`

const now = (): number => Math.floor(Date.now() / 1_000)

describe('DPoP-bound tokens, through Envoy', { skip: skipWithoutEnvoy() }, () => {
  let folder: TemporaryFolder
  let site: Site
  let issuer: IssuerKey
  let caller: Caller
  let token: string
  before(async () => {
    folder = await temporaryFolder()
    const file = folder.file('keys.json')
    issuer = await makeKey()
    await writeFile(file, jwksOf(issuer))
    site = await startSite({
      authenticators: {
        tokens: {
          bearer: {
            realm: 'DPoP test',
            issuer: claimsOf().iss,
            audiences: [claimsOf().aud],
            keys: { file },
            dpop: {
              algorithms: ['ES256', 'EdDSA'],
              origins: { [PORTED]: [`https://${PORTED}:8443`] },
            },
          },
          identity: { user: 'claims.sub' },
        },
      },
      route: {
        match: { hosts: [HOST, PORTED] },
        authenticate: ['tokens', 'staff'],
        authorize: [{ allow: 'all' }],
      },
    })
    caller = await makeCaller()
    token = await tokenFor(caller)
  })
  after(async () => {
    await site[Symbol.asyncDispose]()
    await folder[Symbol.asyncDispose]()
  })

  const tokenFor = async ({ thumbprint }: Caller): Promise<string> =>
    await issuer.token(
      claimsOf({ iat: now(), exp: now() + 300, jti: thumbprint, cnf: { jkt: thumbprint } }),
    )

  const proofOf = async (claims: Members = {}, header: Members = {}): Promise<string> =>
    await caller.proof(token, { iat: now(), htu: `https://${HOST}/`, ...claims }, header)

  const presented = (proof: string, text = token): readonly HeaderLine[] => [
    ['Authorization', `DPoP ${text}`],
    ['DPoP', proof],
  ]

  const ask = (options: RequestOptions): Promise<Answer> =>
    http1(site.target, { host: HOST, ...options })

  for (const [protocol, sendOver] of [
    ['HTTP/1.1', http1],
    ['HTTP/2', http2],
  ] as const) {
    it(`1. a token with its proof, over ${protocol}: the identity is forwarded, without token and proof`, async () => {
      site.upstream.clear()
      const headers = presented(await proofOf())
      const answer = await sendOver(site.target, { host: HOST, headers })
      assert.equal(answer.status, 200, answer.body)
      assert.deepEqual(received(answer, 'x-remote-user'), ['alice'])
      const names = receivedBy(answer).map(([name]) => name)
      assert.ok(!names.includes('dpop') && !names.includes('authorization'), names.join())
      assert.equal(site.upstream.requests.length, 1)
    })

    it(`2. a proof that was used, over ${protocol}: 401 for the second request`, async () => {
      const headers = presented(await proofOf())
      assert.equal((await sendOver(site.target, { host: HOST, headers })).status, 200)
      site.upstream.clear()
      const again = await sendOver(site.target, { host: HOST, headers })
      assert.equal(await verdictOf(site, again), '401 proof-replayed')
      assert.deepEqual(valuesOf(again, 'www-authenticate'), [INVITATIONS[0], FAILED, BASIC])
      assert.equal(site.upstream.requests.length, 0)
    })
  }

  it('2. one proof in thirty simultaneous requests: one of them is served', async () => {
    site.upstream.clear()
    const headers = presented(await proofOf())
    const session = await openHttp2(site.target)
    try {
      const answers = await Promise.all(
        Array.from({ length: 30 }, () => http2On(session, { host: HOST, headers })),
      )
      const served = answers.filter(({ status }) => status === 200).length
      const refused = answers.filter(({ status }) => status === 401).length
      assert.deepEqual([served, refused], [1, 29])
      assert.equal(site.upstream.requests.length, 1)
    } finally {
      session.destroy()
    }
  })

  it('2. the same jti in another proof: 401', async () => {
    const claims = { jti: 'mine' }
    assert.equal((await ask({ headers: presented(await proofOf(claims)) })).status, 200)
    const answer = await ask({ headers: presented(await proofOf({ ...claims, iat: now() - 1 })) })
    assert.equal(await verdictOf(site, answer), '401 proof-replayed')
  })

  for (const { name, claims, header, request = {} } of ABOUT) {
    it(`3. a proof for ${name}: 401`, async () => {
      site.upstream.clear()
      const { headers = [], ...rest } = request
      const proof = await proofOf(claims, header)
      const answer = await ask({ ...rest, headers: [...presented(proof), ...headers] })
      assert.equal(await verdictOf(site, answer), '401 proof-invalid')
      assert.deepEqual(valuesOf(answer, 'www-authenticate'), [INVITATIONS[0], FAILED, BASIC])
      assert.equal(site.upstream.requests.length, 0)
    })
  }

  it('3. a proof by another key, alone or under the name of the correct one: 401', async () => {
    const thief = await makeCaller()
    // One whose key is known by now, and one whose holder was never here.
    const unseen = await makeCaller()
    const tokens = [token, await tokenFor(unseen)]
    const keys = [caller.jwk, unseen.jwk]
    for (const [index, stolen] of tokens.entries()) {
      for (const header of [{}, { jwk: keys[index] }]) {
        const proof = await thief.proof(stolen, { iat: now(), htu: `https://${HOST}/` }, header)
        const answer = await ask({ headers: presented(proof, stolen) })
        assert.equal(await verdictOf(site, answer), '401 proof-invalid')
      }
    }
  })

  for (const { name, path, htu, host = HOST } of PATHS) {
    it(`4. a proof for a URI with ${name}: 200`, async () => {
      for (const sendOver of [http1, http2]) {
        const headers = presented(await proofOf({ htu }))
        const answer = await sendOver(site.target, { host, path, headers })
        assert.equal(await verdictOf(site, answer), '200 permitted')
      }
    })
  }

  for (const [path, htu] of APART) {
    it(`4. ${path} is not ${htu}: 401`, async () => {
      const answer = await ask({ path, headers: presented(await proofOf({ htu })) })
      assert.equal(await verdictOf(site, answer), '401 proof-invalid')
    })
  }

  it('4. a host with another port, where htu has none: 401', async () => {
    const proof = await proofOf({ htu: `https://${PORTED}/` })
    const answer = await ask({ host: `${PORTED}:8443`, headers: presented(proof) })
    assert.equal(await verdictOf(site, answer), '401 proof-invalid')
  })

  it('5. the token as a bearer token, with its proof or without: 401', async () => {
    for (const more of [[], [['DPoP', await proofOf()] as const]]) {
      const answer = await ask({ headers: [bearer(token), ...more] })
      assert.equal(await verdictOf(site, answer), '401 token-binding')
      assert.deepEqual(valuesOf(answer, 'www-authenticate'), [
        `${INVITATIONS[0]}, error="invalid_token"`,
        INVITATIONS[1],
        BASIC,
      ])
    }
  })

  it('5. an unbound token with the scheme DPoP: 401; as a bearer token: 200', async () => {
    const free = await issuer.token(claimsOf({ iat: now(), exp: now() + 300 }))
    const proof = await caller.proof(free, { iat: now(), htu: `https://${HOST}/` })
    const answer = await ask({ headers: presented(proof, free) })
    assert.equal(await verdictOf(site, answer), '401 token-binding')
    assert.deepEqual(valuesOf(answer, 'www-authenticate'), [
      INVITATIONS[0],
      `${INVITATIONS[1]}, error="invalid_token"`,
      BASIC,
    ])
    const plain = await ask({ headers: [bearer(free), ['DPoP', proof]] })
    assert.equal(plain.status, 200)
    assert.deepEqual(received(plain, 'dpop'), [])
  })

  it('5. without a proof, with an empty one, or with a password in addition: 401', async () => {
    const none = await ask({ headers: [['Authorization', `DPoP ${token}`]] })
    assert.equal(await verdictOf(site, none), '401 proof-invalid')
    const empty = await ask({ headers: presented('') })
    assert.equal(await verdictOf(site, empty), '401 proof-invalid')
    const password = await ask({ headers: [ALICE, ['DPoP', await proofOf()]] })
    assert.deepEqual(received(password, 'x-remote-user'), ['alice'])
    assert.deepEqual(received(password, 'dpop'), [])
    const alone = await ask({ headers: [['DPoP', await proofOf()]] })
    assert.equal(await verdictOf(site, alone), '401 credential-missing')
    assert.deepEqual(valuesOf(alone, 'www-authenticate'), [...INVITATIONS, BASIC])
  })

  it('6. two DPoP lines, equal or not, over HTTP/1.1 and HTTP/2: 401', async () => {
    const [one, other] = [await proofOf(), await proofOf()]
    for (const second of [one, other, '']) {
      const headers: readonly HeaderLine[] = [...presented(one), ['DPoP', second]]
      const answers = [
        await sendRaw(site.target, { headers: [['Host', HOST], ...headers] }),
        await http2(site.target, { host: HOST, headers }),
      ]
      for (const answer of answers) {
        assert.equal(await verdictOf(site, answer), '401 proof-invalid')
      }
    }
    // None of them was used up by that.
    assert.equal((await ask({ headers: presented(one) })).status, 200)
  })

  it('7. an upgrade: the upstream receives neither token nor proof', async () => {
    site.upstream.clear()
    const proof = await proofOf({ htu: `https://${HOST}/ws` })
    const headers: readonly HeaderLine[] = [
      ['Host', HOST],
      ['Connection', 'Upgrade'],
      ['Upgrade', 'websocket'],
      ...presented(proof),
    ]
    using upgraded = await upgradeRaw(site.target, { line: 'GET /ws?a=b HTTP/1.1', headers })
    assert.equal(upgraded.answer.status, 101)
    const lines = site.upstream.requests.at(-1)?.rawHeaders.join('\n') ?? ''
    assert.match(lines, /x-remote-user\nalice/i)
    assert.doesNotMatch(lines, /dpop|authorization/i)
  })
})
