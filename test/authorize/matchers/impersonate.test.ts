// The identity that a request to a Kubernetes API impersonates.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { ImpersonateConfig } from '../../../src/authorize/schema.ts'
import { decide } from '../../fakes/decide.ts'
import type { HeaderLines } from '../../fakes/envoy.ts'

/** `user`, and in brackets groups, `uid=` and `extra-KEY=`. */
const headersOf = (text: string): HeaderLines => {
  if (text === '') return []
  const [user = '', ...parts] = text.split(' ')
  return [
    ['impersonate-user', user],
    ...parts.map((part) => {
      const [name = '', value] = part.split('=')
      return value === undefined
        ? (['impersonate-group', name] as const)
        : ([`impersonate-${name}`, value] as const)
    }),
  ]
}

const ask = (
  effect: 'allow' | 'deny',
  impersonate: ImpersonateConfig | undefined,
  text: string,
): boolean => {
  const rule = { [effect]: 'match', ...(impersonate === undefined ? {} : { impersonate }) }
  const request = { path: '/api/v1/pods', headers: headersOf(text) }
  return decide([rule], { request }, { kind: 'kubernetes' }) === `${effect}:match`
}

interface Case {
  readonly impersonate: ImpersonateConfig | undefined
  readonly yes: readonly string[]
  readonly no: readonly string[]
}

const ALLOW: readonly Case[] = [
  { impersonate: undefined, yes: [''], no: ['alice', 'system:masters', 'alice dev'] },
  {
    impersonate: {},
    yes: ['alice', '*'],
    no: [
      '',
      'alice dev',
      'alice uid=1',
      'alice extra-scopes=x',
      'system:admin',
      'system:serviceaccount:a:b',
    ],
  },
  {
    impersonate: { users: ['alice', 'bot-*'] },
    yes: ['alice', 'bot-1'],
    no: ['', 'bob', 'alice dev', 'alice uid=1', 'alice extra-a=b'],
  },
  {
    impersonate: { users: ['*'], groups: ['dev', 'ops'] },
    yes: ['alice', 'alice dev', 'alice ops dev'],
    no: ['alice admins', 'alice dev admins', 'alice dev system:masters'],
  },
  {
    // Reserved names are given only by patterns that name them.
    impersonate: { users: ['*'], groups: ['*'] },
    yes: ['alice anything', 'alice systems:x', 'System:masters x'],
    no: ['alice system:masters', 'alice dev system:authenticated', 'system:admin dev'],
  },
  {
    impersonate: { users: ['*:admin', 's*'], groups: ['*:masters', 's*'] },
    yes: ['x:admin x:masters', 'sam staff'],
    no: ['system:admin', 'sam system:masters'],
  },
  {
    impersonate: { users: ['system:serviceaccount:ci:*'], groups: ['system:authenticated'] },
    yes: ['system:serviceaccount:ci:builder', 'system:serviceaccount:ci:x system:authenticated'],
    no: [
      'system:serviceaccount:kube-system:x',
      'system:serviceaccount:ci:x system:masters',
      'alice',
    ],
  },
  {
    impersonate: { uids: ['7', 'u-*'] },
    yes: ['alice', 'alice uid=7', 'alice uid=u-1'],
    no: ['alice uid=8'],
  },
  {
    impersonate: { uids: ['*'], extra: { a: ['*'], b: ['system:*'] } },
    yes: ['alice uid=8', 'alice extra-a=x', 'alice extra-b=system:x'],
    no: ['alice uid=system:x', 'alice extra-a=system:x', 'alice extra-b=x'],
  },
  {
    impersonate: { extra: { Scopes: ['view', 'edit-*'], 'acme.com/team': ['blue'] } },
    yes: [
      'alice',
      'alice extra-scopes=view',
      'alice extra-scopes=view extra-scopes=edit-x',
      'alice extra-acme.com%2fteam=blue extra-scopes=view',
    ],
    no: [
      'alice extra-scopes=admin',
      'alice extra-scopes=view extra-scopes=admin',
      'alice extra-other=view',
      'alice extra-scopes=view extra-other=x',
      // Decoded, a key of another case is another key to the API server.
      'alice extra-%53copes=view',
      'alice extra-__proto__=view',
      'alice extra-constructor=view',
    ],
  },
]

const DENY: readonly Case[] = [
  { impersonate: undefined, yes: ['', 'alice', 'alice system:masters uid=1 extra-a=b'], no: [] },
  { impersonate: {}, yes: ['alice', 'system:admin dev'], no: [''] },
  {
    impersonate: { users: ['admin', 'system:*'] },
    yes: ['admin dev', 'system:x'],
    no: ['', 'alice', 'alice admin'],
  },
  {
    // One of several is enough.
    impersonate: { groups: ['system:masters'] },
    yes: ['alice system:masters', 'alice dev system:masters', 'alice system:masters dev'],
    no: ['', 'alice', 'alice dev', 'system:masters'],
  },
  { impersonate: { groups: ['*'] }, yes: ['alice dev', 'alice system:masters'], no: ['alice'] },
  { impersonate: { uids: ['7'] }, yes: ['alice uid=7'], no: ['alice', 'alice uid=8'] },
  {
    impersonate: { extra: { scopes: ['admin'] } },
    yes: [
      'alice extra-scopes=admin',
      'alice extra-scopes=view extra-scopes=admin extra-a=b',
      'alice extra-%53copes=admin',
    ],
    no: ['alice', 'alice extra-scopes=view', 'alice extra-a=admin'],
  },
  {
    impersonate: { users: ['alice'], groups: ['admins'] },
    yes: ['alice admins', 'alice dev admins'],
    no: ['alice', 'alice dev', 'bob admins'],
  },
]

describe('the matcher impersonate', () => {
  for (const [effect, cases] of [
    ['allow', ALLOW],
    ['deny', DENY],
  ] as const) {
    for (const { impersonate, yes, no } of cases) {
      const name = `${effect} ${impersonate === undefined ? 'without it' : JSON.stringify(impersonate)}`
      for (const text of yes)
        it(`${name} matches "${text}"`, () => assert.ok(ask(effect, impersonate, text)))
      for (const text of no)
        it(`${name} does not match "${text}"`, () => assert.ok(!ask(effect, impersonate, text)))
    }
  }

  it('refuses impersonation that no rule allows, whatever else is allowed', () => {
    const request = { path: '/api/v1/pods', headers: headersOf('alice') }
    assert.equal(decide([{ allow: 'all' }], { request }, { kind: 'kubernetes' }), 'no-rule')
  })
})
