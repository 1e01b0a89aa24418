// What `forward.certificate` must not say, with the place of each problem. Its fields one by one are
// in parse-certificate-fields.test.ts.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseConfig } from '../../src/configuration/parse.ts'
import { formatProblem } from '../../src/config/problem.ts'
import { EXTENSIONS } from '../../src/x509/oid.ts'
import { checkAll, ENVOY, problemsIn, type Sections } from './sections.ts'

const GRANTS = 'certificateGrants: { keyring: file:grant.keys }'

/** An `envoy` section for a route with a certificate. */
const WITH_SIGNER = ENVOY.replace('listener:', 'signerAddress: unix:signer.sock\n  listener:')
const WITH_CLIENTS = WITH_SIGNER.replace('key: edge.key', 'key: edge.key, clientCa: ca.pem')

/** One route that forwards such a certificate. */
const certificate = (text: string, more: Sections = {}): Sections => ({
  routes: `routes: [{ name: app, authenticate: [staff], authorize: [{ allow: all }], forward: { certificate: { ca: kube, ${text} } } }]`,
  grants: GRANTS,
  ...more,
})

const SUBJECT = 'subject: { CN: identity.user }'

/** A certificate that fits, with this in place of its CA. */
const withCa = (text: string): Sections => {
  const { routes = '', ...more } = certificate(SUBJECT)
  return { ...more, routes: routes.replace('ca: kube, ', text) }
}

/** A certificate that fits, and this. */
const also = (text: string): Sections => certificate(`${SUBJECT}, ${text}`)

/** The same, where the route asks these authenticators. */
const asking = (authenticate: string, sections: Sections): Sections => {
  const { routes = '', ...more } = sections
  return { ...more, routes: routes.replace('[staff]', authenticate) }
}

/** The same, where "badge" is an authenticator of client certificates. */
const proving = (authenticate: string, sections: Sections): Sections => ({
  ...asking(authenticate, sections),
  authenticators: `
authenticators:
  staff: { basic: { verify: [{ users: { file: users.yaml } }] } }
  badge: { certificate: { trust: client-ca.pem } }`,
})

const WHERE = String.raw`^routes\[0\]\.forward\.certificate`
const at = (path: string, message: string): RegExp => new RegExp(`${WHERE}${path}: ${message}`)

describe('a certificate', () => {
  checkAll([
    { name: 'fits', input: certificate(SUBJECT), want: [] },
    {
      name: 'has reserved names written out',
      input: also("allowReserved: ['system:serviceaccount:shop:*']"),
      want: [at(String.raw`\.allowReserved\[0\]`, 'must be a name written out, without "\\*"$')],
    },
    { name: 'fits with Envoy', input: certificate(SUBJECT, { envoy: WITH_SIGNER }), want: [] },
    {
      name: 'needs the keys that are shared with the signer',
      input: certificate(SUBJECT, { grants: '' }),
      want: [at('', 'needs the keys that are shared with the signer: "certificateGrants"$')],
    },
    {
      name: 'needs the address of the signer, where Envoy is configured',
      input: certificate(SUBJECT, { envoy: ENVOY }),
      want: [at('', 'needs to know where Envoy reaches the signer: "envoy.signerAddress"$')],
    },
    { name: 'needs a subject', input: certificate(''), want: [at('', 'needs a "subject"$')] },
    {
      name: 'needs a subject that says something',
      input: certificate('subject: {}'),
      want: [at('', 'needs a "subject"$')],
    },
    {
      name: 'needs a CA',
      input: withCa(''),
      want: [at(String.raw`\.ca`, 'required, but missing$')],
    },
    {
      name: 'needs the name of a CA',
      input: withCa('ca: "Kube!", '),
      want: [at(String.raw`\.ca`, 'must be 1 to 63 lower-case letters')],
    },
    {
      name: 'has no unknown keys',
      input: also('subjectAltNames: {}'),
      want: [at(String.raw`\.subjectAltNames`, 'unknown key$')],
    },
    {
      name: 'says everything that is wrong at once',
      input: certificate('lifetime: 1s', { grants: '', envoy: ENVOY }),
      want: [at(String.raw`\.lifetime`, 'must be 10s to 8760h$')],
    },
    {
      name: 'says everything that is missing at once',
      input: certificate('', { grants: '', envoy: ENVOY }),
      want: [
        at('', '.*"certificateGrants"'),
        at('', '.*"envoy.signerAddress"'),
        at('', 'needs a "subject"'),
      ],
    },
  ])
})

describe('the keyring', () => {
  checkAll([
    { name: 'may be there for nothing', input: { grants: GRANTS }, want: [] },
    {
      name: 'is never in the configuration itself',
      input: { grants: `certificateGrants: { keyring: ${'A'.repeat(43)} }` },
      want: [/^certificateGrants\.keyring: must be a reference, "file:PATH" or "env:NAME"/],
    },
  ])
})

describe('the address of the signer', () => {
  const address = (text: string): Sections => ({
    envoy: ENVOY.replace('listener:', `signerAddress: ${text}\n  listener:`),
  })
  checkAll([
    { name: 'may be a UNIX socket', input: address('unix:signer.sock'), want: [] },
    {
      name: 'is never on a network',
      input: address('127.0.0.1:9002'),
      want: [/^envoy\.signerAddress: must be "unix:PATH": the signer has no network$/],
    },
  ])
})

