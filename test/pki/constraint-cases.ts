// Chains under a CA with name constraints (RFC 5280 §4.2.1.10).

import { ROOT, type ChainCase } from './chains.ts'
import {
  nameConstraints as constraints,
  alternativeNames,
  generalName,
  makeAuthority,
  makeClient,
  nameOf,
} from './making.ts'
import { DIRECTORY, OTHERS } from './further-names.ts'
import { ADDRESSES, DNS, MAIL, URIS, type ConstraintCase } from './names.ts'

const { dns, directory } = generalName

const caseOf =
  (kind: string) =>
  (wish: ConstraintCase): ChainCase => ({
    name: `${kind}: ${wish.name}`,
    make: () => {
      const signer = makeAuthority({
        subject: 'constrained',
        signer: ROOT,
        extensions: [constraints(wish)],
      })
      const extensions = wish.names === undefined ? [] : [alternativeNames(...wish.names)]
      const subject = wish.subject === undefined ? {} : { subject: wish.subject }
      return {
        leaf: makeClient({ signer, ...subject, extensions }),
        others: [signer],
        anchors: [ROOT],
      }
    },
    want: wish.valid ? 'valid' : 'certificate-untrusted',
    ...(wish.stricter === undefined ? {} : { stricter: wish.stricter }),
  })

/** Each kind of name, permitted and excluded. */
export const CONSTRAINT_CASES: readonly ChainCase[] = [
  ...DNS.map(caseOf('DNS')),
  ...MAIL.map(caseOf('mail')),
  ...URIS.map(caseOf('URI')),
  ...ADDRESSES.map(caseOf('IP')),
  ...DIRECTORY.map(caseOf('directory')),
  ...OTHERS.map(caseOf('other')),
  {
    name: 'of the trust anchor',
    make: () => {
      const anchor = makeAuthority({
        subject: 'constrained',
        extensions: [constraints({ permitted: [dns('example.org')] })],
      })
      const leaf = makeClient({
        signer: anchor,
        extensions: [alternativeNames(dns('bad.example'))],
      })
      return { leaf, anchors: [anchor] }
    },
    want: 'certificate-untrusted',
  },
  {
    name: 'of two CAs, of which only one permits the name',
    make: () => {
      const one = makeAuthority({
        subject: 'one',
        signer: ROOT,
        extensions: [constraints({ permitted: [dns('example.org')] })],
      })
      const two = makeAuthority({
        subject: 'two',
        signer: one,
        extensions: [constraints({ permitted: [dns('example.com')] })],
      })
      const leaf = makeClient({ signer: two, extensions: [alternativeNames(dns('a.example.com'))] })
      return { leaf, others: [one, two], anchors: [ROOT] }
    },
    want: 'certificate-untrusted',
  },
  {
    name: 'on the subject of a CA that changed its key',
    make: () => {
      const one = makeAuthority({
        subject: 'one',
        signer: ROOT,
        extensions: [constraints({ permitted: [directory(nameOf(['O', 'Example']))] })],
      })
      const two = makeAuthority({ subject: 'one', signer: one })
      const leaf = makeClient({ signer: two, subject: nameOf(['O', 'Example'], ['CN', 'alice']) })
      return { leaf, others: [one, two], anchors: [ROOT] }
    },
    want: 'valid',
  },
  {
    name: 'on the subject of a CA below',
    make: () => {
      const one = makeAuthority({
        subject: 'one',
        signer: ROOT,
        extensions: [constraints({ permitted: [directory(nameOf(['O', 'Example']))] })],
      })
      const two = makeAuthority({ subject: nameOf(['O', 'Other']), signer: one })
      const leaf = makeClient({ signer: two, subject: nameOf(['O', 'Example'], ['CN', 'alice']) })
      return { leaf, others: [one, two], anchors: [ROOT] }
    },
    want: 'certificate-untrusted',
  },
]
