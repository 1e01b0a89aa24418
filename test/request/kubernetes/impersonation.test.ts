// The identity that a request impersonates, and the headers that are refused.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { HeaderLine } from '../../../src/request/header-line.ts'
import { Headers } from '../../../src/request/headers.ts'
import {
  readImpersonation,
  type ImpersonationReading,
} from '../../../src/request/kubernetes/impersonation.ts'

type Line = readonly [name: string, value: string | Buffer]

const read = (lines: readonly Line[]): ImpersonationReading =>
  readImpersonation(
    new Headers(lines.map(([name, value]) => HeaderLine.of(name, Buffer.from(value)))),
  )

const ALICE: Line = ['impersonate-user', 'alice']
const NOBODY = { user: 'alice', groups: [], extra: new Map<string, readonly string[]>() }

describe('impersonation', () => {
  it('is none without its headers', () => {
    const other: readonly Line[] = [
      ['if-none-match', 'x'],
      ['impersonated-by', 'y'],
      ['x-impersonate-user', 'z'],
      ['impersonate', 'z'],
    ]
    assert.deepEqual(read(other), { outcome: 'none' })
  })

  const READ: readonly { name: string; input: readonly Line[]; want: object }[] = [
    { name: 'a user', input: [ALICE], want: NOBODY },
    {
      name: 'a user who is not ASCII',
      input: [['impersonate-user', 'ålice']],
      want: { ...NOBODY, user: 'ålice' },
    },
    {
      name: 'a service account, unchanged',
      input: [['impersonate-user', 'system:serviceaccount:x:y']],
      want: { ...NOBODY, user: 'system:serviceaccount:x:y' },
    },
    {
      name: 'an id',
      input: [ALICE, ['impersonate-uid', '4711']],
      want: { ...NOBODY, uid: '4711' },
    },
    {
      name: 'groups, in their order and with their commas',
      input: [
        ['impersonate-group', 'b'],
        ALICE,
        ['impersonate-group', 'a,c'],
        ['impersonate-group', 'b'],
      ],
      want: { ...NOBODY, groups: ['b', 'a,c', 'b'] },
    },
    {
      name: 'more, by key',
      input: [
        ALICE,
        ['impersonate-extra-scopes', 'view'],
        ['impersonate-extra-acme.com%2fproject', 'a b'],
        ['impersonate-extra-scopes', 'edit'],
        ['impersonate-extra-__proto__', 'x'],
      ],
      want: {
        ...NOBODY,
        extra: new Map([
          ['scopes', ['view', 'edit']],
          ['acme.com/project', ['a b']],
          ['__proto__', ['x']],
        ]),
      },
    },
    {
      name: 'a key of which an encoded letter stays in upper case, as upstream',
      input: [ALICE, ['impersonate-extra-%41b', 'x']],
      want: { ...NOBODY, extra: new Map([['Ab', ['x']]]) },
    },
  ]
  for (const { name, input, want } of READ) {
    it(`reads ${name}`, () => {
      assert.deepEqual(read(input), { outcome: 'read', impersonation: want })
    })
  }

  const MALFORMED: readonly { name: string; input: readonly Line[] }[] = [
    { name: 'two users', input: [ALICE, ['impersonate-user', 'bob']] },
    { name: 'the same user twice', input: [ALICE, ALICE] },
    { name: 'an empty user', input: [['impersonate-user', '']] },
    { name: 'a blank around a user', input: [['impersonate-user', ' alice']] },
    { name: 'a blank behind a user', input: [['impersonate-user', 'alice ']] },
    { name: 'a tab behind a user', input: [['impersonate-user', 'alice\t']] },
    { name: 'a control character', input: [['impersonate-user', 'ali\u0001ce']] },
    { name: 'a C1 control character', input: [['impersonate-user', 'ali\u0085ce']] },
    { name: 'bytes that are not UTF-8', input: [['impersonate-user', Buffer.from([0x61, 0xff])]] },
    { name: 'a surrogate', input: [['impersonate-user', Buffer.from([0xed, 0xa0, 0x80])]] },
    { name: 'two ids', input: [ALICE, ['impersonate-uid', '1'], ['impersonate-uid', '2']] },
    {
      name: 'an empty id, which the API server overlooks',
      input: [ALICE, ['impersonate-uid', '']],
    },
    { name: 'an empty group', input: [ALICE, ['impersonate-group', '']] },
    { name: 'an empty value of a key', input: [ALICE, ['impersonate-extra-scopes', '']] },
    { name: 'an empty key', input: [ALICE, ['impersonate-extra-', 'x']] },
    { name: 'a key with a stray %', input: [ALICE, ['impersonate-extra-%zz', 'x']] },
    { name: 'a key that is not UTF-8', input: [ALICE, ['impersonate-extra-%ff', 'x']] },
    { name: 'a key with a line break', input: [ALICE, ['impersonate-extra-a%0a', 'x']] },
    { name: 'a key that no name can hold', input: [ALICE, ['impersonate-extra-a/b', 'x']] },
    {
      name: 'one key in two spellings',
      input: [ALICE, ['impersonate-extra-a', 'x'], ['impersonate-extra-%61', 'y']],
    },
    { name: 'groups alone', input: [['impersonate-group', 'system:masters']] },
    { name: 'an id alone', input: [['impersonate-uid', '1']] },
    { name: 'a key alone', input: [['impersonate-extra-scopes', 'x']] },
    { name: 'an unknown name', input: [ALICE, ['impersonate-groups', 'a']] },
    { name: 'no name at all', input: [ALICE, ['impersonate-', 'a']] },
    { name: 'an underscore', input: [['impersonate_user', 'alice']] },
    {
      name: 'an underscore, together with the right name',
      input: [ALICE, ['impersonate_group', 'a']],
    },
    { name: 'an underscore in front of a key', input: [ALICE, ['impersonate-extra_scopes', 'a']] },
    { name: 'a dot', input: [['impersonate.user', 'alice']] },
    { name: 'a symbol, together with the right name', input: [ALICE, ['impersonate~group', 'a']] },
    { name: 'a symbol in front of a key', input: [ALICE, ['impersonate-extra!scopes', 'a']] },
    { name: 'upper case, which Envoy leaves in no name', input: [['Impersonate-User', 'alice']] },
    { name: 'upper case in a key', input: [ALICE, ['impersonate-extra-Scopes', 'x']] },
  ]
  for (const { name, input } of MALFORMED) {
    it(`refuses ${name}`, () => {
      assert.deepEqual(read(input), { outcome: 'malformed' })
    })
  }
})
