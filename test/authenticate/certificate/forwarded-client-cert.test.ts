// X-Forwarded-Client-Cert: its text, and which certificate it shows.

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, it } from 'node:test'
import type { Finding } from '../../../src/authenticate/certificate/certificate-source.ts'
import {
  forwardedClientCertSource,
  type ElementChoice,
  readXfcc,
} from '../../../src/authenticate/certificate/forwarded-client-cert.ts'
import { requestOf } from '../../fakes/envoy.ts'
import { mutations } from '../../pki/fuzzing.ts'
import { makeAuthority, makeClient, pemOf, type Made } from '../../pki/making.ts'
import { outcomeOf } from './finding.ts'

const ca = makeAuthority({ subject: 'ca' })
const [alice, mallory] = [
  makeClient({ signer: ca }),
  makeClient({ signer: ca, subject: 'mallory' }),
]

const hashOf = ({ der }: Made): string => createHash('sha256').update(der).digest('hex')
const certOf = (...certificates: readonly Made[]): string =>
  encodeURIComponent(pemOf(...certificates))

/** As Envoy writes it. */
const elementOf = (made: Made): string =>
  `By=spiffe://cluster/gateway;Hash=${hashOf(made)};Cert="${certOf(made)}";Subject="CN=a,O=b";URI=;DNS=x;DNS=y`

describe('the text of X-Forwarded-Client-Cert', () => {
  const CASES: readonly { readonly input: string; readonly want: unknown }[] = [
    { input: 'Hash=ab', want: [[['hash', 'ab']]] },
    { input: 'URI=', want: [[['uri', '']]] },
    { input: 'URI=a?b=c', want: [[['uri', 'a?b=c']]] },
    { input: 'Subject=""', want: [[['subject', '']]] },
    { input: 'Subject="CN=a,O=b;c"', want: [[['subject', 'CN=a,O=b;c']]] },
    { input: String.raw`Subject="CN=\"a\\,b"`, want: [[['subject', String.raw`CN="a\,b`]]] },
    {
      input: 'A=b;C=d,E=f',
      want: [
        [
          ['a', 'b'],
          ['c', 'd'],
        ],
        [['e', 'f']],
      ],
    },
  ]
  for (const { input, want } of CASES) {
    it(`${input} is read`, () => {
      assert.deepEqual(readXfcc(input), want)
    })
  }

  const WRONG = [
    '',
    'Hash',
    '=ab',
    'Hash=ab;',
    'Hash=ab,',
    ',Hash=ab',
    'Hash=ab; By=c',
    'Hash="ab',
    'Hash="ab"c',
    'Hash=a"b',
    String.raw`Hash="ab\"`,
    '{"hash":"ab"}',
    'Ha sh=ab',
    `${'A=b;'.repeat(256)}A=b`,
    `${'A=b,'.repeat(16)}A=b`,
    `${'A'.repeat(33)}=b`,
  ]
  for (const input of WRONG) {
    it(`is refused as malformed: ${input.slice(0, 24)}`, () => {
      assert.equal(readXfcc(input), undefined)
    })
  }
})

const find = (choice: ElementChoice, ...values: readonly (string | Buffer)[]): Finding =>
  forwardedClientCertSource(choice).find(
    requestOf({ headers: values.map((value) => ['x-forwarded-client-cert', value]) }),
  )

