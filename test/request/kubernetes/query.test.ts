// The query of a list, as Go's `url.ParseQuery` and `ListOptions` read it.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readListQuery, type ListQuery } from '../../../src/request/kubernetes/query.ts'

const NOTHING: ListQuery = { watch: false, name: '', fieldSelector: '', labelSelector: '' }

interface Case {
  readonly name: string
  readonly input: string
  readonly want: Partial<ListQuery> | undefined
}

const table = (cases: readonly Case[]): void => {
  for (const { name, input, want } of cases) {
    it(`is read from a query as ${name}: ${input.slice(0, 80)}`, () => {
      assert.deepEqual(readListQuery(input), want && { ...NOTHING, ...want })
    })
  }
}

const X = { name: 'x', fieldSelector: 'metadata.name=x' }

describe('the query of a list', () => {
  table([
    { name: 'nothing', input: '', want: {} },
    { name: 'what says nothing here', input: 'limit=500&continue=a%3D&pretty', want: {} },
    { name: 'empty parameters', input: '&&=&=x&', want: {} },
    { name: 'a field selector', input: 'fieldSelector=a%3Db', want: { fieldSelector: 'a=b' } },
    {
      name: 'a label selector',
      input: 'labelSelector=a+in+%28b,c%29',
      want: { labelSelector: 'a in (b,c)' },
    },
    {
      name: 'a label selector that cannot be parsed',
      input: 'labelSelector=,',
      want: { labelSelector: ',' },
    },
    {
      name: 'an equals sign in a value',
      input: 'fieldSelector=a=b',
      want: { fieldSelector: 'a=b' },
    },
    { name: 'no value', input: 'fieldSelector', want: {} },
    { name: 'an encoded name', input: '%77atch=1', want: { watch: true } },
    { name: 'a name in another case', input: 'Watch=1&fieldselector=a', want: {} },
    { name: 'a name that only looks like it', input: 'watch[]=1&watch%3D1&+watch=1', want: {} },
    { name: 'a second question mark', input: '?watch=1', want: {} },
    {
      name: 'one twice, and the same',
      input: 'labelSelector=a&labelSelector=%61',
      want: { labelSelector: 'a' },
    },
    {
      name: 'one twice, of which the first counts',
      input: 'limit=1&limit=x&fieldSelector=metadata.name=x',
      want: X,
    },
    {
      name: 'hostile: a field selector twice',
      input: 'fieldSelector=a&fieldSelector=b',
      want: undefined,
    },
    {
      name: 'hostile: a label selector twice',
      input: 'labelSelector=a&labelSelector',
      want: undefined,
    },
    { name: 'hostile: a semicolon', input: 'limit=1;watch=1', want: undefined },
    { name: 'hostile: a stray %', input: 'labelSelector=%', want: undefined },
    { name: 'hostile: bytes that are not UTF-8', input: 'labelSelector=%ff', want: undefined },
    { name: 'hostile: a surrogate', input: 'x=%ED%A0%80', want: undefined },
    { name: 'hostile: a NUL in a name', input: 'watch%00=1', want: undefined },
    { name: 'hostile: a line break', input: 'labelSelector=a%0a', want: undefined },
    { name: 'a thousand parameters', input: `${'a&'.repeat(999)}watch`, want: { watch: true } },
    { name: 'hostile: more', input: `${'a&'.repeat(1000)}watch`, want: undefined },
  ])
})

describe('watch', () => {
  table([
    ...['watch', 'watch=', 'watch=1', 'watch=true', 'watch=no', 'watch=00', 'watch=false+'].map(
      (input) => ({ name: 'true', input, want: { watch: true } }),
    ),
    ...['watch=0', 'watch=false', 'watch=False', 'watch=FALSE', 'watch=%30'].map((input) => ({
      name: 'false',
      input,
      want: {},
    })),
    { name: 'said twice', input: 'watch=1&watch=true', want: { watch: true } },
    { name: 'not said, twice', input: 'watch=0&watch=false', want: {} },
    {
      name: 'with options that cannot be decoded',
      input: 'watch=1&limit=x',
      want: { watch: true },
    },
    { name: 'hostile: two meanings', input: 'watch=1&watch=0', want: undefined },
    { name: 'hostile: two meanings, the other way', input: 'watch=0&watch', want: undefined },
    { name: 'hostile: a long s', input: 'watch=fal%C5%BFe', want: undefined },
  ])
})

describe('the name that a field selector requires', () => {
  const selecting = (rest: string): string => `fieldSelector=metadata.name%3Dx&${rest}`
  table([
    {
      name: 'counts',
      input: selecting('limit=500&timeoutSeconds=5&labelSelector=a+in+(b)'),
      want: { ...X, labelSelector: 'a in (b)' },
    },
    { name: 'the largest limit', input: selecting('limit=9223372036854775807'), want: X },
    { name: 'the smallest limit', input: selecting('limit=-009223372036854775808'), want: X },
    { name: 'a sign', input: selecting('limit=%2b5'), want: X },
    {
      name: 'a limit too large',
      input: selecting('limit=9223372036854775808'),
      want: { ...X, name: '' },
    },
    {
      name: 'a limit too small',
      input: selecting('limit=-9223372036854775809'),
      want: { ...X, name: '' },
    },
    {
      name: 'a limit of a hundred digits',
      input: selecting(`limit=${'9'.repeat(100)}`),
      want: { ...X, name: '' },
    },
    { name: 'a limit of many zeros', input: selecting(`limit=${'0'.repeat(100)}1`), want: X },
    ...['', 'x', '1.5', '1_000', '0x10', '1e3', '--1', '+', '%201', '%D9%A1'].map((limit) => ({
      name: 'no limit at all',
      input: selecting(`limit=${limit}`),
      want: { ...X, name: '' },
    })),
    {
      name: 'a timeout that is not a number',
      input: selecting('timeoutSeconds=x'),
      want: { ...X, name: '' },
    },
    {
      name: 'hostile: two names',
      input: 'fieldSelector=metadata.name=x,metadata.name=y',
      want: undefined,
    },
    {
      name: 'hostile: a label selector in doubt',
      input: selecting('labelSelector=,'),
      want: undefined,
    },
  ])
})
