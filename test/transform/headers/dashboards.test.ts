// The `grafana` and `headlamp` presets: what each dashboard reads is the identity, or nothing was sent.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Identity } from '../../../src/identity/identity.ts'
import { grafanaHeaders, headlampHeaders } from '../../../src/transform/headers/dashboards.ts'
import { isStripped } from '../../../src/request/stripped-headers.ts'
import type { Forwarding, HeaderPair } from '../../../src/transform/transformer.ts'
import { HOSTILE } from '../../fakes/hostile-text.ts'
import {
  fieldValue,
  grafanaKey,
  grafanaList,
  grafanaText,
  headlampList,
  linesOf,
} from '../../fakes/receivers.ts'
import { Seeded } from '../../fakes/seeded.ts'
import { forwardingOf, outcomeOf, writtenOf } from '../../fakes/transformed.ts'

const DASHBOARDS = {
  grafana: {
    transformer: grafanaHeaders(),
    names: ['x-webauth-user', 'x-webauth-groups'],
    read: (forwarding: Forwarding) => {
      const [user = ''] = linesOf(forwarding, 'x-webauth-user')
      const [groups = ''] = linesOf(forwarding, 'x-webauth-groups')
      return { user: grafanaText(user), groups: grafanaList(grafanaText(groups)) }
    },
  },
  headlamp: {
    transformer: headlampHeaders(),
    names: ['x-forwarded-user', 'x-forwarded-group'],
    read: (forwarding: Forwarding) => {
      const [user = ''] = linesOf(forwarding, 'x-forwarded-user')
      const [groups = ''] = linesOf(forwarding, 'x-forwarded-group')
      return { user: fieldValue(user), groups: headlampList(groups) }
    },
  },
} as const

describe('the headers for Grafana', () => {
  const CASES: readonly {
    readonly name: string
    readonly input: Partial<Identity>
    readonly want: readonly HeaderPair[]
  }[] = [
    {
      name: 'of a user without groups say so',
      input: {},
      want: [
        ['x-webauth-user', 'alice'],
        ['x-webauth-groups', '[]'],
      ],
    },
    {
      name: 'are quoted-printable, and a JSON list',
      input: { user: 'jürgen=', groups: ['dev', 'with, comma', 'größe', 'cn=admins,dc=example'] },
      want: [
        ['x-webauth-user', 'j=C3=BCrgen=3D'],
        [
          'x-webauth-groups',
          String.raw`["dev","with, comma","gr\u00f6\u00dfe","cn\u003dadmins,dc\u003dexample"]`,
        ],
      ],
    },
    {
      name: 'of a user named by address',
      input: { user: 'alice@example.org' },
      want: [
        ['x-webauth-user', 'alice@example.org'],
        ['x-webauth-groups', '[]'],
      ],
    },
  ]
  for (const { name, input, want } of CASES) {
    it(name, async () => {
      const { setHeaders, repeatedHeaders } = await forwardingOf(grafanaHeaders(), input)
      assert.deepEqual({ setHeaders, repeatedHeaders }, { setHeaders: want, repeatedHeaders: [] })
    })
  }

  it('hold more groups than its quoted-printable reader has room for', async () => {
    const groups = Array.from({ length: 400 }, (_, index) => `größe=${index}`)
    const forwarding = await forwardingOf(grafanaHeaders(), { groups })
    assert.ok((linesOf(forwarding, 'x-webauth-groups')[0]?.length ?? 0) > 4_096)
    assert.deepEqual(DASHBOARDS.grafana.read(forwarding).groups, groups)
  })

  // It takes the address out of each, and logs in the user who has it.
  const ADDRESSES = [
    'bob <root@example.org>',
    '<root@example.org>',
    'root@example.org (bob)',
    '"root"@example.org',
    'root @example.org',
    'bob:root@example.org;',
    'root@example.org\u3000x',
  ]
  for (const user of ADDRESSES) {
    it(`are refused to ${user}, who would become another user`, async () =>
      assert.equal(
        await outcomeOf(grafanaHeaders(), { user }),
        'header-unrepresentable: x-webauth-user',
      ))
  }

  it('never let it take one user with groups for another that it remembers', async () => {
    const PIECES = [
      'a',
      'al',
      'ice',
      '[',
      ']',
      '"',
      '\\',
      ',',
      '["ice"]',
      '[]',
      '","',
      '\\"',
    ] as const
    const random = new Seeded(1)
    const text = (): string =>
      Array.from({ length: 1 + random.below(4) }, () => random.pick(PIECES)).join('')
    const seen = new Map<string, string>()
    for (let round = 0; round < 4_000; round += 1) {
      const identity = { user: text(), groups: Array.from({ length: random.below(3) }, text) }
      const key = grafanaKey(await forwardingOf(grafanaHeaders(), identity))
      const said = JSON.stringify(identity)
      assert.equal(seen.get(key) ?? said, said)
      seen.set(key, said)
    }
  })
})

describe('the headers for Headlamp', () => {
  const CASES: readonly {
    readonly name: string
    readonly input: Partial<Identity>
    readonly want: readonly HeaderPair[]
  }[] = [
    { name: 'of a user without groups', input: {}, want: [['x-forwarded-user', 'alice']] },
    {
      name: 'are UTF-8 with commas',
      input: { user: 'jürgen', groups: ['dev team', 'größe', '"quoted"'] },
      want: [
        ['x-forwarded-user', 'jürgen'],
        ['x-forwarded-group', 'dev team,größe,"quoted"'],
      ],
    },
  ]
  for (const { name, input, want } of CASES) {
    it(name, async () => {
      const { setHeaders, repeatedHeaders } = await forwardingOf(headlampHeaders(), input)
      assert.deepEqual({ setHeaders, repeatedHeaders }, { setHeaders: want, repeatedHeaders: [] })
    })
  }

  it('are refused to a group with a comma, which would be two', async () =>
    assert.equal(
      await outcomeOf(headlampHeaders(), { groups: ['dev', 'a,root'] }),
      'header-unrepresentable: x-forwarded-group',
    ))
})

for (const [name, { transformer, names, read }] of Object.entries(DASHBOARDS)) {
  describe(`a hostile identity in the headers for ${name}`, () => {
    for (const [what, text] of Object.entries(HOSTILE)) {
      it(`is read as it is, or nothing is forwarded: ${what}`, async () => {
        const identities = [
          { user: text, groups: ['dev'] },
          { user: 'alice', groups: [text] },
          { user: 'alice', groups: ['dev', text] },
          { user: 'alice', groups: [text, 'dev'] },
        ]
        for (const identity of identities) {
          const written = await writtenOf(transformer, identity)
          if (written === undefined) continue
          assert.deepEqual(written.repeatedHeaders, [])
          assert.deepEqual(
            written.setHeaders.map(([header]) => header),
            names,
          )
          assert.deepEqual(read(written), identity)
        }
      })
    }

    it('is none where it only looks like one', async () => {
      const groups = ['a space', '%0d%0a', '=0d=0a', '"', '\\', "'; --", '[x', '密码']
      const forwarding = await forwardingOf(transformer, { groups })
      assert.deepEqual(read(forwarding), { user: 'alice', groups })
    })

    it('cannot be forged by a client', () => {
      for (const header of names) assert.ok(isStripped(header), header)
    })
  })
}
