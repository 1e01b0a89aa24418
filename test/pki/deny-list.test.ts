// The list of denied certificates: what its entries match, and which are refused since they could
// never match anything.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createHash } from 'node:crypto'
import { DenyList } from '../../src/pki/deny-list.ts'
import { Authority } from './revoking.ts'

const ca = new Authority('Staff CA')
const alice = ca.issue({ name: 'alice', serial: 0xab_cd_ef }).der
const bob = ca.issue({ name: 'bob', serial: 0x01 }).der
const twin = new Authority('Other CA').issue({ name: 'alice', serial: 0xab_cd_ef }).der
const digestOf = (der: Buffer): string => createHash('sha256').update(der).digest('hex')

const listOf = (...lines: readonly string[]): DenyList => {
  const list = new DenyList()
  for (const line of lines) list.add(line)
  return list
}

describe('an entry of the deny-list matches', () => {
  const cases: readonly {
    readonly name: string
    readonly line: string
    readonly denied: readonly Buffer[]
  }[] = [
    { name: 'a serial number', line: 'serial abcdef', denied: [alice, twin] },
    { name: 'a serial number with colons', line: 'serial AB:CD:EF', denied: [alice, twin] },
    { name: 'a serial number with leading zeros', line: 'serial 00ABCDEF', denied: [alice, twin] },
    { name: 'a serial number of one digit', line: 'serial 1', denied: [bob] },
    { name: 'no certificate by a serial number that none has', line: 'serial 02', denied: [] },
    {
      name: 'a serial number together with its issuer',
      line: 'serial abcdef issuer CN=Staff CA',
      denied: [alice],
    },
    {
      name: 'no certificate by a serial number of another issuer',
      line: 'serial abcdef issuer CN=Third CA',
      denied: [],
    },
    { name: 'a fingerprint', line: `sha256 ${digestOf(alice)}`, denied: [alice] },
    {
      name: 'a fingerprint as openssl prints it',
      line: `sha256 ${digestOf(bob)
        .toUpperCase()
        .replaceAll(/..(?=.)/g, '$&:')}`,
      denied: [bob],
    },
    { name: 'a subject', line: 'subject CN=alice', denied: [alice, twin] },
    { name: 'no subject in another case', line: 'subject CN=ALICE', denied: [] },
    {
      name: 'a subject with spaces around the entry',
      line: '   subject   CN=bob  ',
      denied: [bob],
    },
  ]
  for (const { name, line, denied } of cases) {
    it(`matches certificates by ${name}`, () => {
      const list = listOf(line)
      for (const der of [alice, bob, twin]) {
        assert.equal(list.denies(der), denied.includes(der))
      }
    })
  }

  it('a subject with escapes, as RFC 4514 writes names', () => {
    const der = ca.issue({ name: 'Doe, John=+' }).der
    assert.equal(listOf(String.raw`subject CN=Doe\, John=\+`).denies(der), true)
  })
})

describe('an entry of the deny-list that can match no certificate', () => {
  const cases = [
    'alice',
    'serial',
    'serial xyz',
    'serial 12:3',
    'serial 1 of CN=x',
    'sha256 abcd',
    `sha256 ${'z'.repeat(64)}`,
    'sha1 abcd',
    'subject',
    'subject alice',
    'subject CN=alice, O=example',
    'subject CN=alice,',
    'subject /CN=alice/O=example',
    'subject CN=alice+UID=1',
    'subject commonName=alice',
    'subject CN = alice',
    'serial 1 issuer Staff CA',
  ]
  for (const line of cases) {
    it(`is refused as an entry: ${JSON.stringify(line)}`, () => {
      assert.throws(() => listOf(line), { code: 'configuration-invalid' })
    })
  }
})

describe('a file of deny-list entries', () => {
  it('has one entry a line, comments and empty lines', () => {
    const list = new DenyList()
    list.addLines('denied.txt', '# lost in a taxi\r\nserial 01\r\n\r\n  # gone\nsubject CN=alice\n')
    assert.deepEqual([list.denies(alice), list.denies(bob)], [true, true])
    assert.equal(list.isEmpty, false)
  })

  it('is refused with the number of the wrong line', () => {
    assert.throws(() => new DenyList().addLines('/etc/denied.txt', 'serial 01\nalice\n'), {
      code: 'configuration-invalid',
      message: /^\/etc\/denied\.txt, line 2: "alice" is not one of/,
    })
  })

  it('may be empty', () => {
    const list = new DenyList()
    list.addLines('denied.txt', '\n')
    assert.deepEqual([list.isEmpty, list.denies(alice)], [true, false])
  })
})