describe('the certificate of X-Forwarded-Client-Cert', () => {
  const good = elementOf(alice)
  const CASES: readonly {
    readonly name: string
    readonly values: readonly (string | Buffer)[]
    readonly choice?: ElementChoice
    readonly want: unknown
  }[] = [
    { name: 'none', values: [], want: 'absent' },
    { name: 'as Envoy writes it', values: [good], want: [alice.der] },
    { name: 'without a hash', values: [`Cert="${certOf(alice)}"`], want: [alice.der] },
    { name: 'without quotes', values: [`Cert=${certOf(alice)}`], want: [alice.der] },
    {
      name: 'with the hash in capitals',
      values: [`Hash=${hashOf(alice).toUpperCase()};Cert="${certOf(alice)}"`],
      want: [alice.der],
    },
    {
      name: 'with a chain',
      values: [`Cert="${certOf(alice)}";Chain="${certOf(alice, ca)}"`],
      want: [alice.der, ca.der],
    },
    {
      name: 'with the chain of another (hostile)',
      values: [`Cert="${certOf(alice)}";Chain="${certOf(mallory, ca)}"`],
      want: 'malformed',
    },
    { name: 'a chain alone', values: [`Chain="${certOf(alice, ca)}"`], want: 'malformed' },
    { name: 'a hash alone', values: [`Hash=${hashOf(alice)}`], want: 'malformed' },
    { name: 'a subject alone (hostile)', values: ['Subject="CN=root"'], want: 'malformed' },
    {
      name: 'with the hash of another (hostile)',
      values: [`Hash=${hashOf(mallory)};Cert="${certOf(alice)}"`],
      want: 'malformed',
    },
    {
      name: 'with two certificates in one element (hostile)',
      values: [`Cert="${certOf(alice)}";Cert="${certOf(mallory)}"`],
      want: 'malformed',
    },
    {
      name: 'with two in one pair (hostile)',
      values: [`Cert="${certOf(alice, mallory)}"`],
      want: 'malformed',
    },
    {
      name: 'with two hashes (hostile)',
      values: [`Hash=${hashOf(alice)};Hash=${hashOf(mallory)};Cert="${certOf(alice)}"`],
      want: 'malformed',
    },
    {
      name: 'with a certificate smuggled in a URI (hostile)',
      values: [`${good};URI=x;Cert="${certOf(mallory)}"`],
      want: 'malformed',
    },
    { name: 'two elements', values: [`${elementOf(mallory)},${good}`], want: 'conflict' },
    {
      name: 'two elements, the last one counting',
      values: [`Hash=${hashOf(mallory)};Cert="${certOf(mallory)}";Subject="CN=a,O=b",${good}`],
      choice: 'last',
      want: [alice.der],
    },
    ...['URI', 'DNS', 'uri'].flatMap((key) =>
      [
        { what: 'a certificate', text: `x,${elementOf(mallory)}` },
        { what: 'a certificate, without more', text: `,Cert="${certOf(mallory)}"` },
        { what: 'a pair and a certificate', text: `x;Foo="q",Cert="${certOf(mallory)}"` },
        { what: 'two elements', text: `x,By=y,Cert="${certOf(mallory)}"` },
      ].map(({ what, text }) => ({
        name: `${what} in a ${key}, which Envoy does not quote, the last one counting (hostile)`,
        values: [`Hash=${hashOf(alice)};Cert="${certOf(alice)}";${key}=${text};DNS=y`],
        choice: 'last' as const,
        want: 'conflict',
      })),
    ),
    {
      name: 'an earlier element with a URI, the last one counting',
      values: [`Hash=${hashOf(mallory)};URI=spiffe://a/b,${good}`],
      choice: 'last',
      want: 'conflict',
    },
    {
      name: 'an earlier element with a quoted word like one, the last one counting',
      values: [`Subject="CN=a;URI=b",${good}`],
      choice: 'last',
      want: [alice.der],
    },
    {
      name: 'one element, the last one counting',
      values: [good],
      choice: 'last',
      want: [alice.der],
    },
    {
      name: 'a last element without a certificate (hostile)',
      values: [`Cert="${certOf(mallory)}",By=x`],
      choice: 'last',
      want: 'malformed',
    },
    { name: 'two lines', values: [good, elementOf(mallory)], want: 'conflict' },
    {
      name: 'two lines, the last counting',
      values: [good, good],
      choice: 'last',
      want: 'conflict',
    },
    { name: 'an empty line', values: [''], want: 'malformed' },
    {
      name: 'bytes beyond ASCII',
      values: [Buffer.from([...Buffer.from(good), 0xe9])],
      want: 'malformed',
    },
    { name: 'a NUL', values: [`${good}\0`], want: 'malformed' },
    { name: 'too much', values: [`${good};URI=${'x'.repeat(65_536)}`], want: 'malformed' },
    { name: 'JSON, as Envoy can write it', values: ['[{"hash":"ab"}]'], want: 'malformed' },
  ]
  for (const { name, values, choice = 'only', want } of CASES) {
    it(`is read from X-Forwarded-Client-Cert: ${name}`, () => {
      assert.deepEqual(outcomeOf(find(choice, ...values)), want)
    })
  }

  it('is read from its own header only', () => {
    const headers = [
      ['client-cert', good],
      ['x_forwarded_client_cert', good],
    ] as const
    const request = requestOf({ headers, peerCertificate: certOf(alice) })
    assert.deepEqual(forwardedClientCertSource('only').find(request), { outcome: 'absent' })
  })

  it('is that of a proxy or none, whatever is changed (fuzz)', () => {
    const known = [alice.der, mallory.der].map((der) => der.toString('hex'))
    const seeds = [good, `${elementOf(mallory)},${good}`, `${good};Chain="${certOf(alice, ca)}"`]
    for (const bytes of mutations(seeds, 4_000)) {
      for (const choice of ['only', 'last'] as const) {
        const finding = find(choice, bytes)
        const read = finding.outcome === 'found' ? finding.read() : undefined
        if (read === undefined) continue
        // An element that kept its hash shows a certificate that was there before.
        const element = readXfcc(bytes.toString('latin1'))?.at(-1)
        const hash = element?.find(([key]) => key === 'hash')?.[1] ?? ''
        assert.ok(hash === '' || known.includes(read.leaf.toString('hex')))
      }
    }
  })
})
