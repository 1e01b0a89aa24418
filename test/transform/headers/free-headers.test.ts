// `forward.set`: an expression → header lines, whole, of this caller, and nothing reserved.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ENCODINGS, forwardSchema, LIST_FORMS } from '../../../src/transform/schema.ts'
import type { Identity } from '../../../src/identity/identity.ts'
import { freeHeaders } from '../../../src/transform/headers/free-headers.ts'
import type { Forwarding, Transformer } from '../../../src/transform/transformer.ts'
import { HOSTILE } from '../../fakes/hostile-text.ts'
import { permitFor } from '../../fakes/permit.ts'
import { linesOf, valuesIn } from '../../fakes/receivers.ts'
import { forwardingOf, outcomeOf, writtenOf } from '../../fakes/transformed.ts'

type Headers = Readonly<Record<string, unknown>>

const setting = (set: Headers, allowReserved: readonly string[] = []): Transformer => {
  const config = forwardSchema.parse({ set, allowReserved })
  return freeHeaders(config.set, config.allowReserved)
}

const CALLER: Partial<Identity> = {
  uid: '42',
  groups: ['dev', 'ops'],
  extra: { team: ['blue'] },
  claims: { email: 'alice@example.org', roles: ['a', 'b'], level: 3 },
}

describe('headers of a configuration’s own', () => {
  const CASES: readonly {
    readonly name: string
    readonly set: Headers
    readonly want: Forwarding
  }[] = [
    {
      name: 'overwrite with one line',
      set: { 'X-Mail': 'claims.email', 'x-user': 'identity.user + "@" + identity.authenticator' },
      want: {
        setHeaders: [
          ['x-mail', 'alice@example.org'],
          ['x-user', 'alice@staff'],
        ],
        repeatedHeaders: [],
      },
    },
    {
      name: 'have a line for each value',
      set: { 'x-groups': 'identity.groups' },
      want: {
        setHeaders: [],
        repeatedHeaders: [{ name: 'x-groups', values: ['dev', 'ops'] }],
      },
    },
    {
      name: 'have one line for a list with commas, or a JSON list',
      set: {
        'x-groups': { value: 'identity.groups', list: 'comma' },
        'x-roles': { value: 'claims.roles', list: 'json' },
      },
      want: {
        setHeaders: [
          ['x-groups', 'dev,ops'],
          ['x-roles', '["a","b"]'],
        ],
        repeatedHeaders: [],
      },
    },
    {
      name: 'are left out where there is nothing, in every form',
      set: {
        'x-a': 'claims.?nickname',
        'x-b': { value: '[]', list: 'comma' },
        'x-c': { value: 'claims.?roles2', list: 'json' },
      },
      want: { setHeaders: [], repeatedHeaders: [] },
    },
    {
      name: 'are encoded as configured',
      set: { 'x-name': { value: '"jürgen"', encode: 'percent' } },
      want: { setHeaders: [['x-name', 'j%C3%BCrgen']], repeatedHeaders: [] },
    },
    {
      name: 'ask for a certificate that there is none of',
      set: { 'x-serial': { value: 'certificate.dns' } },
      want: { setHeaders: [], repeatedHeaders: [] },
    },
  ]
  for (const { name, set, want } of CASES) {
    it(name, async () => assert.deepEqual(await forwardingOf(setting(set), CALLER), want))
  }

  it('are worked out once for each identity, and anew for another', async () => {
    const transformer = setting({ 'x-user': 'identity.user' })
    const signal = new AbortController().signal
    const permit = permitFor(CALLER)
    const first = await transformer.transform(permit, signal)
    assert.equal(await transformer.transform(permit, signal), first)
    assert.notDeepEqual(await transformer.transform(permitFor({ user: 'bob' }), signal), first)
  })
})

