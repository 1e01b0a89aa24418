// Who asks, and from where.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { RuleConfig } from '../../../src/authorize/schema.ts'
import type { Identity } from '../../../src/identity/identity.ts'
import { decide } from '../../fakes/decide.ts'

interface Case {
  readonly name: string
  readonly rule: Partial<RuleConfig>
  readonly identity: Partial<Identity>
  readonly want: boolean
}

const checkAll = (cases: readonly Case[]): void => {
  for (const { name, rule, identity, want } of cases) {
    it(name, () => {
      const word = decide([{ allow: 'match', ...rule }], { identity })
      assert.equal(word, want ? 'allow:match' : 'no-rule')
    })
  }
}

describe('the matcher users', () => {
  const rule = { users: ['alice', 'svc-*'] }
  checkAll([
    { name: 'matches by name', rule, identity: { user: 'alice' }, want: true },
    { name: 'matches by pattern', rule, identity: { user: 'svc-build' }, want: true },
    { name: 'does not match another name', rule, identity: { user: 'bob' }, want: false },
    { name: 'does not match another case', rule, identity: { user: 'Alice' }, want: false },
    {
      name: 'does not match a pattern by what follows a prefix',
      rule,
      identity: { user: 'x-svc-a' },
      want: false,
    },
    {
      name: 'hostile: does not match a name that is a pattern',
      rule: { users: ['alice'] },
      identity: { user: '*' },
      want: false,
    },
    {
      name: 'does not match a name that only begins so',
      rule,
      identity: { user: 'alice\n' },
      want: false,
    },
  ])
})

describe('the matcher groups', () => {
  const MANY = Array.from({ length: 500 }, (_, index) => `group-${index}`)
  checkAll([
    {
      name: 'matches one of several',
      rule: { groups: ['a', 'b'] },
      identity: { groups: ['x', 'b'] },
      want: true,
    },
    {
      name: 'does not match without groups',
      rule: { groups: ['a'] },
      identity: { groups: [] },
      want: false,
    },
    {
      name: 'does not match "*" without groups',
      rule: { groups: ['*'] },
      identity: { groups: [] },
      want: false,
    },
    {
      name: 'matches "*" with any group',
      rule: { groups: ['*'] },
      identity: { groups: ['x'] },
      want: true,
    },
    {
      name: 'matches by pattern',
      rule: { groups: ['team-*'] },
      identity: { groups: ['x', 'team-'] },
      want: true,
    },
    {
      name: 'matches the last of many',
      rule: { groups: ['group-499'] },
      identity: { groups: MANY },
      want: true,
    },
    {
      name: 'does not match many groups of other names',
      rule: { groups: ['group-500'] },
      identity: { groups: MANY },
      want: false,
    },
    {
      name: 'does not match the name of the user',
      rule: { groups: ['alice'] },
      identity: { user: 'alice', groups: ['x'] },
      want: false,
    },
    {
      name: 'hostile: does not match a group named "*"',
      rule: { groups: ['admins'] },
      identity: { groups: ['*'] },
      want: false,
    },
  ])
})

describe('the matcher authenticators', () => {
  const rule = { authenticators: ['staff', 'partners'] }
  checkAll([
    { name: 'matches by name', rule, identity: { authenticator: 'partners' }, want: true },
    {
      name: 'does not match another name',
      rule,
      identity: { authenticator: 'guests' },
      want: false,
    },
  ])
})

describe('the matcher sources', () => {
  const CASES: readonly {
    readonly sources: readonly string[]
    readonly yes: readonly string[]
    readonly no: readonly string[]
  }[] = [
    {
      sources: ['10.0.0.0/8'],
      yes: ['10.0.0.0', '10.255.255.255'],
      no: ['9.255.255.255', '11.0.0.0'],
    },
    { sources: ['10.1.2.3/8'], yes: ['10.200.0.1'], no: ['11.1.2.3'] },
    { sources: ['192.0.2.7'], yes: ['192.0.2.7'], no: ['192.0.2.8', '2001:db8::7'] },
    { sources: ['192.0.2.7/32'], yes: ['192.0.2.7'], no: ['192.0.2.6'] },
    { sources: ['0.0.0.0/0'], yes: ['203.0.113.1', '0.0.0.0'], no: ['2001:db8::1'] },
    {
      sources: ['2001:db8::/32'],
      yes: ['2001:db8::1', '2001:DB8:ffff::'],
      no: ['2001:db9::', '32.1.13.184'],
    },
    { sources: ['2001:db8::1'], yes: ['2001:db8:0:0:0:0:0:1', '2001:db8::1'], no: ['2001:db8::2'] },
    { sources: ['::/0'], yes: ['2001:db8::1', '::1', '192.0.2.1'], no: [] },
    { sources: ['fe80::/10'], yes: ['fe80::1'], no: ['fec0::1%eth0'] },
    { sources: ['::ffff:10.0.0.0/104'], yes: ['10.0.0.1', '::ffff:10.0.0.1'], no: ['11.0.0.1'] },
    // A proxy on a dual-stack socket tells IPv4 addresses so.
    {
      sources: ['10.0.0.0/8'],
      yes: ['::ffff:10.0.0.1', '::FFFF:a00:1'],
      no: ['::ffff:11.0.0.1', '::10.0.0.1'],
    },
    { sources: ['192.0.2.7'], yes: ['::ffff:192.0.2.7'], no: ['::ffff:192.0.2.8'] },
    {
      sources: ['10.0.0.0/8', '2001:db8::/32'],
      yes: ['10.0.0.1', '2001:db8::1'],
      no: ['11.0.0.1', '2002::1'],
    },
  ]
  for (const { sources, yes, no } of CASES) {
    const word = (sourceAddress: string): string =>
      decide([{ allow: 'match', sources: [...sources] }], { request: { sourceAddress } })
    for (const address of yes) {
      it(`${sources.join(', ')} matches ${address}`, () =>
        assert.equal(word(address), 'allow:match'))
    }
    for (const address of no) {
      it(`${sources.join(', ')} does not match ${address}`, () =>
        assert.equal(word(address), 'no-rule'))
    }
  }

  // A socket of the local machine, or a name: it is undetermined whether it is in the network.
  for (const sourceAddress of ['', 'unknown', '/run/envoy.sock', '10.0.0.1:443', '10.0.0']) {
    it(`fails for ${JSON.stringify(sourceAddress)}, whatever later rules allow`, () => {
      for (const effect of ['allow', 'deny']) {
        const rules = [{ [effect]: 'local', sources: ['10.0.0.0/8'] }, { allow: 'rest' }]
        assert.equal(decide(rules, { request: { sourceAddress } }), 'failed:local')
      }
    })
  }

  it('does not fail for an unknown address where another matcher does not match', () => {
    const rules = [
      {
        deny: 'local',
        sources: ['10.0.0.0/8'],
        paths: ['/a/**'],
        users: ['*-x'],
        methods: ['GET'],
      },
      { allow: 'rest' },
    ]
    assert.equal(decide(rules, { request: { sourceAddress: '', path: '/b' } }), 'allow:rest')
    assert.equal(decide(rules, { request: { sourceAddress: '', path: '/a' } }), 'allow:rest')
  })
})
