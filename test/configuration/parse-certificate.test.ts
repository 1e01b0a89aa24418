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

describe('the section certificate', () => {
  checkAll([
    { name: 'is accepted with a subject', input: certificate(SUBJECT), want: [] },
    {
      name: 'refuses patterns of reserved names',
      input: also("allowReserved: ['system:serviceaccount:shop:*']"),
      want: [at(String.raw`\.allowReserved\[0\]`, 'must be a name written out, without "\\*"$')],
    },
    {
      name: 'is accepted with the signer’s address',
      input: certificate(SUBJECT, { envoy: WITH_SIGNER }),
      want: [],
    },
    {
      name: 'requires the keyring that is shared with the signer',
      input: certificate(SUBJECT, { grants: '' }),
      want: [at('', 'needs the keys that are shared with the signer: "certificateGrants"$')],
    },
    {
      name: 'requires the address of the signer where Envoy is configured',
      input: certificate(SUBJECT, { envoy: ENVOY }),
      want: [at('', 'needs to know where Envoy reaches the signer: "envoy.signerAddress"$')],
    },
    { name: 'requires a subject', input: certificate(''), want: [at('', 'needs a "subject"$')] },
    {
      name: 'refuses an empty subject',
      input: certificate('subject: {}'),
      want: [at('', 'needs a "subject"$')],
    },
    {
      name: 'requires a CA',
      input: withCa(''),
      want: [at(String.raw`\.ca`, 'required, but missing$')],
    },
    {
      name: 'refuses an invalid name of a CA',
      input: withCa('ca: "Kube!", '),
      want: [at(String.raw`\.ca`, 'must be 1 to 63 lower-case letters')],
    },
    {
      name: 'refuses unknown keys',
      input: also('subjectAltNames: {}'),
      want: [at(String.raw`\.subjectAltNames`, 'unknown key; did you mean "subjectAltName"\\?$')],
    },
    {
      name: 'reports all errors at once',
      input: certificate('lifetime: 1s', { grants: '', envoy: ENVOY }),
      want: [at(String.raw`\.lifetime`, 'must be 10s to 8760h$')],
    },
    {
      name: 'reports all missing keys at once',
      input: certificate('', { grants: '', envoy: ENVOY }),
      want: [
        at('', '.*"certificateGrants"'),
        at('', '.*"envoy.signerAddress"'),
        at('', 'needs a "subject"'),
      ],
    },
  ])
})

describe('the key certificateGrants.keyring', () => {
  checkAll([
    { name: 'is accepted where no route uses it', input: { grants: GRANTS }, want: [] },
    {
      name: 'is refused as a key in the configuration itself',
      input: { grants: `certificateGrants: { keyring: ${'A'.repeat(43)} }` },
      want: [/^certificateGrants\.keyring: must be a reference, "file:PATH" or "env:NAME"/],
    },
  ])
})

describe('the key envoy.signerAddress', () => {
  const address = (text: string): Sections => ({
    envoy: ENVOY.replace('listener:', `signerAddress: ${text}\n  listener:`),
  })
  checkAll([
    { name: 'accepts a UNIX socket', input: address('unix:signer.sock'), want: [] },
    {
      name: 'refuses a network address',
      input: address('127.0.0.1:9002'),
      want: [/^envoy\.signerAddress: must be "unix:PATH": the signer has no network$/],
    },
  ])
})

describe('the section delegate', () => {
  const delegate = (text: string, more: Sections = {}): Sections =>
    proving('[badge, staff]', certificate(`delegate: { ${text} }`, more))
  checkAll([
    { name: 'is accepted without a subject', input: delegate(''), want: [] },
    {
      name: 'is accepted without a subject, with a fallback',
      input: delegate(`fallback: { ${SUBJECT} }`),
      want: [],
    },
    {
      name: 'requires a subject with subject: override',
      input: delegate('subject: override'),
      want: [at('', 'needs a "subject"$')],
    },
    {
      name: 'is accepted with subject: override and a subject',
      input: proving('[badge]', certificate(`${SUBJECT}, delegate: { subject: override }`)),
      want: [],
    },
    {
      name: 'refuses fields that it would not use',
      input: proving('[badge]', also('delegate: {}')),
      want: [
        at(
          String.raw`\.subject`,
          'is not used: "delegate.subject" copies the caller’s; "override" it there$',
        ),
      ],
    },
    {
      name: 'is accepted next to an empty subject',
      input: proving('[badge]', certificate('subject: {}, delegate: {}')),
      want: [],
    },
    {
      name: 'requires a subject in its fallback',
      input: delegate('fallback: { keyUsage: [digitalSignature] }'),
      want: [at(String.raw`\.delegate\.fallback`, 'needs a "subject"$')],
    },
    {
      name: 'refuses keys in its fallback that are not fields of a certificate',
      input: delegate(`fallback: { ${SUBJECT}, lifetime: 1h, ca: x }`),
      want: [
        at(String.raw`\.delegate\.fallback\.lifetime`, 'unknown key$'),
        at(String.raw`\.delegate\.fallback\.ca`, 'unknown key$'),
      ],
    },
    {
      name: 'is accepted where Envoy requests client certificates',
      input: delegate('', { envoy: WITH_CLIENTS }),
      want: [],
    },
    {
      name: 'is refused where Envoy requests no client certificates',
      input: delegate('', { envoy: WITH_SIGNER }),
      want: [/^authenticators\.badge\.certificate: callers show no certificate/],
    },
    ...['[staff]', '[staff, guests]', '[{ all: [staff, guests] }]'].map((authenticate) => ({
      name: `is refused with an authenticator that proves no certificate: ${authenticate}`,
      input: asking(authenticate, certificate(`delegate: { fallback: { ${SUBJECT} } }`)),
      want: [at(String.raw`\.delegate`, 'copies a proven client certificate, and "authenticate"')],
    })),
    {
      name: 'is accepted with a certificate that is required together with a password',
      input: proving('[{ all: [staff, badge] }]', certificate('delegate: {}')),
      want: [],
    },
    {
      name: 'refuses subject: drop',
      input: delegate('subject: drop'),
      want: [at(String.raw`\.delegate\.subject`, 'must be one of')],
    },
    ...['subjectAltName', 'keyUsage', 'extendedKeyUsage', 'basicConstraints', 'policies'].map(
      (field) => ({
        name: `refuses ${field}: keep`,
        input: delegate(`${field}: keep`),
        want: [at(String.raw`\.delegate\.${field}`, 'must be one of')],
      }),
    ),
    ...Object.entries(EXTENSIONS).map(([name, oid]) => ({
      name: `refuses the extension ${name}, which has a key of its own or belongs to the signer`,
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

describe('a problem of the section certificate', () => {
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

  it('has line and column', () => {
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

  it('has line and column where two sections do not match', () => {
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

  it('has the path of its own route', () => {
    const routes = `
routes:
  - { name: a, authenticate: [staff], authorize: [{ allow: all }] }
  - { name: b, authenticate: [staff], authorize: [{ allow: all }], forward: { certificate: { ca: kube } } }`
    assert.deepEqual(problemsIn({ routes, grants: GRANTS }), [
      'routes[1].forward.certificate: needs a "subject"',
    ])
  })
})
