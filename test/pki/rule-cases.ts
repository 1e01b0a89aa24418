// Chains, by what their certificates say of themselves.

import { context, element, sequence, unsigned } from '../../src/x509/der.ts'
import { certificatePolicies, extendedKeyUsage, keyUsage } from '../../src/x509/extensions.ts'
import { oidElement, PURPOSES } from '../../src/x509/oid.ts'
import { alone, ROOT, row, under, type ChainCase } from './chains.ts'
import { basicConstraints, make, makeAuthority, makeClient } from './making.ts'

const root = ROOT

const unknownExtension = (critical: boolean) => ({
  oid: '1.3.6.1.4.1.99999.1',
  critical,
  value: Buffer.of(5, 0),
})

const purposesOf = (purpose: string) => extendedKeyUsage([purpose])

/** What they are for. */
export const PURPOSE: readonly ChainCase[] = [
  {
    name: 'for servers',
    make: () => alone({ purposes: [PURPOSES.serverAuth] }),
    want: 'certificate-purpose',
  },
  {
    name: 'for servers and clients',
    make: () => alone({ purposes: [PURPOSES.serverAuth, PURPOSES.clientAuth] }),
    want: 'valid',
  },
  {
    name: 'without an extended key usage',
    make: () => alone({ purposes: undefined }),
    want: 'certificate-purpose',
    stricter: 'without an extended key usage it accepts every certificate',
  },
  {
    name: 'for any purpose',
    make: () => alone({ purposes: [PURPOSES.any] }),
    want: 'certificate-purpose',
  },
  {
    name: 'of a CA for servers',
    make: () => under({ extensions: [purposesOf(PURPOSES.serverAuth)] }),
    want: 'certificate-purpose',
  },
  {
    name: 'of a CA for clients',
    make: () => under({ extensions: [purposesOf(PURPOSES.clientAuth)] }),
    want: 'valid',
  },
  {
    name: 'of a CA for mail below one for clients',
    make: () =>
      row(2, (index) => ({
        extensions: [purposesOf(index === 0 ? PURPOSES.emailProtection : PURPOSES.clientAuth)],
      })),
    want: 'certificate-purpose',
  },
  {
    name: 'of a CA used as a client certificate',
    make: () => ({
      leaf: makeAuthority({
        subject: 'ca',
        signer: root,
        usages: ['keyCertSign', 'digitalSignature'],
        extensions: [purposesOf(PURPOSES.clientAuth)],
      }),
      anchors: [root],
    }),
    want: 'certificate-purpose',
    stricter: 'it accepts a CA as a client',
  },
  {
    name: 'that is itself the trust anchor',
    make: () => {
      const anchor = makeAuthority({
        subject: 'ca',
        usages: ['keyCertSign', 'digitalSignature'],
        extensions: [purposesOf(PURPOSES.clientAuth)],
      })
      return { leaf: anchor, anchors: [anchor] }
    },
    want: 'certificate-untrusted',
    stricter: 'it accepts a trusted certificate as a client',
  },
  {
    name: 'whose key usage is encryption only',
    make: () => ({
      leaf: make({
        subject: 'alice',
        signer: root,
        extensions: [keyUsage(['keyEncipherment']), purposesOf(PURPOSES.clientAuth)],
      }),
      anchors: [root],
    }),
    want: 'certificate-purpose',
  },
]

