// Client-Cert and Client-Cert-Chain (RFC 9440).

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  clientCertSource,
  readByteSequence,
  readByteSequences,
} from '../../../src/authenticate/certificate/client-cert.ts'
import { connectionSource } from '../../../src/authenticate/certificate/connection.ts'
import { requestOf, type HeaderLines } from '../../fakes/envoy.ts'
import { mutations } from '../../pki/fuzzing.ts'
import { makeAuthority, makeClient, pemOf, type Made } from '../../pki/making.ts'
import { outcomeOf } from './finding.ts'

const [root, ca] = [makeAuthority({ subject: 'root' }), makeAuthority({ subject: 'ca' })]
const alice = makeClient({ signer: ca })

const item = ({ der }: Made): string => `:${der.toString('base64')}:`

describe('Client-Cert', () => {
  const good = item(alice)
  const CASES: readonly {
    readonly name: string
    readonly headers: HeaderLines
    readonly want: unknown
  }[] = [
    { name: 'none', headers: [], want: 'absent' },
    { name: 'a certificate', headers: [['client-cert', good]], want: [alice.der] },
    { name: 'with space around', headers: [['client-cert', `  ${good} `]], want: [alice.der] },
    {
      name: 'with its chain',
      headers: [
        ['client-cert', good],
        ['client-cert-chain', `${item(ca)}, ${item(root)}`],
      ],
      want: [alice.der, ca.der, root.der],
    },
    {
      name: 'two lines (hostile)',
      headers: [
        ['client-cert', good],
        ['client-cert', good],
      ],
      want: 'malformed',
    },
    {
      name: 'two lines of the chain',
      headers: [
        ['client-cert', good],
        ['client-cert-chain', item(ca)],
        ['client-cert-chain', item(root)],
      ],
      want: 'malformed',
    },
    { name: 'a chain alone', headers: [['client-cert-chain', item(ca)]], want: 'malformed' },
    {
      name: 'a chain of eleven',
      headers: [
        ['client-cert', good],
        ['client-cert-chain', Array.from({ length: 11 }, () => item(ca)).join()],
      ],
      want: 'malformed',
    },
    {
      name: 'an empty chain',
      headers: [
        ['client-cert', good],
        ['client-cert-chain', ''],
      ],
      want: 'malformed',
    },
    ...[
      '',
      ':',
      '::',
      good.slice(1),
      good.slice(0, -1),
      `${good};a=1`,
      `${good}, ${good}`,
      `${good}\t`,
      `"${good}"`,
      ':AQ:',
      ':AR==:',
      ':AQ==AQ==:',
      `:${alice.der.toString('base64url')}-_:`,
      `: ${good.slice(1)}`,
      `:${good}:`,
      `${good}\0`,
      `:${'A'.repeat(65_536)}:`,
      encodeURIComponent(pemOf(alice)),
    ].map((value) => ({
      name: `malformed: ${value.slice(0, 6)}…${value.slice(-6)}`,
      headers: [['client-cert', value]] as const,
      want: 'malformed',
    })),
  ]
  for (const { name, headers, want } of CASES) {
    it(`is read from the header Client-Cert: ${name}`, () => {
      assert.deepEqual(outcomeOf(clientCertSource.find(requestOf({ headers }))), want)
    })
  }

  it('is read from its own header only', () => {
    const request = requestOf({
      headers: [['x-forwarded-client-cert', `Cert="${encodeURIComponent(pemOf(alice))}"`]],
      peerCertificate: encodeURIComponent(pemOf(alice)),
    })
    assert.deepEqual(clientCertSource.find(request), { outcome: 'absent' })
  })

  it('yields equal text for equal certificates only', () => {
    const textOf = (headers: HeaderLines): unknown => {
      const finding = clientCertSource.find(requestOf({ headers }))
      return finding.outcome === 'found' ? finding.text : undefined
    }
    const chain = ['client-cert-chain', item(ca)] as const
    assert.notEqual(textOf([['client-cert', good]]), textOf([['client-cert', good], chain]))
  })
})

describe('byte sequences (fuzz)', () => {
  it('are read in one spelling only', () => {
    const seeds = [item(alice), ':AAEC:', ':/+8=:', `${item(ca)}, ${item(root)}`]
    for (const bytes of mutations(seeds, 8_000)) {
      const text = bytes.toString('latin1')
      const one = readByteSequence(text)
      if (one !== undefined)
        assert.equal(`:${one.toString('base64')}:`, text.replaceAll(/^ *| *$/g, ''))
      const several = readByteSequences(text)
      if (one !== undefined) assert.deepEqual(several, [one])
      const written = several?.map((member) => `:${member.toString('base64')}:`).join()
      if (written !== undefined) assert.equal(written, text.replaceAll(' ', ''))
    }
  })
})

describe('the certificate of the connection', () => {
  it('is that of the attributes, never that of a header', () => {
    const header = ['client-cert', item(alice)] as const
    assert.equal(outcomeOf(connectionSource.find(requestOf({ headers: [header] }))), 'absent')
    const peerCertificate = encodeURIComponent(pemOf(ca))
    const request = requestOf({ headers: [header], peerCertificate })
    assert.deepEqual(outcomeOf(connectionSource.find(request)), [ca.der])
    const broken = requestOf({ peerCertificate: 'x' })
    assert.equal(outcomeOf(connectionSource.find(broken)), 'malformed')
  })
})
