// DPoP proofs by themselves: the checks of RFC 9449 §4.3 except for replay.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { verifyProof } from '../../../src/authenticate/bearer/proof.ts'
import { NOW } from './issuing.ts'
import {
  bodyOf,
  caller,
  claiming,
  headerOf,
  heading,
  judge,
  other,
  signed,
  SKEW,
  tableOf,
  TOKEN,
} from './judging.ts'
import { makeCaller, RULES, subjectOf } from './proving.ts'

describe('the example of RFC 9449 §7.1', () => {
  const PROOF = [
    'eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6Ik',
    'VDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCR',
    'nMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JE',
    'QSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIj',
    'oiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZy9wcm90ZWN0Z',
    'WRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNF',
    'c05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFFbyJ9.2oW9RP35yRqzhrtNP86L-Ey71E',
    'OptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA',
  ].join('')
  // §6.1: the jkt of the same key.
  const THUMBPRINT = '0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I'
  const ISSUED = 1_562_262_618
  const parts = { host: 'resource.example.org', path: '/protectedresource' }

  it('is accepted for its request, and yields its jti and its end', async () => {
    const subject = subjectOf({ thumbprint: THUMBPRINT }, TOKEN, parts)
    const proof = await verifyProof(PROOF, subject, { ...RULES, skew: SKEW }, ISSUED * 1_000)
    assert.equal(proof?.id, 'e1j3V_bKic8-LAEB')
    assert.equal(proof.until, ISSUED * 1_000 + RULES.window + SKEW)
    assert.equal(proof.key.thumbprint, THUMBPRINT)
  })

  const CHANGES = [
    { name: 'another method', parts: { ...parts, method: 'POST' } },
    { name: 'another path', parts: { ...parts, path: '/protectedresource2' } },
    { name: 'another host', parts: { ...parts, host: 'resource.example.com' } },
    { name: 'another token', token: `${TOKEN}x` },
    { name: 'a token of another key', thumbprint: `1${THUMBPRINT.slice(1)}` },
    { name: 'a minute later', now: ISSUED + 60 },
    { name: 'a second earlier', now: ISSUED - 1 },
  ]
  for (const { name, token = TOKEN, thumbprint = THUMBPRINT, now = ISSUED, ...rest } of CHANGES) {
    it(`is refused for ${name}`, async () => {
      const subject = subjectOf({ thumbprint }, token, rest.parts ?? parts)
      assert.equal(await verifyProof(PROOF, subject, RULES, now * 1_000), undefined)
    })
  }
})

describe('a valid DPoP proof', () => {
  for (const algorithm of RULES.algorithms) {
    it(`may be signed by ${algorithm}, and not by another key`, async () => {
      const [ours, theirs] = [await makeCaller(algorithm), await makeCaller(algorithm)]
      assert.ok(await judge(await ours.proof(TOKEN), { by: ours }))
      assert.ok(!(await judge(await ours.proof(TOKEN), { by: theirs })))
      const forged = await theirs.proof(TOKEN, {}, { jwk: ours.jwk })
      assert.ok(!(await judge(forged, { by: ours })))
      const rules = { algorithms: RULES.algorithms.filter((one) => one !== algorithm) }
      assert.ok(!(await judge(await ours.proof(TOKEN), { by: ours, rules })), 'not allowed')
    })
  }

  tableOf(true, [
    { name: 'is its own control', proof: claiming({}) },
    { name: 'put together by hand too', proof: heading({}) },
    {
      name: 'may have a path and leave out the query',
      proof: claiming({ htu: 'https://app.example.org/a/b' }),
      parts: { path: '/a/b?c=d' },
    },
    {
      name: 'may be of another method',
      proof: claiming({ htm: 'DELETE' }),
      parts: { method: 'DELETE' },
    },
    { name: 'may be almost too old', proof: claiming({ iat: NOW - 59.999 }) },
    { name: 'may have a fraction of a second', proof: claiming({ iat: NOW - 0.5 }) },
    {
      name: 'may be older by the skew',
      proof: claiming({ iat: NOW - 64.9 }),
      rules: { skew: SKEW },
    },
    {
      name: 'may be of the future by the skew',
      proof: claiming({ iat: NOW + 5 }),
      rules: { skew: SKEW },
    },
    { name: 'may have an exp and an nbf', proof: claiming({ exp: NOW + 1, nbf: NOW }) },
    { name: 'may have a nonce that was not requested', proof: claiming({ nonce: 'x' }) },
    { name: 'may have further claims', proof: claiming({ iss: 'me', 'https://x': { a: 1 } }) },
  ])

  it('may have a key that says what it is for, as browsers export it', async () => {
    const jwk = {
      ...caller.jwk,
      key_ops: ['verify'],
      ext: true,
      use: 'sig',
      alg: 'ES256',
      kid: 'k',
    }
    assert.ok(await judge(signed(headerOf({ jwk }), bodyOf())))
  })

  it('is good for an origin that callers know the host by, and then for no other', async () => {
    const origins = new Map([
      ['app.example.org', ['https://app.example.org:8443', 'http://localhost:8080']],
    ])
    const at = (htu: string): Promise<boolean> =>
      caller.proof(TOKEN, { htu }).then((proof) => judge(proof, { rules: { origins } }))
    assert.ok(await at('https://app.example.org:8443/'))
    assert.ok(await at('HTTP://LOCALHOST:8080'))
    assert.ok(!(await at('https://app.example.org/')))
    assert.ok(!(await at('https://localhost:8080/')))
    assert.ok(!(await at('http://localhost/')))
  })
})

describe('a key that was read before', () => {
  it('is taken only for the thumbprint that it has', async () => {
    const known = await verifyProof(
      await caller.proof(TOKEN),
      subjectOf(caller, TOKEN),
      RULES,
      NOW * 1_000,
    )
    assert.ok(known !== undefined)
    const again = { ...subjectOf(caller, TOKEN), key: known.key }
    const proof = await verifyProof(await caller.proof(TOKEN), again, RULES, NOW * 1_000)
    assert.equal(proof?.key, known.key)
    const foreign = { ...subjectOf(other, TOKEN), key: known.key }
    assert.ok(await verifyProof(await other.proof(TOKEN), foreign, RULES, NOW * 1_000))
    const forged = await caller.proof(TOKEN, {}, { jwk: other.jwk })
    assert.equal(await verifyProof(forged, foreign, RULES, NOW * 1_000), undefined)
  })
})
