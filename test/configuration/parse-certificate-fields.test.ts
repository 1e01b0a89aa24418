// The fields of `forward.certificate`: what each may say and what it may not.

import { describe } from 'node:test'
import { KEY_USAGES } from '../../src/x509/extensions.ts'
import { ATTRIBUTES, EXTENSIONS, PURPOSES } from '../../src/x509/oid.ts'
import { checkAll, type Sections } from './sections.ts'

/** One route that forwards such a certificate. */
const certificate = (text: string): Sections => ({
  routes: `routes: [{ name: app, authenticate: [staff], authorize: [{ allow: all }], forward: { certificate: { ca: kube, ${text} } } }]`,
  grants: 'certificateGrants: { keyring: file:grant.keys }',
})

/** A certificate that fits, and this. */
const also = (text: string): Sections => certificate(`subject: { CN: identity.user }, ${text}`)

const at = (path: string, message: string): RegExp =>
  new RegExp(String.raw`^routes\[0\]\.forward\.certificate${path}: ${message}`)

describe('an expression', () => {
  const EXPRESSIONS = ['subject: { CN: X }', 'subject: { CN: identity.user, O: X }']
  checkAll([
    ...EXPRESSIONS.map((text) => ({
      name: `in ${text}`,
      input: certificate(text.replace('X', 'identity.nme')),
      want: [at(String.raw`\.subject\.(CN|O)`, String.raw`No such key: nme \(at character 10\)$`)],
    })),
    ...['dns', 'uri', 'email', 'ip', 'upn'].map((kind) => ({
      name: `of a name: ${kind}`,
      input: also(`subjectAltName: { ${kind}: claims.email }`),
      want: [at(String.raw`\.subjectAltName\.${kind}`, 'Unknown variable: claims')],
    })),
    {
      name: 'of an extension',
      input: also('extensions: { "1.2.3": { utf8String: "1" } }'),
      want: [
        at(String.raw`\.extensions\["1\.2\.3"\]\.utf8String`, 'yields int, where string or list'),
      ],
    },
    {
      name: 'of no text',
      input: certificate('subject: { CN: size(identity.groups) }'),
      want: [at(String.raw`\.subject\.CN`, 'yields int, where string')],
    },
    {
      name: 'of YAML and not of CEL',
      input: certificate('subject: { CN: [identity.user] }'),
      want: [at(String.raw`\.subject\.CN`, '.*expected string')],
    },
    {
      name: 'that is empty',
      input: certificate('subject: { CN: "" }'),
      want: [at(String.raw`\.subject\.CN`, 'Unexpected token: EOF')],
    },
  ])
})

describe('an attribute of the subject', () => {
  checkAll([
    ...[...Object.keys(ATTRIBUTES), '2.5.4.999'].map((name) => ({
      name: `may be ${name}`,
      input: certificate(`subject: { "${name}": identity.user }`),
      want: [],
    })),
    ...['cn', 'commonName', 'X', 'constructor', '2.5', '1.02.840.1'].map((name) => ({
      name: `cannot be ${name}`,
      input: certificate(`subject: { "${name}": identity.user }`),
      want: [at(String.raw`\.subject.*`, 'must be one of CN, SN, .*, or an OID$')],
    })),
  ])
})

describe('usages', () => {
  checkAll([
    ...KEY_USAGES.filter((usage) => usage !== 'keyCertSign' && usage !== 'cRLSign').map(
      (usage) => ({
        name: `may be ${usage}`,
        input: also(`keyUsage: [${usage}]`),
        want: [],
      }),
    ),
    ...['keyCertSign', 'cRLSign', 'digitalsignature'].map((usage) => ({
      name: `are never ${usage}`,
      input: also(`keyUsage: [digitalSignature, ${usage}]`),
      want: [at(String.raw`\.keyUsage\[1\]`, 'Invalid option')],
    })),
    {
      name: 'are some',
      input: also('keyUsage: [], extendedKeyUsage: []'),
      want: [
        at(String.raw`\.keyUsage`, 'Too small'),
        at(String.raw`\.extendedKeyUsage`, 'Too small'),
      ],
    },
    ...[...Object.keys(PURPOSES), '1.3.6.1.4.1.99999.1'].map((purpose) => ({
      name: `may be for ${purpose}`,
      input: also(`extendedKeyUsage: ["${purpose}"]`),
      want: [],
    })),
    ...['client', 'constructor', '1.3'].map((purpose) => ({
      name: `are not for ${purpose}`,
      input: also(`extendedKeyUsage: ["${purpose}"]`),
      want: [
        at(String.raw`\.extendedKeyUsage\[0\]`, 'must be one of any, serverAuth, .*, or an OID$'),
      ],
    })),
    {
      name: 'are under policies by OID',
      input: also('policies: [any]'),
      want: [at(String.raw`\.policies\[0\]`, 'must be an OID such as')],
    },
  ])
})

describe('a further extension', () => {
  const extension = (text: string, oid = '1.2.3'): Sections =>
    also(`extensions: { "${oid}": { ${text} } }`)
  const EXACTLY_ONE = at(
    String.raw`\.extensions\["1\.2\.3"\]`,
    'must have exactly one of "utf8String" and "der"$',
  )
  checkAll([
    { name: 'may be text', input: extension('utf8String: identity.user'), want: [] },
    { name: 'may be DER', input: extension('der: BQA=, critical: true'), want: [] },
    { name: 'is something', input: extension('critical: true'), want: [EXACTLY_ONE] },
    {
      name: 'is not both',
      input: extension('utf8String: identity.user, der: BQA='),
      want: [EXACTLY_ONE],
    },
    {
      name: 'is DER in base64',
      input: extension('der: "05 00"'),
      want: [
        at(String.raw`\.extensions\["1\.2\.3"\]\.der`, 'Invalid base64'),
        at(String.raw`\.extensions\["1\.2\.3"\]\.der`, 'must be one element of DER'),
      ],
    },
    {
      name: 'is one element of DER, and whole',
      input: extension('der: BQAFAA=='),
      want: [at(String.raw`\.extensions\["1\.2\.3"\]\.der`, 'must be one element of DER$')],
    },
    {
      name: 'has an OID',
      input: extension('der: BQA=', 'myExtension'),
      want: [at(String.raw`\.extensions\.myExtension`, 'must be an OID such as')],
    },
    ...Object.entries(EXTENSIONS).map(([name, oid]) => ({
      name: `is never ${name}, which would be there twice`,
      input: extension('der: MAMBAf8=', oid),
      want: [
        at(String.raw`\.extensions\[.*\]`, 'has a field of its own, or is the signer’s to write$'),
      ],
    })),
  ])
})

describe('times', () => {
  checkAll([
    { name: 'may be short', input: also('lifetime: 10s, backdate: 0s'), want: [] },
    {
      name: 'may not be shorter',
      input: also('lifetime: 9999ms'),
      want: [at(String.raw`\.lifetime`, 'must be 10s to 8760h$')],
    },
    {
      name: 'may not be longer than a year',
      input: also('lifetime: 8761h, backdate: 25h'),
      want: [
        at(String.raw`\.lifetime`, 'must be 10s to 8760h$'),
        at(String.raw`\.backdate`, 'must be at most 24h$'),
      ],
    },
    {
      name: 'are durations',
      input: also('lifetime: 3600, backdate: -5m'),
      want: [
        at(String.raw`\.lifetime`, '.*expected string'),
        at(String.raw`\.backdate`, 'must be a duration'),
      ],
    },
  ])
})
