// The claims of a token for an identity: any claim by expression, nothing reserved that is not written out,
// and no half.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { mintSchema } from '../../../src/keys/mint-schema.ts'
import type { Identity } from '../../../src/identity/identity.ts'
import { Minting } from './minting.ts'

const said = async (
  claims: Readonly<Record<string, string>>,
  identity: Partial<Identity> = {},
): Promise<Readonly<Record<string, unknown>>> => {
  const { claims: all } = await new Minting({ claims }).read(identity)
  return Object.fromEntries(Object.entries(all).filter(([name]) => name in claims))
}

const TOKEN: Partial<Identity> = {
  method: 'bearer',
  claims: {
    email: 'alice@example.org',
    realm_access: { roles: ['viewer'] },
    level: 3,
    ratio: 0.5,
    admin: false,
    nothing: null,
  },
}

describe('a claim of a minted token', () => {
  const CASES: readonly {
    readonly name: string
    readonly input: string
    readonly want: unknown
  }[] = [
    { name: 'text', input: 'claims.email', want: 'alice@example.org' },
    { name: 'an integer of the caller’s token', input: 'claims.level', want: 3 },
    { name: 'an integer of CEL', input: '1 + 2', want: 3 },
    { name: 'an unsigned number', input: '7u', want: 7 },
    { name: 'a fraction', input: 'claims.ratio', want: 0.5 },
    { name: 'false', input: 'claims.admin', want: false },
    { name: 'a list', input: 'identity.groups.map(g, "x:" + g)', want: ['x:a', 'x:b'] },
    { name: 'an object', input: '{"roles": identity.groups}', want: { roles: ['a', 'b'] } },
    {
      name: 'an object of the caller’s token',
      input: 'claims.realm_access',
      want: { roles: ['viewer'] },
    },
    {
      name: 'a timestamp',
      input: 'timestamp("2026-01-01T00:00:00Z")',
      want: '2026-01-01T00:00:00.000Z',
    },
    { name: 'bytes', input: 'b"abc"', want: 'YWJj' },
    {
      name: 'an optional value that is present',
      input: 'claims.?email',
      want: 'alice@example.org',
    },
    {
      name: 'an optional value of a certificate, where there is none',
      input: 'certificate.subjectName',
      want: '',
    },
  ]
  for (const { name, input, want } of CASES) {
    it(`may be ${name}`, async () => {
      assert.deepEqual(await said({ x: input }, { ...TOKEN, groups: ['a', 'b'] }), { x: want })
    })
  }

  for (const input of ['claims.?missing', 'claims.nothing', 'optional.none()', 'identity.?uid']) {
    it(`is omitted where ${input} yields nothing`, async () => {
      assert.deepEqual(await said({ x: input }, TOKEN), {})
    })
  }

  const BAD = [
    {
      name: 'a missing key',
      input: 'claims.missing',
      want: /^token-unmapped: claims\.x: no_such_key/,
    },
    {
      name: 'a number that JSON would round',
      input: '9007199254740993',
      want: /^token-unmapped: claims\.x: yields a number/,
    },
    {
      name: 'a duration',
      input: 'duration("1h")',
      want: /^token-unmapped: claims\.x: yields no text/,
    },
    { name: 'an error', input: '1 / (size(identity.groups))', want: /^token-unmapped: claims\.x/ },
  ]
  for (const { name, input, want } of BAD) {
    it(`refuses the request where it yields ${name}`, async () => {
      assert.match(
        await new Minting({ claims: { x: input } }).outcome({ ...TOKEN, groups: [] }),
        want,
      )
    })
  }

  it('is not in the error for operators', async () => {
    const outcome = await new Minting({ claims: { x: 'claims.email.missing' } }).outcome(TOKEN)
    assert.match(outcome, /^token-unmapped/)
    assert.doesNotMatch(outcome, /alice@/)
  })
})

describe('the subject and the groups of a minted token', () => {
  it('have the values of the expressions', async () => {
    const parts = { subject: '"idp:" + claims.email', groups: 'claims.realm_access.roles' }
    const { claims } = await new Minting(parts).read(TOKEN)
    assert.equal(claims['sub'], 'idp:alice@example.org')
    assert.deepEqual(claims['groups'], ['viewer'])
  })

  const BAD = [
    { name: 'no subject', parts: { subject: 'claims.?missing' }, want: /subject: yields 0 values/ },
    { name: 'two subjects', parts: { subject: '["a", "b"]' }, want: /subject: yields 2 values/ },
    {
      name: 'an empty subject',
      parts: { subject: '""' },
      want: /subject: the value is not a valid name/,
    },
    {
      name: 'a line break',
      parts: { subject: '"a\\nb"' },
      want: /subject: the value is not a valid name/,
    },
    {
      name: 'a NUL',
      parts: { groups: '["a\\u0000b"]' },
      want: /groups: the value is not a valid name/,
    },
    {
      name: 'a space at an end',
      parts: { groups: '["a "]' },
      want: /groups: the value is not a valid name/,
    },
    { name: 'groups that are not text', parts: { groups: 'claims.level' }, want: /groups: yields/ },
  ]
  for (const { name, parts, want } of BAD) {
    it(`refuse the request with ${name}`, async () => {
      assert.match(await new Minting(parts).outcome(TOKEN), want)
    })
  }
})

