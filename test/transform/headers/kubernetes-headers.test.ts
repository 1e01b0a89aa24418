// The `kubernetes` preset: identity → X-Remote-* headers, whole or not at all.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Identity } from '../../../src/identity/identity.ts'
import { kubernetesHeaders } from '../../../src/transform/headers/kubernetes-headers.ts'
import { isStripped } from '../../../src/request/stripped-headers.ts'
import type { Forwarding, Transformation } from '../../../src/transform/transformer.ts'
import { permitFor } from '../../fakes/permit.ts'

const FOREVER = new AbortController().signal

const transform = async (identity: Partial<Identity>): Promise<Transformation> =>
  await kubernetesHeaders().transform(permitFor(identity), FOREVER)

const forwardingFor = async (identity: Partial<Identity>): Promise<Forwarding> => {
  const transformation = await transform(identity)
  assert.equal(transformation.outcome, 'transformed')
  return transformation.forwarding
}

const codeOf = async (identity: Partial<Identity>): Promise<string> => {
  const transformation = await transform(identity)
  return transformation.outcome === 'failed' ? transformation.code : transformation.outcome
}

/** How kube-apiserver reads a header name: apiserver …/headerrequest, unescapeExtraKey. */
const keyReadFrom = (name: string): string =>
  decodeURIComponent(name.toLowerCase().replace(/^x-remote-extra-/, ''))

describe('the kubernetes headers', () => {
  const CASES: readonly { name: string; input: Partial<Identity>; want: Forwarding }[] = [
    {
      name: 'of a user alone',
      input: {},
      want: { setHeaders: [['x-remote-user', 'alice']], repeatedHeaders: [] },
    },
    {
      name: 'of a user with a uid',
      input: { uid: '42' },
      want: {
        setHeaders: [
          ['x-remote-user', 'alice'],
          ['x-remote-uid', '42'],
        ],
        repeatedHeaders: [],
      },
    },
    {
      name: 'of one group are one line that overwrites',
      input: { groups: ['dev'] },
      want: {
        setHeaders: [
          ['x-remote-user', 'alice'],
          ['x-remote-group', 'dev'],
        ],
        repeatedHeaders: [],
      },
    },
    {
      name: 'of several groups are a line each, in order',
      input: { groups: ['ops', 'dev', 'a,b'] },
      want: {
        setHeaders: [['x-remote-user', 'alice']],
        repeatedHeaders: [{ name: 'x-remote-group', values: ['ops', 'dev', 'a,b'] }],
      },
    },
    {
      name: 'of extra attributes',
      input: { extra: { team: ['a'], scopes: ['x', 'y'] } },
      want: {
        setHeaders: [
          ['x-remote-user', 'alice'],
          ['x-remote-extra-team', 'a'],
        ],
        repeatedHeaders: [{ name: 'x-remote-extra-scopes', values: ['x', 'y'] }],
      },
    },
    {
      name: 'of an attribute without values are none',
      input: { extra: { team: [] } },
      want: { setHeaders: [['x-remote-user', 'alice']], repeatedHeaders: [] },
    },
    {
      name: 'of names that are not ASCII',
      input: { user: 'jürgen', groups: ['öps'] },
      want: {
        setHeaders: [
          ['x-remote-user', 'jürgen'],
          ['x-remote-group', 'öps'],
        ],
        repeatedHeaders: [],
      },
    },
  ]
  for (const { name, input, want } of CASES) {
    it(name, async () => assert.deepEqual(await forwardingFor(input), want))
  }

  it('are all stripped from what a caller sends', async () => {
    const identity = { uid: '1', groups: ['a', 'b'], extra: { team: ['a'], 'x/y': ['b', 'c'] } }
    const { setHeaders, repeatedHeaders } = await forwardingFor(identity)
    const names = [...setHeaders.map(([name]) => name), ...repeatedHeaders.map(({ name }) => name)]
    assert.equal(names.length, 5)
    for (const name of names) assert.ok(isStripped(name), name)
  })

  it('are worked out once for each identity, and anew for another', async () => {
    const transformer = kubernetesHeaders()
    const permit = permitFor({ groups: ['dev'] })
    const first = await transformer.transform(permit, FOREVER)
    assert.equal(await transformer.transform(permit, FOREVER), first)
    const other = await transformer.transform(permitFor({ groups: ['ops'] }), FOREVER)
    assert.notDeepEqual(other, first)
  })
})

