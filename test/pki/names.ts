// Names under name constraints (RFC 5280 §4.2.1.10), kind by kind.

import { generalName, nameOf } from './making.ts'

/** A certificate's names, and the constraints of its CA. */
export interface ConstraintCase {
  readonly name: string
  readonly permitted?: readonly Buffer[]
  readonly excluded?: readonly Buffer[]
  readonly names?: readonly Buffer[]
  readonly subject?: Buffer
  readonly valid: boolean
  readonly stricter?: string
}

const { dns, email, uri, ip } = generalName

/** DNS names. */
export const DNS: readonly ConstraintCase[] = [
  {
    name: 'the permitted host',
    permitted: [dns('example.org')],
    names: [dns('example.org')],
    valid: true,
  },
  {
    name: 'a host below the permitted one',
    permitted: [dns('example.org')],
    names: [dns('a.b.EXAMPLE.org')],
    valid: true,
  },
  {
    name: 'another host than the permitted one',
    permitted: [dns('example.org')],
    names: [dns('example.com')],
    valid: false,
  },
  {
    name: 'a host that only ends in the permitted text',
    permitted: [dns('example.org')],
    names: [dns('badexample.org')],
    valid: false,
  },
  {
    name: 'a permitted one and another one (hostile)',
    permitted: [dns('example.org')],
    names: [dns('example.org'), dns('bad.example')],
    valid: false,
  },
  {
    name: 'none, under a constraint of DNS names',
    permitted: [dns('example.org')],
    names: [email('a@b.example')],
    valid: true,
  },
  {
    name: 'below a permitted name with a leading dot',
    permitted: [dns('.example.org')],
    names: [dns('a.example.org')],
    valid: true,
  },
  {
    name: 'equal to a permitted name with a leading dot',
    permitted: [dns('.example.org')],
    names: [dns('example.org')],
    valid: false,
  },
  {
    name: 'below an excluded one',
    excluded: [dns('example.org')],
    names: [dns('a.example.org')],
    valid: false,
  },
  {
    name: 'outside the excluded one',
    excluded: [dns('example.org')],
    names: [dns('example.com')],
    valid: true,
  },
  {
    name: 'any, where all are excluded',
    excluded: [dns('')],
    names: [dns('example.com')],
    valid: false,
  },
  {
    name: 'a wildcard over an excluded one (hostile)',
    excluded: [dns('secret.example.org')],
    names: [dns('*.example.org')],
    valid: false,
    stricter: 'it compares the asterisk literally',
  },
  {
    name: 'a CN that is a host outside the permitted one',
    permitted: [dns('example.org')],
    subject: nameOf(['CN', 'bad.example.com']),
    valid: false,
  },
  {
    name: 'a CN that is a host below the permitted one',
    permitted: [dns('example.org')],
    subject: nameOf(['CN', 'good.example.org']),
    valid: true,
  },
]

/** Mailboxes. */
export const MAIL: readonly ConstraintCase[] = [
  {
    name: 'the permitted mailbox',
    permitted: [email('a@example.org')],
    names: [email('a@EXAMPLE.org')],
    valid: true,
  },
  {
    name: 'another mailbox than the permitted one',
    permitted: [email('a@example.org')],
    names: [email('b@example.org')],
    valid: false,
  },
  {
    name: 'a mailbox at the permitted host',
    permitted: [email('example.org')],
    names: [email('a@example.org')],
    valid: true,
  },
  {
    name: 'a mailbox at a host below the permitted one',
    permitted: [email('example.org')],
    names: [email('a@x.example.org')],
    valid: false,
  },
  {
    name: 'a mailbox below the permitted domain',
    permitted: [email('.example.org')],
    names: [email('a@x.example.org')],
    valid: true,
  },
  {
    name: 'a mailbox at the permitted domain itself',
    permitted: [email('.example.org')],
    names: [email('a@example.org')],
    valid: false,
  },
  {
    name: 'an excluded mailbox',
    excluded: [email('example.org')],
    names: [email('a@example.org')],
    valid: false,
  },
  {
    name: 'a permitted one and another one (hostile)',
    permitted: [email('example.org')],
    names: [email('a@example.org'), email('a@example.com')],
    valid: false,
  },
  {
    name: 'one in the subject outside the permitted host (hostile)',
    permitted: [email('example.org')],
    subject: nameOf(['CN', 'alice'], ['emailAddress', 'a@example.com']),
    names: [email('a@example.org')],
    valid: false,
  },
  {
    name: 'an excluded one in the subject',
    excluded: [email('example.com')],
    subject: nameOf(['CN', 'alice'], ['emailAddress', 'a@example.com']),
    valid: false,
  },
  {
    name: 'two at signs (hostile)',
    excluded: [email('example.com')],
    names: [email('a@example.com@example.org')],
    valid: false,
    stricter: 'it splits at the last one',
  },
]

/** URIs. */
export const URIS: readonly ConstraintCase[] = [
  {
    name: 'at the permitted host',
    permitted: [uri('example.org')],
    names: [uri('https://example.org:8443/x')],
    valid: true,
  },
  {
    name: 'a SPIFFE ID at the permitted host',
    permitted: [uri('example.org')],
    names: [uri('spiffe://example.org/ns/a')],
    valid: true,
  },
  {
    name: 'at a host below the permitted one',
    permitted: [uri('example.org')],
    names: [uri('https://a.example.org/')],
    valid: false,
  },
  {
    name: 'below the permitted domain',
    permitted: [uri('.example.org')],
    names: [uri('https://a.example.org/')],
    valid: true,
  },
  {
    name: 'at another host than the permitted one',
    permitted: [uri('example.org')],
    names: [uri('https://example.com/')],
    valid: false,
  },
  {
    name: 'at an excluded host',
    excluded: [uri('example.org')],
    names: [uri('https://example.org/')],
    valid: false,
  },
  {
    name: 'without a host',
    permitted: [uri('example.org')],
    names: [uri('urn:x:example.org')],
    valid: false,
  },
  {
    name: 'with an address as its host',
    permitted: [uri('example.org')],
    names: [uri('https://192.0.2.1/')],
    valid: false,
  },
  {
    name: 'the permitted host in the userinfo (hostile)',
    permitted: [uri('example.org')],
    names: [uri('https://example.org:x@bad.example/')],
    valid: false,
    stricter: 'it takes the userinfo as the host',
  },
]

/** IP addresses. */
export const ADDRESSES: readonly ConstraintCase[] = [
  {
    name: 'inside the permitted range',
    permitted: [ip(192, 0, 2, 0, 255, 255, 255, 0)],
    names: [ip(192, 0, 2, 9)],
    valid: true,
  },
  {
    name: 'outside the permitted range',
    permitted: [ip(192, 0, 2, 0, 255, 255, 255, 0)],
    names: [ip(192, 0, 3, 9)],
    valid: false,
  },
  {
    name: 'inside an excluded range',
    excluded: [ip(192, 0, 2, 0, 255, 255, 255, 0)],
    names: [ip(192, 0, 2, 9)],
    valid: false,
  },
  {
    name: 'of another IP version than the permitted range',
    permitted: [ip(192, 0, 2, 0, 255, 255, 255, 0)],
    names: [ip(...Array.from({ length: 16 }, () => 0))],
    valid: false,
  },
  {
    name: 'under a mask with holes',
    permitted: [ip(192, 0, 2, 0, 255, 0, 255, 0)],
    names: [ip(192, 9, 2, 9)],
    valid: false,
    stricter: 'it accepts every mask',
  },
]
