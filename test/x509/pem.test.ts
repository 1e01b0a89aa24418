// PEM: blocks of the wanted label, and nothing else.

import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { describe, it } from 'node:test'
import { decodePem, encodePem } from '../../src/x509/pem.ts'
import { certificateOf } from '../fixtures/certificate.ts'
import { randomFrom } from '../fakes/random.ts'
import { x509 } from '../servers/x509.ts'
import { cpuTime } from '../fakes/cpu-time.ts'

const block = (label: string, base64: string): string =>
  `-----BEGIN ${label}-----\n${base64}\n-----END ${label}-----\n`

describe('PEM', () => {
  it('has lines of 64 characters', () => {
    const pem = encodePem('CERTIFICATE', Buffer.alloc(100, 0xff))
    assert.deepEqual(
      pem.split('\n').map(({ length }) => length),
      [27, 64, 64, 8, 25, 0],
    )
  })

  it('has no empty line when the last one is full', () => {
    assert.equal(encodePem('X', Buffer.alloc(48)), block('X', 'A'.repeat(64)))
    assert.equal(
      encodePem('X', Buffer.alloc(96)),
      block('X', `${'A'.repeat(64)}\n${'A'.repeat(64)}`),
    )
  })

  it('is what Node and @peculiar/x509 write', () => {
    const der = certificateOf()
    const pem = encodePem('CERTIFICATE', der)
    assert.equal(pem, new X509Certificate(der).toString())
    assert.equal(pem.trimEnd(), x509.PemConverter.encode(der, 'CERTIFICATE').trimEnd())
  })

  it('is read as it was written, at every length', () => {
    const random = randomFrom(0x9e)
    for (let length = 1; length < 300; length++) {
      const der = Buffer.from(Array.from({ length }, () => random(256)))
      assert.deepEqual(decodePem('CERTIFICATE', encodePem('CERTIFICATE', der)), [der])
    }
  })

  it('takes a view at any offset', () => {
    const bytes = Uint8Array.of(9, 9, 1, 2, 3, 9)
    assert.equal(encodePem('X', bytes.subarray(2, 5)), block('X', 'AQID'))
  })
})

describe('the blocks of a text', () => {
  const CASES = [
    { name: 'an empty text', input: '', want: [] },
    { name: 'text without any', input: 'hello', want: [] },
    {
      name: 'several, in order',
      input: block('CERTIFICATE', 'AQ==') + block('CERTIFICATE', 'Ag=='),
      want: ['01', '02'],
    },
    {
      name: 'text around them',
      input: `subject=x\n${block('CERTIFICATE', 'AQ==')}\nbye\n`,
      want: ['01'],
    },
    {
      name: 'other labels between them',
      input:
        block('PRIVATE KEY', 'AQ==') + block('CERTIFICATE', 'Ag==') + block('X509 CRL', 'Aw=='),
      want: ['02'],
    },
    { name: 'a label that only begins so', input: block('CERTIFICATE REQUEST', 'AQ=='), want: [] },
    { name: 'a label that only ends so', input: block('TRUSTED CERTIFICATE', 'AQ=='), want: [] },
    {
      name: 'line ends of Windows',
      input: block('CERTIFICATE', 'AQ==').replaceAll('\n', '\r\n'),
      want: ['01'],
    },
    {
      name: 'no line ends',
      input: '-----BEGIN CERTIFICATE-----AQ==-----END CERTIFICATE-----',
      want: ['01'],
    },
    { name: 'indented lines', input: block('CERTIFICATE', '  AQ\n  ID'), want: ['010203'] },
    { name: 'an end that is missing', input: '-----BEGIN CERTIFICATE-----\nAQ==\n', want: [] },
    { name: 'a beginning that is missing', input: 'AQ==\n-----END CERTIFICATE-----\n', want: [] },
    {
      name: 'an end of another label',
      input: '-----BEGIN CERTIFICATE-----\nAQ==\n-----END X-----\n',
      want: [],
    },
    {
      name: 'one cut short before another',
      input: `-----BEGIN CERTIFICATE-----\nAQ==\n${block('CERTIFICATE', 'Ag==')}`,
      want: ['02'],
    },
    {
      name: 'headers in a block (RFC 1421), which certificates have not',
      input: block('CERTIFICATE', 'Proc-Type: 4\n\nAQ=='),
      want: [],
    },
    { name: 'characters that base64 has not', input: block('CERTIFICATE', 'A*=='), want: [] },
    {
      name: 'an empty block',
      input: '-----BEGIN CERTIFICATE----------END CERTIFICATE-----',
      want: [],
    },
  ]
  for (const { name, input, want } of CASES) {
    it(`are read from a text with ${name}`, () => {
      const found = decodePem('CERTIFICATE', input).map((der) => der.toString('hex'))
      assert.deepEqual(found, want)
    })
  }

  it('are found in time that grows with the text alone', () => {
    const started = cpuTime()
    assert.deepEqual(decodePem('CERTIFICATE', '-----BEGIN CERTIFICATE-----'.repeat(40_000)), [])
    assert.deepEqual(
      decodePem('CERTIFICATE', `-----BEGIN CERTIFICATE-----${'A '.repeat(500_000)}`),
      [],
    )
    assert.ok(cpuTime() - started < 1_000)
  })
})
