// `headers: impersonation`: with which credential, and together with what.

import { describe } from 'node:test'
import { at, CREDENTIALS, EXCHANGE, ISSUER, route } from './forwarding.ts'
import { checkAll, ENVOY } from './sections.ts'

const NEEDS = /needs a credential that may impersonate/
const NOT_WITH = (key: string): RegExp =>
  at('headers', `"impersonation" cannot be combined with "${key}", which is the caller’s`)
// Callers may have certificates; what counts here is the one that Envoy presents to the upstream.
const PLAIN = ENVOY.replace('key: edge.key', 'key: edge.key, clientCa: ca.pem')
const CERTIFIED = PLAIN.replace('ca: ca.pem', 'ca: ca.pem, certificate: c.pem, key: c.key')

describe('forwarding impersonation headers', () => {
  checkAll([
    ...['token: file:t', CREDENTIALS].map((way) => ({
      name: `is accepted with a credential of Countersign: ${way.slice(0, 17)}`,
      input: { ...route({ forward: `headers: impersonation, bearer: { ${way} }` }), envoy: PLAIN },
      want: [],
    })),
    {
      name: 'is accepted with a credential of Countersign: mint',
      input: {
        ...route({ forward: 'headers: impersonation, bearer: { mint: { audience: a } }' }),
        ...ISSUER,
        envoy: PLAIN,
      },
      want: [],
    },
    {
      name: 'is accepted with a certificate of Envoy',
      input: { ...route({ forward: 'headers: impersonation' }), envoy: CERTIFIED },
      want: [],
    },
    {
      name: 'is refused with a certificate of Envoy for another upstream only',
      input: {
        ...route({ forward: 'headers: impersonation', more: ', upstream: other' }),
        envoy: CERTIFIED.replace(
          'upstreams: {',
          'upstreams: { other: { address: 10.0.0.2:1, ca: ca.pem },',
        ),
      },
      want: [/^routes\[0\]\.forward\.headers: .*the "certificate" of envoy\.upstreams\.other$/],
    },
    {
      name: 'is accepted where another Envoy may present one',
      input: route({ forward: 'headers: [impersonation]' }),
      want: [],
    },
    {
      name: 'is refused without a credential',
      input: { ...route({ forward: 'headers: impersonation' }), envoy: PLAIN },
      want: [NEEDS],
    },
    {
      name: 'is refused with the caller’s token in exchange',
      input: {
        ...route({
          forward: `headers: impersonation, bearer: { ${EXCHANGE} }`,
          authenticate: 'tokens',
        }),
        envoy: CERTIFIED,
      },
      want: [NOT_WITH('bearer.exchange')],
    },
    {
      name: 'is refused with the caller’s own credential',
      input: route({ forward: 'headers: impersonation, passthrough: true' }),
      want: [NOT_WITH('passthrough')],
    },
    {
      name: 'is refused with a certificate of the caller’s own',
      input: {
        ...route({
          forward:
            'headers: impersonation, certificate: { ca: kube, subject: { CN: identity.user } }',
        }),
        grants: 'certificateGrants: { keyring: file:keyring }',
      },
      want: [NOT_WITH('certificate')],
    },
    {
      name: 'is refused where a rule lets callers impersonate users',
      input: route({
        forward: 'headers: [impersonation, kubernetes]',
        authorize: '{ allow: deputies, impersonate: { users: [bob] } }, { allow: rest }',
        more: ', kind: kubernetes',
      }),
      want: [at('headers', '"impersonation" cannot be combined with the rule "deputies"')],
    },
    {
      name: 'is accepted with a rule that denies impersonation',
      input: route({
        forward: 'headers: impersonation',
        authorize: '{ deny: nobody, impersonate: { users: [bob] } }, { allow: rest }',
        more: ', kind: kubernetes',
      }),
      want: [],
    },
    {
      name: 'is refused together with other identity headers',
      input: route({
        forward: 'headers: impersonation, bearer: { token: file:t }',
        authorize: '{ allow: deputies, impersonate: { users: [bob] } }, { allow: rest }',
        more: ', kind: kubernetes',
      }),
      want: [
        /^routes\[0\]\.authorize\[0\]\.impersonate: needs the caller’s identity/,
        /the rule "dep/,
      ],
    },
  ])
})
