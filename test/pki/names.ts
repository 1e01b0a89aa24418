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
  { name: 'the host', permitted: [dns('example.org')], names: [dns('example.org')], valid: true },
  {
    name: 'a host below',
    permitted: [dns('example.org')],
    names: [dns('a.b.EXAMPLE.org')],
    valid: true,
  },
  {
    name: 'another host',
    permitted: [dns('example.org')],
    names: [dns('example.com')],
    valid: false,
  },
  {
    name: 'one that ends so',
    permitted: [dns('example.org')],
    names: [dns('badexample.org')],
    valid: false,
  },
  {
    name: 'a good one and a bad one (hostile)',
    permitted: [dns('example.org')],
    names: [dns('example.org'), dns('bad.example')],
    valid: false,
  },
  {
    name: 'none where others are constrained',
    permitted: [dns('example.org')],
    names: [email('a@b.example')],
    valid: true,
  },
  {
    name: 'below a dot',
    permitted: [dns('.example.org')],
    names: [dns('a.example.org')],
    valid: true,
  },
  {
    name: 'at the dot',
    permitted: [dns('.example.org')],
    names: [dns('example.org')],
    valid: false,
  },
  {
    name: 'an excluded one',
    excluded: [dns('example.org')],
    names: [dns('a.example.org')],
    valid: false,
  },
  { name: 'one beside', excluded: [dns('example.org')], names: [dns('example.com')], valid: true },
  {
    name: 'any, all being excluded',
    excluded: [dns('')],
    names: [dns('example.com')],
    valid: false,
  },
  {
    name: 'a wildcard over an excluded one (hostile)',
    excluded: [dns('secret.example.org')],
    names: [dns('*.example.org')],
    valid: false,
    stricter: 'it compares the star as it stands',
  },
  {
    name: 'a CN that is a host',
    permitted: [dns('example.org')],
    subject: nameOf(['CN', 'bad.example.com']),
    valid: false,
  },
  {
    name: 'a CN that is a host below',
    permitted: [dns('example.org')],
    subject: nameOf(['CN', 'good.example.org']),
    valid: true,
  },
]

/** Mailboxes. */
export const MAIL: readonly ConstraintCase[] = [
  {
    name: 'the mailbox',
    permitted: [email('a@example.org')],
    names: [email('a@EXAMPLE.org')],
    valid: true,
  },
  {
    name: 'another mailbox',
    permitted: [email('a@example.org')],
    names: [email('b@example.org')],
    valid: false,
  },
  {
    name: 'at the host',
    permitted: [email('example.org')],
    names: [email('a@example.org')],
    valid: true,
  },
  {
    name: 'at a host below',
    permitted: [email('example.org')],
    names: [email('a@x.example.org')],
    valid: false,
  },
  {
    name: 'below the domain',
    permitted: [email('.example.org')],
    names: [email('a@x.example.org')],
    valid: true,
  },
  {
    name: 'at the domain',
    permitted: [email('.example.org')],
    names: [email('a@example.org')],
    valid: false,
  },
  {
    name: 'an excluded one',
    excluded: [email('example.org')],
    names: [email('a@example.org')],
    valid: false,
  },
  {
    name: 'a good one and a bad one (hostile)',
    permitted: [email('example.org')],
    names: [email('a@example.org'), email('a@example.com')],
    valid: false,
  },
  {
    name: 'one in the subject (hostile)',
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
    stricter: 'it takes the last one',
  },
]

/** URIs. */
export const URIS: readonly ConstraintCase[] = [
  {
    name: 'at the host',
    permitted: [uri('example.org')],
    names: [uri('https://example.org:8443/x')],
    valid: true,
  },
  {
    name: 'SPIFFE',
    permitted: [uri('example.org')],
    names: [uri('spiffe://example.org/ns/a')],
    valid: true,
  },
  {
    name: 'at a host below',
    permitted: [uri('example.org')],
    names: [uri('https://a.example.org/')],
    valid: false,
  },
  {
    name: 'below the domain',
    permitted: [uri('.example.org')],
    names: [uri('https://a.example.org/')],
    valid: true,
  },
  {
    name: 'at another host',
    permitted: [uri('example.org')],
    names: [uri('https://example.com/')],
    valid: false,
  },
  {
    name: 'an excluded one',
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
    name: 'with an address for a host',
    permitted: [uri('example.org')],
    names: [uri('https://192.0.2.1/')],
    valid: false,
  },
  {
    name: 'a host in the userinfo (hostile)',
    permitted: [uri('example.org')],
    names: [uri('https://example.org:x@bad.example/')],
    valid: false,
    stricter: 'it takes the user for the host',
  },
]

/** IP addresses. */
export const ADDRESSES: readonly ConstraintCase[] = [
  {
    name: 'in the range',
    permitted: [ip(192, 0, 2, 0, 255, 255, 255, 0)],
    names: [ip(192, 0, 2, 9)],
    valid: true,
  },
  {
    name: 'out of the range',
    permitted: [ip(192, 0, 2, 0, 255, 255, 255, 0)],
    names: [ip(192, 0, 3, 9)],
    valid: false,
  },
  {
    name: 'an excluded one',
    excluded: [ip(192, 0, 2, 0, 255, 255, 255, 0)],
    names: [ip(192, 0, 2, 9)],
    valid: false,
  },
  {
    name: 'of another version',
    permitted: [ip(192, 0, 2, 0, 255, 255, 255, 0)],
    names: [ip(...Array.from({ length: 16 }, () => 0))],
    valid: false,
  },
  {
    name: 'by a mask with holes',
    permitted: [ip(192, 0, 2, 0, 255, 0, 255, 0)],
    names: [ip(192, 9, 2, 9)],
    valid: false,
    stricter: 'it takes every mask',
  },
]