describe('a header that cannot be made', () => {
  const CASES: readonly { readonly name: string; readonly set: Headers; readonly want: RegExp }[] =
    [
      {
        name: 'for a claim that is missing',
        set: { 'x-ok': 'identity.user', 'x-mail': 'claims.mail' },
        want: /^header-unmapped: set\.x-mail: .*at character 8/,
      },
      {
        name: 'for a claim that is not text',
        set: { 'x-level': 'claims.level' },
        want: /^header-unmapped: set\.x-level: yields a number, where string or list<string> belongs$/,
      },
      {
        name: 'for a text that does not fit',
        set: { 'x-name': '"jürgen"' },
        want: /^header-unrepresentable: set\.x-name: cannot be written with lines, refuse$/,
      },
      {
        name: 'for a value that would be two',
        set: { 'x-names': { value: '["a,b"]', list: 'comma', encode: 'utf8' } },
        want: /^header-unrepresentable: set\.x-names: cannot be written with comma, utf8$/,
      },
      {
        name: 'for an empty text',
        set: { 'x-name': '""' },
        want: /^header-unrepresentable: set\.x-name/,
      },
    ]
  for (const { name, set, want } of CASES) {
    it(`fails ${name}`, async () => assert.match(await outcomeOf(setting(set), CALLER), want))
  }

  it('says nothing of what it would hold', async () => {
    const secret = 'geheim\n'
    const said = await outcomeOf(setting({ 'x-a': 'claims.a' }), { claims: { a: secret } })
    assert.doesNotMatch(said, /geheim/)
  })
})

describe('reserved names', () => {
  const CASES: readonly {
    readonly name: string
    readonly value: string
    readonly identity?: Partial<Identity>
    readonly allowed?: readonly string[]
    readonly want: 'transformed' | 'header-reserved'
  }[] = [
    { name: 'in a constant', value: '"system:masters"', want: 'header-reserved' },
    { name: 'put together', value: '"system:" + "masters"', want: 'header-reserved' },
    { name: 'among other groups', value: '["dev", "system:masters"]', want: 'header-reserved' },
    { name: 'in capitals', value: '"SYSTEM:masters"', want: 'header-reserved' },
    { name: 'behind a space', value: '" system:masters"', want: 'header-reserved' },
    {
      name: 'in a claim',
      value: 'claims.role',
      identity: { claims: { role: 'system:masters' } },
      want: 'header-reserved',
    },
    {
      name: 'that the caller is in',
      value: 'identity.groups',
      identity: { groups: ['system:masters'] },
      want: 'transformed',
    },
    {
      name: 'written out',
      value: '"system:masters"',
      allowed: ['system:masters'],
      want: 'transformed',
    },
    {
      name: 'together with one that is written out',
      value: '["system:nodes", "system:masters"]',
      allowed: ['system:nodes'],
      want: 'header-reserved',
    },
  ]
  const FORMS = [
    { list: 'lines', encode: 'base64' },
    { list: 'comma', encode: 'percent' },
    { list: 'json', encode: 'refuse' },
  ] as const
  for (const { name, value, identity = {}, allowed = [], want } of CASES) {
    for (const form of FORMS) {
      it(`${name}: ${want} (${form.list}, ${form.encode})`, async () => {
        const outcome = await outcomeOf(setting({ 'x-a': { value, ...form } }, allowed), identity)
        const [said] = outcome.split(':')
        assert.equal(said, want)
      })
    }
  }
})

describe('hostile claims in a header', () => {
  for (const list of LIST_FORMS) {
    for (const encode of ENCODINGS) {
      it(`are read as they are, or nothing is forwarded (${list}, ${encode})`, async () => {
        const transformer = setting({ 'x-claim': { value: 'claims.a', list, encode } }, [
          'system:masters',
        ])
        for (const [name, text] of Object.entries(HOSTILE)) {
          for (const values of [[text], ['dev', text], [text, 'dev']]) {
            const written = await writtenOf(transformer, { claims: { a: values } })
            if (written === undefined) continue
            const names = [
              ...written.setHeaders,
              ...written.repeatedHeaders.map((one) => [one.name]),
            ]
            assert.deepEqual(
              names.map(([header]) => header),
              ['x-claim'],
            )
            assert.deepEqual(valuesIn(linesOf(written, 'x-claim'), { list, encode }), values, name)
          }
        }
      })
    }
  }
})
