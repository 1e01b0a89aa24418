// What `forward` of a route must not say together, or without something else.

import { describe } from 'node:test'
import { at, EXCHANGE, ISSUER, route } from '../forwarding.ts'
import { checkAll } from '../sections.ts'

describe('a header that a route sets', () => {
  const TWICE = [
    ['kubernetes', 'X-Remote-User'],
    ['kubernetes', 'x-remote-group'],
    ['kubernetes', 'x-remote-uid'],
    ['kubernetes', 'X-Remote-Extra-Team'],
    ['certificate', 'x-cert-subject'],
    ['certificate', 'x-cert-contents'],
    ['certificate', 'Client-Cert'],
    ['grafana', 'X-WEBAUTH-USER'],
    ['grafana', 'x-webauth-groups'],
    ['headlamp', 'x-forwarded-user'],
    ['headlamp', 'X-Forwarded-Group'],
  ] as const
  checkAll([
    ...TWICE.map(([preset, header]) => ({
      name: `is refused twice, by ${preset} and by hand: ${header}`,
      input: route({
        forward: `headers: [${preset}], set: { x-ok: identity.user, ${header}: identity.user }`,
        authenticate: 'cards',
      }),
      want: [
        at(
          String.raw`set\.${header.toLowerCase()}`,
          `"${header.toLowerCase()}" is set by "headers: ${preset}" too`,
        ),
      ],
    })),
    {
      name: 'is accepted by hand together with a set that does not have it',
      input: route({
        forward:
          'headers: [kubernetes, grafana, headlamp], set: { x-webauth-email: identity.user, x-cert-subject: identity.user, x-remote-name: identity.user }',
      }),
      want: [],
    },
    {
      name: 'is accepted by hand where the set is not used',
      input: route({ forward: 'set: { x-remote-user: identity.user }' }),
      want: [],
    },
    {
      name: 'is refused twice, by hand and as an assertion',
      input: {
        ...route({
          forward: 'set: { x-jwt: identity.user }, assertion: { header: X-JWT, audience: a }',
        }),
        ...ISSUER,
      },
      want: [at(String.raw`assertion\.header`, '"x-jwt" is set by "set" too')],
    },
    {
      name: 'is refused twice, by a set and as an assertion',
      input: {
        ...route({
          forward: 'headers: headlamp, assertion: { header: X-Forwarded-User, audience: a }',
        }),
        ...ISSUER,
      },
      want: [at(String.raw`assertion\.header`, '"x-forwarded-user" is set by "headers: headlamp"')],
    },
    {
      name: 'is accepted as an assertion together with other headers',
      input: {
        ...route({
          forward: 'headers: headlamp, assertion: { header: X-Forwarded-Id-Token, audience: a }',
        }),
        ...ISSUER,
      },
      want: [],
    },
  ])
})

describe('the credentials that a route forwards', () => {
  const CERTIFICATE = at('headers', '"certificate" tells of a proven client certificate')
  const EXCHANGED = at(String.raw`bearer\.exchange`, 'no caller has a token to exchange')
  checkAll([
    {
      name: 'are refused where passthrough is combined with another',
      input: route({ forward: 'passthrough: true, bearer: { token: file:t }' }),
      want: [at('passthrough', 'cannot be combined with "bearer"')],
    },
    {
      name: 'are accepted with passthrough and headers',
      input: route({ forward: 'passthrough: true, headers: kubernetes' }),
      want: [],
    },
    {
      name: 'are accepted as certificate headers where callers have certificates',
      input: route({ forward: 'headers: certificate', authenticate: 'staff, cards' }),
      want: [],
    },
    {
      name: 'are accepted as certificate headers where callers have certificates with passwords',
      input: route({ forward: 'headers: certificate', authenticate: '{ all: [staff, cards] }' }),
      want: [],
    },
    {
      name: 'are refused as certificate headers where no caller has a certificate',
      input: route({
        forward: 'headers: [certificate]',
        authenticate: '{ all: [staff, guests] }, tokens',
      }),
      want: [CERTIFICATE],
    },
    {
      name: 'are accepted as certificate headers that may be missing',
      input: route({ forward: 'headers: certificate, certificateHeaders: { missing: omit }' }),
      want: [],
    },
    {
      name: 'are accepted with certificateHeaders that no set uses',
      input: route({ forward: 'certificateHeaders: { contents: der }' }),
      want: [],
    },
    ...['tokens', 'opaque', 'accounts', '{ all: [staff, tokens] }', 'staff, opaque'].map(
      (authenticate) => ({
        name: `are accepted as an exchange where callers have tokens: ${authenticate}`,
        input: route({ forward: `bearer: { ${EXCHANGE} }`, authenticate }),
        want: [],
      }),
    ),
    ...['staff', 'cards', '{ all: [staff, guests] }, cards'].map((authenticate) => ({
      name: `are refused as an exchange where no caller has a token: ${authenticate}`,
      input: route({ forward: `bearer: { ${EXCHANGE} }`, authenticate }),
      want: [EXCHANGED],
    })),
    {
      name: 'are not compared with authenticators that do not exist',
      input: route({ forward: `bearer: { ${EXCHANGE} }`, authenticate: 'nobody, tokens' }),
      want: [/there is no authenticator "nobody"/],
    },
  ])
})

describe('a signed credential', () => {
  checkAll([
    {
      name: 'requires the issuer’s keys: a token',
      input: route({ forward: 'bearer: { mint: { audience: a } }' }),
      want: [at(String.raw`bearer\.mint`, 'needs "issuer", whose keys sign the token')],
    },
    {
      name: 'requires the issuer’s keys: an assertion',
      input: route({ forward: 'assertion: { audience: a }' }),
      want: [at('assertion', 'needs "issuer", whose keys sign the token')],
    },
    {
      name: 'is accepted with the issuer’s keys',
      input: {
        ...route({ forward: 'bearer: { mint: { audience: a } }, assertion: { audience: a }' }),
        ...ISSUER,
      },
      want: [],
    },
  ])
})