describe('the key of an extra attribute', () => {
  const CASES = [
    { name: 'plain', input: 'team', want: 'team' },
    { name: 'with a slash', input: 'acme.com/project', want: 'acme.com%2fproject' },
    { name: 'with a per cent sign', input: '100%', want: '100%25' },
    { name: 'that looks encoded', input: '%2f', want: '%252f' },
    { name: 'with an underscore', input: 'cost_center', want: 'cost%5fcenter' },
    { name: 'with a space and a colon', input: 'a b:c', want: 'a%20b%3ac' },
    { name: 'with letters that are not ASCII', input: 'größe', want: 'gr%c3%b6%c3%9fe' },
    { name: 'with an emoji', input: '😀', want: '%f0%9f%98%80' },
    { name: 'with what a header name may hold', input: "a!#$&'*+.^`|~-1", want: "a!#$&'*+.^`|~-1" },
    { name: 'with separators', input: 'a,b;c=d"e', want: 'a%2cb%3bc%3dd%22e' },
    { name: 'in upper case, which the API server folds', input: 'Team', want: 'team' },
    { name: 'in upper case with a slash', input: 'ACME/X', want: 'acme%2fx' },
  ]
  for (const { name, input, want } of CASES) {
    it(`is encoded in a header name: ${name}`, async () => {
      const { setHeaders } = await forwardingFor({ extra: { [input]: ['v'] } })
      const header = setHeaders.find(([candidate]) => candidate !== 'x-remote-user')?.[0]
      assert.equal(header?.toLowerCase(), `x-remote-extra-${want}`)
      assert.match(header, /^[!#$%&'*+.^`|~\-0-9a-z]+$/)
      assert.equal(keyReadFrom(header), input.toLowerCase())
    })
  }

  it('keeps the values of keys that the API server takes for one', async () => {
    const { setHeaders, repeatedHeaders } = await forwardingFor({
      extra: { team: ['a'], Team: ['b'] },
    })
    const values = [
      ...setHeaders.filter(([name]) => name === 'x-remote-extra-team').map(([, value]) => value),
      ...repeatedHeaders.flatMap(({ values: several }) => several),
    ]
    // Of a name set twice the last counts, so two lines must be one repeated header.
    const lines = setHeaders.filter(([name]) => name === 'x-remote-extra-team').length
    assert.deepEqual({ values, lines }, { values: ['a', 'b'], lines: 0 })
  })
})

describe('an identity that cannot be expressed', () => {
  const BAD = ['', ' ', ' a', 'a ', 'a\tb', 'a\0b', 'a\r\nx: y', 'a\u007f', 'a\u0085', 'a\ud800']
  for (const value of BAD) {
    it(`because of ${JSON.stringify(value)}`, async () => {
      const PLACES: readonly Partial<Identity>[] = [
        { user: value },
        { uid: value },
        { groups: [value] },
        { groups: ['dev', value, 'ops'] },
        { extra: { team: ['a', value] } },
      ]
      for (const identity of PLACES) {
        assert.equal(await codeOf(identity), 'header-unrepresentable', JSON.stringify(identity))
      }
    })
  }

  it('because it is too large', async () => {
    const groups = Array.from({ length: 2_000 }, (_, index) => `group-${index}`)
    assert.equal(await codeOf({ groups }), 'headers-too-large')
    assert.equal(await codeOf({ user: 'x'.repeat(40_000) }), 'headers-too-large')
    assert.equal(await codeOf({ extra: { ['k'.repeat(40_000)]: ['a'] } }), 'headers-too-large')
  })

  it('because it is too large in UTF-8, though not in characters', async () => {
    assert.equal(await codeOf({ user: 'x'.repeat(20_000) }), 'transformed')
    assert.equal(await codeOf({ user: 'ü'.repeat(20_000) }), 'headers-too-large')
  })

  it('is forwarded where it is within the budget', async () => {
    const groups = Array.from({ length: 1_000 }, (_, index) => `group-${index}`)
    assert.equal(await codeOf({ groups }), 'transformed')
  })
})
