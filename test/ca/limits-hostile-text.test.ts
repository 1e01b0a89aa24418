// Grants by an attacker who has the right key: names of Kubernetes' own, in every disguise, and text that
// readers take for different things.

import { describe } from 'node:test'
import type { Grant } from '../../src/grant/grant.ts'
import { element, sequence, TAG } from '../../src/x509/der.ts'
import { ATTRIBUTES, oidElement } from '../../src/x509/oid.ts'
import { checkHostile, namesOf, withExtensions, type HostileCase, subject } from './limits-cases.ts'

/** A subject with one attribute, whose string is given as bytes. */
const rawSubject = (tag: number, bytes: Buffer, oid: string = ATTRIBUTES.CN): Partial<Grant> => ({
  subject: sequence(element(TAG.set, sequence(oidElement(oid), element(tag, bytes)))),
})

const T61 = 0x14
const BMP = 0x1e
const TELETEX_MASTERS = Buffer.from('system:masters')
const bmp = Buffer.from('system:masters', 'utf16le').swap16()

const CASES: readonly HostileCase[] = [
  // Kubernetes' own names
  {
    name: 'system:masters in O',
    grant: subject(['CN', 'a'], ['O', 'system:masters']),
    want: /^value-reserved: O: system:masters/,
  },
  {
    name: 'System:Masters after a space',
    grant: subject(['CN', 'a'], ['O', ' System:Masters']),
    want: /^value-reserved/,
  },
  {
    name: 'system:masters after another kind of space',
    grant: subject(['CN', 'a'], ['O', '\u00a0system:masters']),
    want: /^value-reserved/,
  },
  {
    name: 'system:admin in CN',
    grant: subject(['CN', 'system:admin']),
    want: /^value-reserved: CN/,
  },
  {
    name: 'system:masters in another attribute',
    grant: subject(['CN', 'a'], ['OU', 'system:masters']),
    want: /^value-reserved: OU/,
  },
  {
    name: 'system:masters in one relative name with another attribute',
    grant: {
      subject: sequence(
        element(
          TAG.set,
          sequence(oidElement(ATTRIBUTES.CN), element(TAG.utf8String, Buffer.from('a'))),
          sequence(
            oidElement(ATTRIBUTES.O),
            element(TAG.utf8String, Buffer.from('system:masters')),
          ),
        ),
      ),
    },
    want: /^value-reserved: O/,
  },
  {
    name: 'system:masters as a PrintableString',
    grant: rawSubject(TAG.printableString, TELETEX_MASTERS, ATTRIBUTES.O),
    want: /^value-reserved/,
  },
  {
    name: 'system:masters as a T61String',
    grant: rawSubject(T61, TELETEX_MASTERS, ATTRIBUTES.O),
    want: /^grant-malformed/,
  },
  {
    name: 'system:masters as a BMPString',
    grant: rawSubject(BMP, bmp, ATTRIBUTES.O),
    want: /^grant-malformed/,
  },
  {
    name: 'system:masters as a constructed string',
    grant: rawSubject(TAG.utf8String | 0x20, element(TAG.utf8String, TELETEX_MASTERS)),
    want: /^grant-malformed/,
  },
  // Text
  {
    name: 'a NUL character',
    grant: subject(['CN', 'alice\0.evil']),
    want: /^value-unrepresentable/,
  },
  { name: 'a line end', grant: subject(['CN', 'alice\nO=x']), want: /^value-unrepresentable/ },
  { name: 'an empty text', grant: subject(['CN', '']), want: /^value-unrepresentable/ },
  { name: 'a trailing space', grant: subject(['CN', 'alice ']), want: /^value-unrepresentable/ },
  {
    name: 'bytes that are not UTF-8',
    grant: rawSubject(TAG.utf8String, Buffer.from([0x61, 0xff])),
    want: /^grant-malformed/,
  },
  {
    name: 'overlong UTF-8',
    grant: rawSubject(TAG.utf8String, Buffer.from([0xc1, 0xa1])),
    want: /^grant-malformed/,
  },
  {
    name: 'NUL in a UPN',
    grant: withExtensions(namesOf(['upn', 'a\0b'])),
    want: /^value-unrepresentable: upn/,
  },
  {
    name: 'NUL in a mailbox',
    grant: withExtensions(namesOf(['email', 'a\0@b'])),
    want: /^value-unrepresentable/,
  },
  {
    name: 'a DNS name with a line end',
    grant: withExtensions(namesOf(['dns', 'a\nb'])),
    want: /^value-unrepresentable/,
  },
]

describe('a hostile text in a grant is refused: ', () => checkHostile(CASES))