/** What a CA has to say. */
export const AUTHORITIES: readonly ChainCase[] = [
  {
    name: 'of an issuer whose basicConstraints say that it is not a CA',
    make: () => under({ isAuthority: false }),
    want: 'certificate-untrusted',
  },
  {
    name: 'of an issuer without basicConstraints',
    make: () => {
      const signer = make({ subject: 'x', signer: root, extensions: [keyUsage(['keyCertSign'])] })
      return { leaf: makeClient({ signer }), others: [signer], anchors: [root] }
    },
    want: 'certificate-untrusted',
  },
  {
    name: 'of a CA that may not sign certificates',
    make: () => under({ usages: ['cRLSign'] }),
    want: 'certificate-untrusted',
  },
  { name: 'of a CA without key usage', make: () => under({ usages: undefined }), want: 'valid' },
  {
    name: 'of a CA below one with path length 0',
    make: () => row(2, (index) => (index === 0 ? { pathLength: 0 } : {})),
    want: 'certificate-untrusted',
  },
  {
    name: 'of a CA with path length 0',
    make: () => row(1, () => ({ pathLength: 0 })),
    want: 'valid',
  },
  {
    name: 'of a CA below one with path length 1',
    make: () => row(2, (index) => (index === 0 ? { pathLength: 1 } : {})),
    want: 'valid',
  },
  {
    name: 'of a CA two levels below one with path length 1',
    make: () => row(3, (index) => (index === 0 ? { pathLength: 1 } : {})),
    want: 'certificate-untrusted',
  },
  {
    name: 'of a CA below a trust anchor with path length 0',
    make: () => {
      const anchor = makeAuthority({ subject: 'short', pathLength: 0 })
      const signer = makeAuthority({ subject: 'intermediate', signer: anchor })
      return { leaf: makeClient({ signer }), others: [signer], anchors: [anchor] }
    },
    want: 'certificate-untrusted',
  },
  {
    name: 'of a CA with path length 0 that changed its key',
    make: () => {
      const first = makeAuthority({ subject: 'ca', signer: root, pathLength: 0 })
      const second = makeAuthority({ subject: 'ca', signer: first })
      return { leaf: makeClient({ signer: second }), others: [first, second], anchors: [root] }
    },
    want: 'valid',
  },
]

/** Known and unknown extensions. */
export const EXTENSIONS_OF: readonly ChainCase[] = [
  {
    name: 'with an unknown extension',
    make: () => alone({ extensions: [unknownExtension(false)] }),
    want: 'valid',
  },
  {
    name: 'with an unknown critical extension',
    make: () => alone({ extensions: [unknownExtension(true)] }),
    want: 'certificate-untrusted',
  },
  {
    name: 'of a CA with an unknown critical extension',
    make: () => under({ extensions: [unknownExtension(true)] }),
    want: 'certificate-untrusted',
  },
  {
    name: 'with certificate policies',
    make: () => under({ extensions: [certificatePolicies(['1.3.6.1.4.1.99999.2'])] }),
    want: 'valid',
  },
  {
    name: 'of a CA that requires a certificate policy, where the certificate has another',
    make: () =>
      under(
        {
          extensions: [
            certificatePolicies(['1.3.6.1.4.1.99999.2']),
            {
              oid: '2.5.29.36',
              critical: true,
              value: sequence(element(context(0, 'primitive'), Buffer.of(0))),
            },
          ],
        },
        { extensions: [certificatePolicies(['1.3.6.1.4.1.99999.3'])] },
      ),
    want: 'certificate-untrusted',
    stricter: 'it checks policies with -policy_check only',
  },
  {
    name: 'of CAs that map a policy',
    make: () => {
      const policy = (arc: number) => `1.3.6.1.4.1.99999.${arc}`
      const mapping = {
        oid: '2.5.29.33',
        critical: true,
        value: sequence(sequence(oidElement(policy(2)), oidElement(policy(3)))),
      }
      const policies = [
        [certificatePolicies([policy(2)]), mapping],
        [certificatePolicies([policy(3)])],
      ]
      const chain = row(2, (index) => ({ extensions: policies[index] }))
      const [signer = root] = chain.others ?? []
      const extensions = [certificatePolicies([policy(3)])]
      return { ...chain, leaf: makeClient({ signer, extensions }) }
    },
    want: 'valid',
  },
  {
    name: 'whose basicConstraints say that it is not a CA',
    make: () => ({
      leaf: make({
        subject: 'alice',
        signer: root,
        extensions: [
          keyUsage(['digitalSignature']),
          purposesOf(PURPOSES.clientAuth),
          basicConstraints(false),
        ],
      }),
      anchors: [root],
    }),
    want: 'valid',
  },
  {
    name: 'of a CA whose inhibitAnyPolicy is critical',
    make: () =>
      under({ extensions: [{ oid: '2.5.29.54', critical: true, value: unsigned(Buffer.of(1)) }] }),
    want: 'valid',
  },
]
