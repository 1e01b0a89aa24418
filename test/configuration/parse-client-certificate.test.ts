// Client certificates and the Envoy of the same configuration: what it never tells is not waited for.

import { describe } from 'node:test'
import { checkAll, ENVOY } from './sections.ts'

const WITH_CLIENTS = ENVOY.replace('key: edge.key', 'key: edge.key, clientCa: ca.pem')

const certificates = (section: string): string =>
  `authenticators: { staff: { certificate: { trust: ca.pem, ${section} } } }`

describe('the section certificate of an authenticator', () => {
  checkAll([
    {
      name: 'is accepted without the section envoy',
      input: { authenticators: certificates('') },
      want: [],
    },
    {
      name: 'is accepted where Envoy requests client certificates',
      input: { authenticators: certificates(''), envoy: WITH_CLIENTS },
      want: [],
    },
    {
      name: 'is refused where Envoy requests no client certificates',
      input: { authenticators: certificates('from: connection'), envoy: ENVOY },
      want: [
        /^authenticators\.staff\.certificate: callers show no certificate: set "envoy\.listener\.clientCa" to request it$/,
      ],
    },
    ...['x-forwarded-client-cert', 'client-cert'].map((from) => ({
      name: `is refused with from: ${from} where Envoy removes that`,
      input: { authenticators: certificates(`from: ${from}`), envoy: WITH_CLIENTS },
      want: [
        /^authenticators\.staff\.certificate\.from: is a header that Envoy as generated removes/,
      ],
    })),
    {
      name: 'accepts a header of another Envoy',
      input: { authenticators: certificates('from: client-cert') },
      want: [],
    },
    {
      name: 'refuses unknown keys',
      input: { authenticators: certificates('ocsp: {}') },
      want: [/ocsp: unknown key$/],
    },
    {
      name: 'refuses unknown purposes',
      input: { authenticators: certificates('purposes: [clientAuth, client]') },
      want: [/purposes\[1\]: must be one of .*clientAuth/],
    },
  ])
})