describe('delegation', () => {
  const delegate = (text: string, more: Sections = {}): Sections =>
    proving('[badge, staff]', certificate(`delegate: { ${text} }`, more))
  checkAll([
    { name: 'needs no subject', input: delegate(''), want: [] },
    { name: 'needs none with a fallback', input: delegate(`fallback: { ${SUBJECT} }`), want: [] },
    {
      name: 'needs one that overrides',
      input: delegate('subject: override'),
      want: [at('', 'needs a "subject"$')],
    },
    {
      name: 'has one that overrides',
      input: proving('[badge]', certificate(`${SUBJECT}, delegate: { subject: override }`)),
      want: [],
    },
    {
      name: 'has none for nothing',
      input: proving('[badge]', also('delegate: {}')),
      want: [
        at(
          String.raw`\.subject`,
          'is not used: "delegate.subject" copies the caller’s; "override" it there$',
        ),
      ],
    },
    {
      name: 'does not mind an empty one',
      input: proving('[badge]', certificate('subject: {}, delegate: {}')),
      want: [],
    },
    {
      name: 'needs a subject in its fallback',
      input: delegate('fallback: { keyUsage: [digitalSignature] }'),
      want: [at(String.raw`\.delegate\.fallback`, 'needs a "subject"$')],
    },
    {
      name: 'has a fallback with fields of a certificate alone',
      input: delegate(`fallback: { ${SUBJECT}, lifetime: 1h, ca: x }`),
      want: [
        at(String.raw`\.delegate\.fallback\.lifetime`, 'unknown key$'),
        at(String.raw`\.delegate\.fallback\.ca`, 'unknown key$'),
      ],
    },
    {
      name: 'has callers with certificates',
      input: delegate('', { envoy: WITH_CLIENTS }),
      want: [],
    },
    {
      name: 'has no proven certificate where Envoy asks for none',
      input: delegate('', { envoy: WITH_SIGNER }),
      want: [/^authenticators\.badge\.certificate: callers show no certificate/],
    },
    ...['[staff]', '[staff, guests]', '[{ all: [staff, guests] }]'].map((authenticate) => ({
      name: `needs an authenticator that proves a certificate, which ${authenticate} has not`,
      input: asking(authenticate, certificate(`delegate: { fallback: { ${SUBJECT} } }`)),
      want: [at(String.raw`\.delegate`, 'copies a proven client certificate, and "authenticate"')],
    })),
    {
      name: 'copies the certificate that is required together with a password',
      input: proving('[{ all: [staff, badge] }]', certificate('delegate: {}')),
      want: [],
    },
    {
      name: 'never drops the subject',
      input: delegate('subject: drop'),
      want: [at(String.raw`\.delegate\.subject`, 'Invalid option')],
    },
    ...['subjectAltName', 'keyUsage', 'extendedKeyUsage', 'basicConstraints', 'policies'].map(
      (field) => ({
        name: `copies, drops or overrides ${field}`,
        input: delegate(`${field}: keep`),
        want: [at(String.raw`\.delegate\.${field}`, 'Invalid option')],
      }),
    ),
    ...Object.entries(EXTENSIONS).map(([name, oid]) => ({
      name: `has a word of its own for ${name}, or leaves it to the signer`,
      input: delegate(`extensions: ["1.2.3", "${oid}"]`),
      want: [
        at(
          String.raw`\.delegate\.extensions\[1\]`,
          'has a field of its own, or is the signer’s to write$',
        ),
      ],
    })),
  ])
})

describe('a problem with a certificate', () => {
  const FILE = '/etc/countersign.yaml'
  const TEXT = `version: 1
listen: { authz: unix:authz.sock }
authenticators: { badge: { certificate: { trust: client-ca.pem } } }
routes:
  - name: app
    authenticate: [badge]
    authorize: [{ allow: all }]
    forward:
      certificate:
        ca: kube
        subject:
          CN: identity.user
          O: identity.group
        keyUsage: [keyCertSign]
        extensions:
          2.5.29.19: { der: MAA= }
        delegate:
          subject: copy
          fallback:
            policies: [x]
`
  const problems = (text: string): readonly string[] => {
    const result = parseConfig(FILE, text)
    return result.ok
      ? []
      : result.problems.map((problem) => formatProblem(problem).slice(FILE.length))
  }

  it('is shown with its line and column', () => {
    const path = 'routes[0].forward.certificate'
    assert.deepEqual(
      problems(TEXT).map((problem) => /^:(\d+:\d+: [^ ]+):/.exec(problem)?.[1]),
      [
        `13:11: ${path}.subject.O`,
        `14:20: ${path}.keyUsage[0]`,
        `16:11: ${path}.extensions["2.5.29.19"]`,
        `20:24: ${path}.delegate.fallback.policies[0]`,
      ],
    )
  })

  it('is shown likewise where the parts do not fit together', () => {
    const text = TEXT.replace('identity.group\n', 'identity.groups\n')
      .replace('[keyCertSign]', '[digitalSignature]')
      .replace('2.5.29.19', '1.2.3')
      .replace('[x]', '[]')
    const path = 'routes[0].forward.certificate'
    assert.deepEqual(problems(text), [
      `:9:7: ${path}: needs the keys that are shared with the signer: "certificateGrants"`,
      `:11:9: ${path}.subject: is not used: "delegate.subject" copies the caller’s; "override" it there`,
      `:19:11: ${path}.delegate.fallback: needs a "subject"`,
    ])
  })

  it('is of its own route', () => {
    const routes = `
routes:
  - { name: a, authenticate: [staff], authorize: [{ allow: all }] }
  - { name: b, authenticate: [staff], authorize: [{ allow: all }], forward: { certificate: { ca: kube } } }`
    assert.deepEqual(problemsIn({ routes, grants: GRANTS }), [
      'routes[1].forward.certificate: needs a "subject"',
    ])
  })
})
