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

describe('an expression of a certificate is refused', () => {
  const EXPRESSIONS = ['subject: { CN: X }', 'subject: { CN: identity.user, O: X }']
  checkAll([
    ...EXPRESSIONS.map((text) => ({
      name: `with an unknown field in ${text}`,
      input: certificate(text.replace('X', 'identity.nme')),
      want: [at(String.raw`\.subject\.(CN|O)`, String.raw`No such key: nme \(at character 10\)$`)],
    })),
    ...['dns', 'uri', 'email', 'ip', 'upn'].map((kind) => ({
      name: `with an unknown variable in ${kind}`,
      input: also(`subjectAltName: { ${kind}: claims.email }`),
      want: [at(String.raw`\.subjectAltName\.${kind}`, 'Unknown variable: claims')],
    })),
    {
      name: 'with an error in an extension',
      input: also('extensions: { "1.2.3": { utf8String: "1" } }'),
      want: [
        at(String.raw`\.extensions\["1\.2\.3"\]\.utf8String`, 'yields int, where string or list'),
      ],
    },
    {
      name: 'where it does not yield a string',
      input: certificate('subject: { CN: size(identity.groups) }'),
      want: [at(String.raw`\.subject\.CN`, 'yields int, where string')],
    },
    {
      name: 'where it is a list in YAML',
      input: certificate('subject: { CN: [identity.user] }'),
      want: [at(String.raw`\.subject\.CN`, 'must be a text')],
    },
    {
      name: 'where it is empty',
      input: certificate('subject: { CN: "" }'),
      want: [at(String.raw`\.subject\.CN`, 'Unexpected token: EOF')],
    },
  ])
})

describe('an attribute of the subject', () => {
  checkAll([
    ...[...Object.keys(ATTRIBUTES), '2.5.4.999'].map((name) => ({
      name: `is accepted as ${name}`,
      input: certificate(`subject: { "${name}": identity.user }`),
      want: [],
    })),
    ...['cn', 'commonName', 'X', 'constructor', '2.5', '1.02.840.1'].map((name) => ({
      name: `is refused as ${name}`,
      input: certificate(`subject: { "${name}": identity.user }`),
      want: [at(String.raw`\.subject.*`, 'must be one of CN, SN, .*, or an OID$')],
    })),
  ])
})

describe('the key usages of a certificate', () => {
  checkAll([
    ...KEY_USAGES.filter((usage) => usage !== 'keyCertSign' && usage !== 'cRLSign').map(
      (usage) => ({
        name: `accept the usage ${usage}`,
        input: also(`keyUsage: [${usage}]`),
        want: [],
      }),
    ),
    ...['keyCertSign', 'cRLSign', 'digitalsignature'].map((usage) => ({
      name: `refuse ${usage}`,
      input: also(`keyUsage: [digitalSignature, ${usage}]`),
      want: [at(String.raw`\.keyUsage\[1\]`, 'must be one of')],
    })),
    {
      name: 'refuse empty lists',
      input: also('keyUsage: [], extendedKeyUsage: []'),
      want: [
        at(String.raw`\.keyUsage`, 'must (?:not be empty|be at least)'),
        at(String.raw`\.extendedKeyUsage`, 'must (?:not be empty|be at least)'),
      ],
    },
    ...[...Object.keys(PURPOSES), '1.3.6.1.4.1.99999.1'].map((purpose) => ({
      name: `accept the purpose ${purpose}`,
      input: also(`extendedKeyUsage: ["${purpose}"]`),
      want: [],
    })),
    ...['client', 'constructor', '1.3'].map((purpose) => ({
      name: `refuse the purpose ${purpose}`,
      input: also(`extendedKeyUsage: ["${purpose}"]`),
      want: [
        at(String.raw`\.extendedKeyUsage\[0\]`, 'must be one of any, serverAuth, .*, or an OID$'),
      ],
    })),
    {
      name: 'refuse policies other than OIDs',
      input: also('policies: [any]'),
      want: [at(String.raw`\.policies\[0\]`, 'must be an OID such as')],
    },
  ])
})

describe('a further extension of a certificate', () => {
  const extension = (text: string, oid = '1.2.3'): Sections =>
    also(`extensions: { "${oid}": { ${text} } }`)
  const EXACTLY_ONE = at(
    String.raw`\.extensions\["1\.2\.3"\]`,
    'must have exactly one of "utf8String" and "der"$',
  )
  checkAll([
    { name: 'is accepted as text', input: extension('utf8String: identity.user'), want: [] },
    { name: 'is accepted as DER', input: extension('der: BQA=, critical: true'), want: [] },
    { name: 'is refused without a value', input: extension('critical: true'), want: [EXACTLY_ONE] },
    {
      name: 'is refused with two values',
      input: extension('utf8String: identity.user, der: BQA='),
      want: [EXACTLY_ONE],
    },
    {
      name: 'is refused with DER that is not base64',
      input: extension('der: "05 00"'),
      want: [
        at(String.raw`\.extensions\["1\.2\.3"\]\.der`, 'must be a valid base64'),
        at(String.raw`\.extensions\["1\.2\.3"\]\.der`, 'must be one element of DER'),
      ],
    },
    {
      name: 'is refused with more or less than one element of DER',
      input: extension('der: BQAFAA=='),
      want: [at(String.raw`\.extensions\["1\.2\.3"\]\.der`, 'must be one element of DER$')],
    },
    {
      name: 'is refused without an OID',
      input: extension('der: BQA=', 'myExtension'),
      want: [at(String.raw`\.extensions\.myExtension`, 'must be an OID such as')],
    },
    ...Object.entries(EXTENSIONS).map(([name, oid]) => ({
      name: `is refused as ${name}, which the certificate has already`,
      input: extension('der: MAMBAf8=', oid),
      want: [
        at(String.raw`\.extensions\[.*\]`, 'has a field of its own, or is the signer’s to write$'),
      ],
    })),
  ])
})

describe('the times of a certificate', () => {
  checkAll([
    { name: 'are accepted from 10 s', input: also('lifetime: 10s, backdate: 0s'), want: [] },
    {
      name: 'are refused below 10 s',
      input: also('lifetime: 9999ms'),
      want: [at(String.raw`\.lifetime`, 'must be 10s to 8760h$')],
    },
    {
      name: 'are refused above a year',
      input: also('lifetime: 8761h, backdate: 25h'),
      want: [
        at(String.raw`\.lifetime`, 'must be 10s to 8760h$'),
        at(String.raw`\.backdate`, 'must be at most 24h$'),
      ],
    },
    {
      name: 'are refused where they are not durations',
      input: also('lifetime: 3600, backdate: -5m'),
      want: [
        at(String.raw`\.lifetime`, 'must be a duration'),
        at(String.raw`\.backdate`, 'must be a duration'),
      ],
    },
  ])
})
