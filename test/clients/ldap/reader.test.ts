// The values of an entry's attributes.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { textsOf, valuesOf } from '../../../src/clients/ldap/reader.ts'
import type { Entry } from '../../../src/clients/ldap/responses.ts'

describe('the attribute values of an LDAP entry', () => {
  const entryWith = (attributes: Readonly<Record<string, readonly Buffer[]>>): Entry => ({
    dn: 'cn=x',
    attributes: new Map(Object.entries(attributes)),
  })

  it('are found in any case of the attribute’s name, and normalized (NFC)', () => {
    const entry = entryWith({ cn: [Buffer.from('u\u0308'), Buffer.from('\ufeffx')] })
    assert.deepEqual(textsOf(entry, 'CN'), ['ü', '\ufeffx'])
    assert.deepEqual(textsOf(entry, 'sn'), [])
    const guid = entryWith({ objectguid: [Buffer.alloc(16)], objectsid: [Buffer.alloc(16)] })
    assert.deepEqual(textsOf(guid, 'objectGUID'), ['00000000-0000-0000-0000-000000000000'])
    assert.throws(() => textsOf(guid, 'objectSid'), /not text/)
  })

  it('are refused where the server left out some of them', () => {
    const entry = entryWith({ memberof: [], 'memberof;range=0-1499': [Buffer.from('cn=a')] })
    assert.throws(
      () => valuesOf(entry, 'memberOf'),
      /more values of memberOf than the server gives/,
    )
    assert.deepEqual(valuesOf(entry, 'member'), [])
  })

  it('are refused as text where they are not UTF-8', () => {
    const entry = entryWith({ cn: [Buffer.from('ff', 'hex')] })
    assert.throws(() => textsOf(entry, 'cn'), /^DirectoryError: the entry cn=x .*not text$/)
  })
})
