// Invariant: every header that may be set, and the caller's credential, is removed in any spelling.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { canonicalName, Headers } from '../../src/request/headers.ts'
import {
  isStripped,
  STRIPPED_NAMES,
  STRIPPED_PREFIXES,
  strippedFrom,
} from '../../src/transform/strip.ts'
import { linesOf } from '../fakes/envoy.ts'
import { randomFrom } from '../fakes/random.ts'

const titleCase = (name: string): string =>
  name.replaceAll(/\b[a-z]/g, (letter) => letter.toUpperCase())

/** One name as callers may spell it. */
const SPELLINGS: readonly ((name: string) => string)[] = [
  (name) => name,
  (name) => name.toUpperCase(),
  titleCase,
  (name) => name.replaceAll('-', '_'),
  (name) => name.replace('-', '_'),
  (name) => titleCase(name).replaceAll('-', '_'),
  (name) => name.toUpperCase().replaceAll('-', '_'),
]

const SUFFIXES = [
  '',
  'x',
  'user',
  'group',
  'uid',
  'extra-scopes',
  'extra-%2f',
  'extra_a.b',
  '-',
  '_',
]

describe('a header is stripped', () => {
  for (const name of STRIPPED_NAMES) {
    it(`when it is ${name}, in any spelling`, () => {
      for (const spell of SPELLINGS) assert.ok(isStripped(spell(name)), spell(name))
    })
  }

  const OVERRIDES = ['X-HTTP-Method-Override', 'X-HTTP-Method', 'X-Method-Override']
  for (const name of [...OVERRIDES, 'X-Original-URL', 'X-Rewrite-URL']) {
    it(`when it would make another request of it: ${name}`, () => {
      for (const spell of SPELLINGS) assert.ok(isStripped(spell(name)), spell(name))
    })
  }

  for (const prefix of STRIPPED_PREFIXES) {
    it(`when it begins with ${prefix}, in any spelling and with any suffix`, () => {
      for (const spell of SPELLINGS) {
        for (const suffix of SUFFIXES) {
          assert.ok(isStripped(spell(prefix) + suffix), spell(prefix) + suffix)
        }
      }
    })
  }

  const MUST = [
    'X-Remote-User',
    'X-Remote-Group',
    'X-Remote-Uid',
    'X-Remote-Extra-Acme.com%2fproject',
    'Impersonate-User',
    'Impersonate-Extra-Scopes',
    'Authorization',
    'Proxy-Authorization',
    'DPoP',
    'X-Forwarded-Client-Cert',
    'Client-Cert',
    'Client-Cert-Chain',
    'Audit-ID',
    'X-Countersign-Decision',
  ]
  for (const name of MUST) {
    it(`when an upstream may trust it: ${name}`, () => assert.ok(isStripped(name)))
  }
})

describe('a header is kept', () => {
  const NAMES = [
    'accept',
    'cookie',
    'user-agent',
    'x-remote',
    'xx-remote-user',
    'x-authorization',
    'authorization-x',
    'dpop-nonce',
    'client-cert-chains',
    'x-forwarded-for',
    'impersonate',
    'x-request-id',
    '',
  ]
  for (const name of NAMES) {
    it(JSON.stringify(name), () => assert.ok(!isStripped(name)))
  }
})

const found = (...names: readonly string[]): readonly string[] =>
  strippedFrom(new Headers(linesOf(names.map((name) => [name, 'x']))))

describe('strippedFrom', () => {
  it('finds nothing where there is nothing', () => {
    assert.deepEqual(found(), [])
    assert.deepEqual(found('accept', 'cookie'), [])
  })

  it('gives names as they are spelt, so that Envoy finds them', () => {
    assert.deepEqual(found('x_remote_user', 'accept', 'x-remote-user'), [
      'x_remote_user',
      'x-remote-user',
    ])
  })

  it('gives each name once', () => {
    assert.deepEqual(found('x-remote-group', 'x-remote-group'), ['x-remote-group'])
  })

  const SEED = 7
  it(`finds every name of which the canonical form is stripped (seed ${SEED})`, () => {
    const random = randomFrom(SEED)
    const pieces = [
      ...STRIPPED_NAMES,
      ...STRIPPED_PREFIXES,
      'x',
      'user',
      '-',
      '_',
      'remote',
      'cert',
    ]
    const pick = (): string => {
      const spell = SPELLINGS[random(SPELLINGS.length)] ?? titleCase
      return spell(pieces[random(pieces.length)] ?? '')
    }
    let stripped = 0
    for (let round = 0; round < 3_000; round++) {
      const names = Array.from({ length: 1 + random(4) }, () =>
        Array.from({ length: 1 + random(3) }, pick).join(''),
      )
      const want = new Set(names.filter((name) => isStripped(canonicalName(name))))
      assert.deepEqual(new Set(found(...names)), want)
      stripped += want.size
    }
    assert.ok(stripped > 1_000)
  })
})
