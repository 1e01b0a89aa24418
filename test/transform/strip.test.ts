// Invariant: every header that may be set, and the caller's credential, is removed in any spelling.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { canonicalName } from '../../src/request/canonical-name.ts'
import { Headers } from '../../src/request/headers.ts'
import {
  isStripped,
  OVERRIDES,
  STRIPPED_NAMES,
  STRIPPED_PREFIXES,
} from '../../src/request/stripped-headers.ts'
import { placesOf, placesWithout, strippedFrom } from '../../src/transform/strip.ts'
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

// RFC 9110 §5.6.2, without letters and digits.
const SYMBOLS = "!#$%&'*+-.^_`|~".split('')

/** A name with any one of its separators another symbol, and with all of them. */
const lookAlikes = (name: string): readonly string[] => {
  const places = [...name.matchAll(/-/g)].map(({ index }) => index)
  return SYMBOLS.flatMap((symbol) => [
    ...places.map((place) => name.slice(0, place) + symbol + name.slice(place + 1)),
    name.replaceAll('-', symbol),
  ])
}

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

describe('a header is removed', () => {
  for (const name of STRIPPED_NAMES) {
    it(`where it is ${name}, in any spelling`, () => {
      for (const spell of SPELLINGS) assert.ok(isStripped(spell(name)), spell(name))
    })
  }

  const METHODS = ['X-HTTP-Method-Override', 'X-HTTP-Method', 'X-Method-Override']
  for (const name of [...METHODS, 'X-Original-URL', 'X-Rewrite-URL']) {
    it(`where it would change the request: ${name}`, () => {
      for (const spell of SPELLINGS) assert.ok(isStripped(spell(name)), spell(name))
    })
  }

  for (const prefix of STRIPPED_PREFIXES) {
    it(`where it begins with ${prefix}, in any spelling and with any suffix`, () => {
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
    it(`where an upstream may trust it: ${name}`, () => assert.ok(isStripped(name)))
  }
})

describe('a header that CGI, FastCGI or PHP read as another is removed', () => {
  const WHOLE = [
    ...STRIPPED_NAMES,
    ...OVERRIDES,
    ...STRIPPED_PREFIXES.flatMap((prefix) => [`${prefix}user`, `${prefix}extra-a-b`]),
  ]
  it('with any symbol of a token in place of a separator', () => {
    for (const name of WHOLE) {
      for (const spelt of lookAlikes(name)) {
        assert.ok(isStripped(spelt), spelt)
        assert.ok(isStripped(spelt.toUpperCase()), spelt)
      }
    }
  })

  it('where proxies write the genuine one, which is kept', () => {
    const WRITTEN = ['x-forwarded-for', 'x-forwarded-proto', 'x-real-ip', 'x-envoy-expected-rq']
    for (const name of WRITTEN) {
      assert.ok(!isStripped(name), name)
      assert.ok(!isStripped(name.toUpperCase()), name)
      for (const spelt of lookAlikes(name)) assert.ok(isStripped(spelt) || spelt === name, spelt)
    }
  })

  it('on a route that sets it, or where it has keys', () => {
    const locations = [{ kind: 'header', name: 'x-api-key' }] as const
    const places = placesOf(locations, ['x-app-user', 'x.odd-name'])
    for (const name of ['x-app-user', 'x-api-key', 'x-odd-name']) {
      for (const spelt of lookAlikes(name)) {
        assert.deepEqual(strippedFrom(new Headers(linesOf([[spelt, 'x']])), places), [spelt])
      }
    }
  })

  it('together with a credential that is passed through, which is kept', () => {
    const locations = [{ kind: 'header', name: 'x-api-key' }] as const
    const places = placesWithout(locations, [])
    for (const spelt of lookAlikes('x-api-key')) {
      const want = spelt === 'x-api-key' ? [] : [spelt]
      assert.deepEqual(strippedFrom(new Headers(linesOf([[spelt, 'x']])), places), want)
    }
  })
})

describe('a header is kept:', () => {
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
    'x.my-app',
    'xaremote-user',
    'x-forwarded',
    '',
  ]
  for (const name of NAMES) {
    it(`is kept in a request: ${JSON.stringify(name)}`, () => assert.ok(!isStripped(name)))
  }
})

const found = (...names: readonly string[]): readonly string[] =>
  strippedFrom(new Headers(linesOf(names.map((name) => [name, 'x']))))

describe('the headers to remove', () => {
  it('are none where no header needs it', () => {
    assert.deepEqual(found(), [])
    assert.deepEqual(found('accept', 'cookie'), [])
  })

  it('have the spelling of the client, so that Envoy finds them', () => {
    assert.deepEqual(found('x_remote_user', 'accept', 'x-remote-user'), [
      'x_remote_user',
      'x-remote-user',
    ])
  })

  it('are listed once each', () => {
    assert.deepEqual(found('x-remote-group', 'x-remote-group'), ['x-remote-group'])
  })

  /** What Envoy or a proxy writes, in another spelling. */
  const isForged = (name: string): boolean =>
    /^x-(forwarded|envoy)-/.test(canonicalName(name)) && /[^a-z-]/i.test(name)

  const SEED = 7
  it(`are those with a canonical form that is removed (seed ${SEED})`, () => {
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
      const want = new Set(
        names.filter((name) => isStripped(canonicalName(name)) || isForged(name)),
      )
      assert.deepEqual(new Set(found(...names)), want)
      stripped += want.size
    }
    assert.ok(stripped > 1_000)
  })
})
