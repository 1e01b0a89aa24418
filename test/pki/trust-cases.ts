// Chains, by their anchor and their validity.

import { alone, ROOT, row, under, type ChainCase } from './chains.ts'
import { DAY, makeAuthority, makeClient, makeKeys, nameOf, NOW, type Made } from './making.ts'

const root = ROOT

/** Whether there is a path at all. */
export const TRUST: readonly ChainCase[] = [
  { name: 'of the anchor itself', make: () => alone(), want: 'valid' },
  { name: 'of an intermediate', make: () => under({}), want: 'valid' },
  { name: 'of three intermediates', make: () => row(3), want: 'valid' },
  { name: 'of the most intermediates', make: () => row(8), want: 'valid' },
  {
    name: 'of more',
    make: () => row(9),
    want: 'certificate-untrusted',
    stricter: 'it follows a hundred',
  },
  {
    name: 'of twenty',
    make: () => row(20),
    want: 'certificate-untrusted',
    stricter: 'it follows a hundred',
  },
  {
    name: 'of another CA',
    make: () => ({
      leaf: makeClient({ signer: makeAuthority({ subject: 'other' }) }),
      anchors: [root],
    }),
    want: 'certificate-untrusted',
  },
  {
    name: 'of another CA of the same name',
    make: () => ({
      leaf: makeClient({ signer: makeAuthority({ subject: 'root' }) }),
      anchors: [root],
    }),
    want: 'certificate-untrusted',
  },
  {
    name: 'of another CA that came with it',
    make: () => {
      const other = makeAuthority({ subject: 'root' })
      return { leaf: makeClient({ signer: other }), others: [other], anchors: [root] }
    },
    want: 'certificate-untrusted',
  },
  {
    name: 'whose intermediate is missing',
    make: () => ({ ...under({}), others: [] }),
    want: 'certificate-untrusted',
  },
  {
    name: 'with a broken signature',
    make: () => alone({ breakSignature: true }),
    want: 'certificate-untrusted',
  },
  {
    name: 'of an intermediate with a broken signature',
    make: () => under({ breakSignature: true }),
    want: 'certificate-untrusted',
  },
  {
    name: 'signed by itself',
    make: () => ({ leaf: makeClient({}), anchors: [root] }),
    want: 'certificate-untrusted',
  },
  {
    name: 'signed by another client',
    make: () => {
      const client = makeClient({ subject: 'mallory', signer: root })
      return { leaf: makeClient({ signer: client }), others: [client], anchors: [root] }
    },
    want: 'certificate-untrusted',
  },
  {
    name: 'whose issuer is spelt otherwise',
    make: () => alone({ issuer: nameOf(['CN', 'ROOT']) }),
    want: 'certificate-untrusted',
    stricter: 'it folds case; we compare bytes, as Go does',
  },
  {
    name: 'in a circle',
    make: () => {
      const [one, two] = [makeKeys(), makeKeys()]
      const of = (subject: string, keys: typeof one, issuer: string, by: typeof one): Made =>
        makeAuthority({
          subject,
          keys,
          signer: { der: Buffer.of(), name: nameOf(['CN', issuer]), keys: by },
        })
      const [a, b] = [of('a', one, 'b', two), of('b', two, 'a', one)]
      return { leaf: makeClient({ signer: a }), others: [a, b], anchors: [root] }
    },
    want: 'certificate-untrusted',
  },
  {
    name: 'with a way out of a circle',
    make: () => {
      const [one, two] = [makeKeys(), makeKeys()]
      const a: Made = { der: Buffer.of(), name: nameOf(['CN', 'a']), keys: one }
      const b: Made = { der: Buffer.of(), name: nameOf(['CN', 'b']), keys: two }
      return {
        leaf: makeClient({ signer: a }),
        others: [
          makeAuthority({ subject: 'a', keys: one, signer: b }),
          makeAuthority({ subject: 'b', keys: two, signer: a }),
          makeAuthority({ subject: 'b', keys: two, signer: root }),
        ],
        anchors: [root],
      }
    },
    want: 'valid',
    found: 'its search does not turn back',
  },
  {
    name: 'with duplicates',
    make: () => {
      const { leaf, others = [], anchors } = under({})
      return {
        leaf,
        others: [...others, ...others, ...others, leaf, root],
        anchors: [root, ...anchors],
      }
    },
    want: 'valid',
  },
  {
    name: 'whose CA has two certificates, one expired',
    make: () => {
      const keys = makeKeys()
      const [old, current] = [NOW - 1, NOW + DAY].map((notAfter) =>
        makeAuthority({ subject: 'intermediate', keys, signer: root, notAfter }),
      )
      if (old === undefined || current === undefined) throw new Error('two were made')
      return { leaf: makeClient({ signer: current }), others: [old, current], anchors: [root] }
    },
    want: 'valid',
  },
]

/** Validity. */
export const TIMES: readonly ChainCase[] = [
  { name: 'that expired', make: () => alone({ notAfter: NOW - 1 }), want: 'certificate-expired' },
  { name: 'that expires now', make: () => alone({ notAfter: NOW }), want: 'certificate-expired' },
  { name: 'in its last second', make: () => alone({ notAfter: NOW + 1 }), want: 'valid' },
  {
    name: 'not valid yet',
    make: () => alone({ notBefore: NOW + 1 }),
    want: 'certificate-not-yet-valid',
  },
  { name: 'in its first second', make: () => alone({ notBefore: NOW }), want: 'valid' },
  {
    name: 'of a CA that expired',
    make: () => under({ notAfter: NOW - 1 }),
    want: 'certificate-expired',
  },
  {
    name: 'of a CA not valid yet',
    make: () => under({ notBefore: NOW + 1 }),
    want: 'certificate-not-yet-valid',
  },
  {
    name: 'of an anchor that expired',
    make: () => {
      const old = makeAuthority({ subject: 'old', notAfter: NOW - 1 })
      return { leaf: makeClient({ signer: old }), anchors: [old] }
    },
    want: 'certificate-expired',
  },
]
