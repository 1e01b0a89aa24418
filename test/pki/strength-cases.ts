// Chains, by the strength of their keys and signatures.

import { alone, under, type ChainCase } from './chains.ts'
import { makeAuthority, makeClient } from './making.ts'

/** Keys and signatures of every kind. */
export const STRENGTH: readonly ChainCase[] = [
  ...(['P-256', 'P-384', 'P-521', 'ed25519', 'ed448', 'rsa-2048', 'rsa-3'] as const).flatMap(
    (kind) => [
      { name: `with ${kind}`, make: () => alone({ kind }), want: 'valid' as const },
      { name: `of a CA with ${kind}`, make: () => under({ kind }), want: 'valid' as const },
    ],
  ),
  {
    name: 'with RSA of 1024 bits',
    make: () => alone({ kind: 'rsa-1024' }),
    want: 'certificate-weak',
  },
  {
    name: 'of a CA with RSA of 1024 bits',
    make: () => under({ kind: 'rsa-1024' }),
    want: 'certificate-weak',
  },
  {
    name: 'with a key on another curve',
    make: () => alone({ kind: 'secp256k1' }),
    want: 'certificate-weak',
    stricter: 'it knows the curve of Bitcoin',
  },
  {
    name: 'signed with SHA-384',
    make: () => alone({ digest: 'sha384' }),
    want: 'valid',
  },
  { name: 'signed with SHA-1', make: () => alone({ digest: 'sha1' }), want: 'certificate-weak' },
  {
    name: 'of a CA signed with SHA-1',
    make: () => under({ digest: 'sha1' }),
    want: 'certificate-weak',
  },
  ...(['sha512', 'pss-sha256'] as const).map((digest) => ({
    name: `signed by RSA with ${digest}`,
    make: () => under({ kind: 'rsa-2048' }, { digest }),
    want: 'valid' as const,
  })),
  ...(['sha1', 'md5', 'pss-sha1'] as const).map((digest) => ({
    name: `signed by RSA with ${digest}`,
    make: () => under({ kind: 'rsa-2048' }, { digest }),
    want: 'certificate-weak' as const,
  })),
  {
    name: 'of an anchor with RSA of 1024 bits',
    make: () => {
      const anchor = makeAuthority({ subject: 'old', kind: 'rsa-1024' })
      return { leaf: makeClient({ signer: anchor }), anchors: [anchor] }
    },
    want: 'valid',
    found: 'it measures the keys of anchors too',
  },
  {
    name: 'of an anchor signed with SHA-1',
    make: () => {
      const anchor = makeAuthority({ subject: 'old', digest: 'sha1' })
      return { leaf: makeClient({ signer: anchor }), anchors: [anchor] }
    },
    want: 'valid',
  },
]