describe('a reserved name in a minted token', () => {
  const REFUSED = [
    { name: 'in the subject', parts: { subject: '"system:admin"' } },
    { name: 'in the groups', parts: { groups: '["system:masters"]' } },
    { name: 'in capitals', parts: { groups: '["System:Masters"]' } },
    { name: 'in a claim', parts: { claims: { roles: '["a", "system:masters"]' } } },
    { name: 'deep inside a claim', parts: { claims: { x: '{"a": {"b": ["system:masters"]}}' } } },
    { name: 'as a key of an object', parts: { claims: { x: '{"system:masters": true}' } } },
    {
      name: 'composed by an expression',
      parts: { groups: 'identity.groups.map(g, "system:" + g)' },
    },
  ]
  for (const { name, parts } of REFUSED) {
    it(`is refused ${name}`, async () => {
      assert.match(await new Minting(parts).outcome({ groups: ['masters'] }), /^token-reserved/)
    })
  }

  it('is refused in a claim of another issuer’s token', async () => {
    const input = { method: 'bearer', claims: { groups: ['system:masters'] } } as const
    assert.match(await new Minting({ groups: 'claims.groups' }).outcome(input), /^token-reserved/)
  })

  it('is accepted where it is the identity’s own, or in allowReserved', async () => {
    assert.equal(await new Minting().outcome({ groups: ['system:masters'] }), 'transformed')
    const parts = { groups: '["system:nodes"]' }
    assert.equal(
      await new Minting(parts, { allowReserved: ['system:nodes'] }).outcome(),
      'transformed',
    )
    assert.match(await new Minting(parts, { allowReserved: ['system:node'] }).outcome(), /reserved/)
  })
})

describe('a hostile claim of a minted token', () => {
  const VALUES = [
    'a\r\nX-Remote-User: root',
    'nul\0nul',
    '","groups":["system:masters"],"x":"',
    'größe 密码 😀',
    '\u202Eevil',
    '<script>alert(1)</script>',
    'a,b',
    '%0d%0aX: y',
  ]
  for (const value of VALUES) {
    it(`${JSON.stringify(value)} is one value only`, async () => {
      const { claims } = await new Minting({ claims: { x: 'claims.x' } }).read({
        method: 'bearer',
        claims: { x: value },
      })
      assert.equal(claims['x'], value)
      assert.ok(!('groups' in claims))
      assert.equal(claims['sub'], 'alice')
    })
  }

  it('a hostile claim of a minted token that UTF-8 cannot represent is refused', async () => {
    const input = { method: 'bearer', claims: { x: 'a\ud800' } } as const
    assert.match(await new Minting({ claims: { x: 'claims.x' } }).outcome(input), /^token-unmapped/)
  })

  it('with a key that the library reads as a type is refused', async () => {
    const parts = { claims: { x: 'claims.x' } }
    const input = { method: 'bearer', claims: JSON.parse('{"x":{"constructor":{"a":1}}}') } as const
    assert.match(await new Minting(parts).outcome(input), /^token-unmapped/)
  })
})

describe('the configuration of a minted token', () => {
  const BAD = [
    {
      name: 'a claim that Countersign sets',
      input: { claims: { exp: '1' } },
      want: /exp\W+cannot be set here/,
    },
    {
      name: 'an authentication claim',
      input: { claims: { amr: '["mfa"]' } },
      want: /amr\W+cannot be set here/,
    },
    {
      name: 'a lifetime beyond the publication of keys',
      input: { lifetime: '25h' },
      want: /10s to 24h/,
    },
    { name: 'a lifetime that is too short', input: { lifetime: '9s' }, want: /10s to 24h/ },
    { name: 'a misspelt variable', input: { subject: 'identiy.user' }, want: /identiy/ },
    { name: 'a misspelt field', input: { subject: 'identity.usr' }, want: /usr/ },
    { name: 'a number as the subject', input: { subject: '1' }, want: /yields int/ },
    { name: 'a symmetric algorithm', input: { algorithm: 'HS256' }, want: /ES256/ },
  ]
  for (const { name, input, want } of BAD) {
    it(`refuses ${name}`, () => {
      const result = mintSchema.safeParse({ audience: 'a', ...input })
      assert.ok(!result.success)
      assert.match(JSON.stringify(result.error.issues), want)
    })
  }
})
