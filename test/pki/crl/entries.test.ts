// The entries of a CRL: what is malformed, and which serial numbers are found.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readEntries } from '../../../src/pki/crl/entries.ts'
import { element, sequence, TAG, time, unsigned } from '../../../src/x509/der.ts'
import { encodeExtension } from '../../../src/x509/extensions.ts'
import { randomFrom } from '../../fakes/random.ts'
import { bytesOf } from '../../fixtures/certificate.ts'

const DATE = time(1_700_000_000)
const reasonOf = (...content: readonly number[]): Buffer =>
  sequence(
    encodeExtension({
      oid: '2.5.29.21',
      critical: false,
      value: element(0x0a, Buffer.from(content)),
    }),
  )

const entry = (serial: Buffer, ...rest: readonly Buffer[]): Buffer =>
  sequence(unsigned(serial), DATE, ...rest)

describe('an entry that is malformed', () => {
  const five = unsigned(Buffer.of(5))
  const cases: readonly { readonly name: string; readonly list: Buffer; readonly want: RegExp }[] =
    [
      { name: 'is not a SEQUENCE', list: five, want: /tag 0x02 where 0x30/ },
      { name: 'is an empty SEQUENCE', list: sequence(), want: /cut short/ },
      {
        name: 'has a serial number that is not an INTEGER',
        list: sequence(DATE),
        want: /where 0x02/,
      },
      {
        name: 'has a serial number without bytes',
        list: sequence(element(TAG.integer), DATE),
        want: /not minimal/,
      },
      {
        name: 'has a serial number with a zero too many',
        list: sequence(bytesOf('02 02 0005'), DATE),
        want: /not minimal/,
      },
      {
        name: 'has a negative serial number with a byte too many',
        list: sequence(bytesOf('02 02 ff85'), DATE),
        want: /not minimal/,
      },
      { name: 'has no date', list: sequence(five), want: /cut short/ },
      { name: 'has a number for its date', list: sequence(five, five), want: /no revocation date/ },
      {
        name: 'has something after its extensions',
        list: sequence(five, DATE, reasonOf(1), five),
        want: /follows/,
      },
      {
        name: 'has extensions that are none',
        list: sequence(five, DATE, five),
        want: /where 0x30/,
      },
      {
        name: 'has a serial number that exceeds the entry',
        list: Buffer.concat([bytesOf('30 03 02 02 05'), entry(Buffer.of(6))]),
        want: /cut short/,
      },
      { name: 'exceeds the list', list: entry(Buffer.of(5)).subarray(0, -1), want: /cut short/ },
      {
        name: 'is removed from a complete CRL',
        list: entry(Buffer.of(5), reasonOf(8)),
        want: /removeFromCRL/,
      },
    ]
  for (const { name, list, want } of cases) {
    it(name, async () => {
      for (const whole of [list, Buffer.concat([entry(Buffer.of(1), reasonOf(1)), list])]) {
        await assert.rejects(readEntries(whole, false), {
          code: 'malformed-certificate',
          message: want,
        })
      }
    })
  }
})

describe('the entries of a delta CRL', () => {
  it('are revoked or removed, by their reason', async () => {
    // More reasons than are kept for comparison.
    const reasons = Array.from({ length: 40 }, (_, index) => index)
    const list = reasons.map((reason) => entry(Buffer.of(reason + 1), reasonOf(reason)))
    const { revoked, removed } = await readEntries(Buffer.concat([...list, ...list]), true)
    for (const reason of reasons) {
      assert.equal(removed.has(Buffer.of(reason + 1)), reason === 8)
      assert.equal(revoked.has(Buffer.of(reason + 1)), reason !== 8)
    }
    assert.deepEqual([revoked.size, removed.size], [39, 1])
  })
})

describe('the serial numbers of a CRL', () => {
  it('are exactly those that a set of their texts has', async () => {
    const random = randomFrom(1)
    const numberOf = (): Buffer =>
      Buffer.from(Array.from({ length: 1 + random(3) }, () => random(256)))
    const listed = Array.from({ length: 5_000 }, numberOf)
    const textOf = (number: Buffer): string => BigInt(`0x${number.toString('hex')}`).toString(16)
    const texts = new Set(listed.map(textOf))
    const { revoked } = await readEntries(Buffer.concat(listed.map((one) => entry(one))), false)
    assert.equal(revoked.size, texts.size)
    const contentOf = (number: Buffer): Buffer => unsigned(number).subarray(2)
    for (const number of listed) assert.ok(revoked.has(contentOf(number)))
    let found = 0
    for (let count = 0; count < 20_000; count++) {
      const number = numberOf()
      const has = revoked.has(contentOf(number))
      assert.equal(has, texts.has(textOf(number)), number.toString('hex'))
      if (has) found += 1
    }
    assert.ok(found > 1_000 && found < 19_000, `${found}`)
  })
})
