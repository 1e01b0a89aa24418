// What the audit log says about a refused token: required and found, in one bounded line.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  audienceDetail,
  issuerDetail,
  requiredDetail,
  keyIdDetail,
  memberDetail,
  timeDetail,
} from '../../src/authenticate/required-and-found.ts'

const NOW = Date.parse('2026-03-01T00:00:00Z')

describe('the detail of a refused token names what was required and found:', () => {
  const CASES: readonly { readonly name: string; readonly got: string; readonly want: string }[] = [
    {
      name: 'an audience',
      got: audienceDetail(['kube'], 'web'),
      want: 'audience: required "kube", found "web"',
    },
    {
      name: 'audiences',
      got: audienceDetail(['a', 'b'], ['c', 'd']),
      want: 'audience: required one of "a", "b", found "c", "d"',
    },
    {
      name: 'many audiences',
      got: audienceDetail(['a'], ['b', 'c', 'd', 'e', 'f', 'g']),
      want: 'audience: required "a", found "b", "c", "d", "e" and 2 more',
    },
    {
      name: 'no audience',
      got: audienceDetail(['a'], undefined),
      want: 'audience: required "a", found none',
    },
    {
      name: 'an empty list of audiences',
      got: audienceDetail(['a'], []),
      want: 'audience: required "a", found none',
    },
    {
      name: 'an audience that is not a text',
      got: audienceDetail(['a'], { b: 1 }),
      want: 'audience: required "a", found not a text',
    },
    {
      name: 'an issuer',
      got: issuerDetail('https://a', 'https://a/'),
      want: 'issuer: required "https://a", found "https://a/"',
    },
    {
      name: 'an audience of an answer',
      got: requiredDetail('audience', ['a'], 'secret'),
      want: 'audience: required "a", found another',
    },
    {
      name: 'an algorithm',
      got: memberDetail('algorithm', ['RS256'], 'HS256'),
      want: 'algorithm: required "RS256", found "HS256"',
    },
    {
      name: 'a key id',
      got: keyIdDetail('k9', 'RS256', ['k1', undefined]),
      want: 'key id: found "k9" for RS256, the issuer publishes "k1", none',
    },
    {
      name: 'a time to come',
      got: timeDetail('valid from', NOW + 95_000, NOW, 30_000),
      want: 'valid from 2026-03-01T00:01:35Z, 95 s ahead of the clock of this machine (skew: 30 s)',
    },
    {
      name: 'a time past',
      got: timeDetail('expired', NOW - 60_000, NOW, 0),
      want: 'expired 2026-02-28T23:59:00Z, 60 s behind the clock of this machine (skew: 0 s)',
    },
    {
      name: 'a time that cannot be written',
      got: timeDetail('valid from', 1e300, NOW, 0),
      want: 'valid from no instant, 1e+297 s ahead of the clock of this machine (skew: 0 s)',
    },
    {
      name: 'a control character',
      got: issuerDetail('a', '\u001b[2Jx\n'),
      want: 'issuer: required "a", found "\\u001b[2Jx\\n"',
    },
  ]
  for (const { name, got, want } of CASES) {
    it(name, () => assert.equal(got, want))
  }

  it('hostile: long texts are cut', () => {
    const long = Array.from({ length: 1_000 }, () => 'x'.repeat(60_000))
    assert.ok(audienceDetail(['a'], long).length < 600)
    assert.ok(issuerDetail('a', long[0]).length < 200)
  })
})
