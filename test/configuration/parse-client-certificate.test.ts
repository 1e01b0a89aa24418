// Client certificates and the Envoy of the same configuration: what it never tells is not waited for.

import { describe } from 'node:test'
import { checkAll, ENVOY } from './sections.ts'

const WITH_CLIENTS = ENVOY.replace('key: edge.key', 'key: edge.key, clientCa: ca.pem')

const certificates = (section: string): string =>
  `authenticators: { staff: { certificate: { trust: ca.pem, ${section} } } }`

describe('an authenticator of client certificates', () => {
  checkAll([
    { name: 'fits any Envoy', input: { authenticators: certificates('') }, want: [] },
    {
      name: 'fits an Envoy that asks for certificates',
      input: { authenticators: certificates(''), envoy: WITH_CLIENTS },
      want: [],
    },
    {
      name: 'has nothing to prove where Envoy asks for none',
      input: { authenticators: certificates('from: connection'), envoy: ENVOY },
      want: [
        /^authenticators\.staff\.certificate: callers show no certificate: set "envoy\.listener\.clientCa" to request it$/,
      ],
    },
    ...['x-forwarded-client-cert', 'client-cert'].map((from) => ({
      name: `never sees ${from} where Envoy removes it`,
      input: { authenticators: certificates(`from: ${from}`), envoy: WITH_CLIENTS },
      want: [
        /^authenticators\.staff\.certificate\.from: is a header that Envoy as generated removes/,
      ],
    })),
    {
      name: 'takes a header of another Envoy',
      input: { authenticators: certificates('from: client-cert') },
      want: [],
    },
    {
      name: 'knows its own fields only',
      input: { authenticators: certificates('ocsp: {}') },
      want: [/ocsp: unknown key$/],
    },
    {
      name: 'is for purposes that have a name or a number',
      input: { authenticators: certificates('purposes: [clientAuth, client]') },
      want: [/purposes\[1\]: must be one of .*clientAuth/],
    },
  ])
})
