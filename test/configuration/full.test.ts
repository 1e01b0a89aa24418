// The configuration that uses every key: it parses, it leaves none out, and nothing in it can be
// changed afterwards.

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { parse as parseYamlText, stringify } from 'yaml'
import { z } from 'zod'
import { parseConfig } from '../../src/configuration/parse.ts'
import { configSchema, type Config } from '../../src/configuration/schema.ts'
import { identityOf } from '../fakes/identity.ts'

const FILE = join(import.meta.dirname, 'full.yaml')
const text = await readFile(FILE, 'utf8')
const statesText = await readFile(join(import.meta.dirname, 'full-states.yaml'), 'utf8')

const parse = (): Config => {
  const result = parseConfig(FILE, text)
  assert.ok(result.ok, JSON.stringify(result))
  return result.config
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const asRecord = (value: unknown): Record<string, unknown> => (isRecord(value) ? value : {})

const asList = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])

/** The paths of all keys that a JSON Schema knows, `[]` for entries of lists and records. */
const keysOf = (schema: unknown, path = ''): readonly string[] => {
  if (!isRecord(schema)) return []
  const { properties, items, additionalProperties, anyOf } = schema
  return [
    ...Object.entries(isRecord(properties) ? properties : {}).flatMap(([key, inner]) => [
      `${path}.${key}`,
      ...keysOf(inner, `${path}.${key}`),
    ]),
    ...keysOf(items, `${path}[]`),
    ...keysOf(additionalProperties, `${path}[]`),
    ...asList(anyOf).flatMap((branch) => keysOf(branch, path)),
  ]
}

const states = asList(parseYamlText(statesText))

/** The value at such a path. */
const valuesAt = (value: unknown, path: string): readonly unknown[] =>
  path
    .split(/(?=\[\])|\./)
    .filter((step) => step !== '')
    .reduce<readonly unknown[]>(
      (values, step) =>
        values.flatMap((one) => {
          if (step === '[]') return isRecord(one) ? Object.values(one) : asList(one)
          return isRecord(one) && step in one ? [one[step]] : []
        }),
      [value],
    )

const isFrozen = (value: unknown): boolean =>
  typeof value !== 'object' ||
  value === null ||
  (Object.isFrozen(value) && Object.values(value).every(isFrozen))

describe('the full configuration', () => {
  it('has every key of the schema', () => {
    const keys = keysOf(z.toJSONSchema(configSchema, { io: 'input' }))
    assert.ok(keys.length > 60)
    const documents = [parseYamlText(text), ...states.map((state) => ({ state }))]
    const missing = keys.filter((key) =>
      documents.every((document) => valuesAt(document, key).length === 0),
    )
    assert.deepEqual(missing, [])
  })

  it('is accepted with every other kind of state', () => {
    const kinds = states.map((state) => {
      // Several workers need a state that they share.
      const workers = 'memory' in asRecord(state) ? 1 : 2
      const document = stringify({ ...asRecord(parseYamlText(text)), state, workers })
      const result = parseConfig(FILE, document)
      assert.ok(result.ok, JSON.stringify(result))
      return result.config.state
    })
    const inFolder = (name: string) => join(import.meta.dirname, name)
    assert.deepEqual(kinds, [
      { memory: {} },
      { sqlite: { file: inFolder('state/state.db'), maxBytes: 1_073_741_824 } },
      {
        sqlite: {
          file: inFolder('state.db'),
          secret: { kind: 'environment', variable: 'STATE_KEYS' },
          maxBytes: 1_048_576,
        },
      },
    ])
  })

  it('is deeply frozen', () => {
    const config = parse()
    assert.ok(isFrozen(config))
    assert.throws(() => Object.assign(config.audit, { query: 'full' }), TypeError)
  })

  it('has times in milliseconds, and paths relative to its folder', () => {
    const { listen, authenticators, audit, envoy } = parse()
    const { folder } = { folder: import.meta.dirname }
    assert.equal(authenticators['staff']?.basic?.cacheTtl, 300_000)
    assert.equal(envoy?.authzTimeout, 500)
    assert.equal(envoy.listener.streamIdleTimeout, 7_200_000)
    assert.equal(audit.file, join(folder, 'log/audit.jsonl'))
    assert.deepEqual(listen.authz, {
      address: { kind: 'tcp', host: '0.0.0.0', port: 9001 },
      tls: {
        certificate: join(folder, 'authz.pem'),
        key: { kind: 'file', path: join(folder, 'authz.key') },
        clientCa: join(folder, 'envoy-ca.pem'),
      },
      plaintext: false,
      mode: '0600',
      server: 'grpc-js',
    })
    assert.deepEqual(envoy.admin, { kind: 'unix', path: join(folder, 'run/admin.sock') })
    assert.deepEqual(envoy.listener.address, { kind: 'tcp', host: '::', port: 8443 })
  })

  it('has a certificate, with names in place of OIDs', () => {
    const { certificate } = parse().routes[0]?.forward ?? {}
    assert.ok(certificate?.delegate?.fallback !== undefined)
    const { subject, extensions, lifetime, backdate, extendedKeyUsage, delegate } = certificate
    assert.deepEqual({ lifetime, backdate }, { lifetime: 28_800_000, backdate: 60_000 })
    assert.deepEqual(extendedKeyUsage, ['1.3.6.1.5.5.7.3.2', '1.3.6.1.4.1.99999.1'])
    assert.deepEqual(delegate.fallback?.extendedKeyUsage, ['1.3.6.1.5.5.7.3.4'])
    // In the order of the file: that of the attributes in the subject.
    assert.deepEqual(Object.keys(subject ?? {}), ['CN', 'O', '2.5.4.999'])
    assert.deepEqual(Object.keys(extensions), ['1.3.6.1.4.1.99999.3', '1.3.6.1.4.1.99999.4'])
    const { utf8String } = extensions['1.3.6.1.4.1.99999.3'] ?? {}
    assert.deepEqual(utf8String?.evaluate({ identity: identityOf() }), ['staff'])
  })

  it('is the same when it is parsed from another folder', () => {
    const elsewhere = parseConfig('/etc/countersign.yaml', text)
    assert.ok(elsewhere.ok)
    const moved: unknown = JSON.parse(
      JSON.stringify(parse()).replaceAll(import.meta.dirname, '/etc'),
    )
    assert.deepEqual(JSON.parse(JSON.stringify(elsewhere.config)), moved)
  })
})

describe('a minimal configuration', () => {
  const least = `
version: 1
listen: { authz: unix:run/authz.sock }
authenticators: { staff: { basic: { verify: [{ users: { file: users.yaml } }] } } }
routes: [{ name: app, authenticate: [staff], authorize: [{ allow: all }] }]
`
  it('has safe defaults for all other keys', () => {
    const result = parseConfig('/etc/countersign.yaml', least)
    assert.ok(result.ok)
    assert.deepEqual(JSON.parse(JSON.stringify(result.config)), {
      version: 1,
      workers: 1,
      limits: { targetBytes: 8_192, headerBytes: 65_536, headerLines: 128, parameters: 256 },
      credentialCache: { maxBytes: 67_108_864 },
      listen: {
        authz: {
          address: { kind: 'unix', path: '/etc/run/authz.sock' },
          plaintext: false,
          mode: '0660',
          server: 'built-in',
        },
      },
      authenticators: {
        staff: {
          basic: {
            realm: 'Countersign',
            verify: [{ users: { file: '/etc/users.yaml' } }],
            cacheTtl: 60_000,
            bruteForceProtection: {
              userAndSource: {
                attempts: 5,
                backOff: 1_000,
                lockAfter: 10,
                lockFor: 900_000,
                decay: 900_000,
              },
              user: {
                attempts: 20,
                backOff: 1_000,
                lockAfter: 30,
                lockFor: 3_600_000,
                decay: 3_600_000,
              },
              source: {
                attempts: 30,
                backOff: 1_000,
                lockAfter: 36,
                lockFor: 900_000,
                decay: 120_000,
              },
              familiar: 2_592_000_000,
              repeats: { cacheTtl: 30_000, countInterval: 3_600_000 },
              ipv6Prefix: 64,
            },
          },
          allowReserved: [],
        },
      },
      routes: [
        {
          name: 'app',
          match: { hosts: ['*'], paths: ['/**'], ambiguousPaths: 'refuse' },
          kind: 'http',
          authenticate: ['staff'],
          authorize: [{ allow: 'all', shadow: false }],
          forward: {
            headers: [],
            certificateHeaders: { contents: 'pem', missing: 'refuse' },
            set: {},
            passthrough: false,
            allowReserved: [],
            maxHeaderBytes: 61_440,
          },
          onAuditFailure: 'deny',
        },
      ],
      audit: {
        query: 'names',
        unauthenticated: {
          source: { burst: 1_048_576, perSecond: 2_048 },
          total: { burst: 16_777_216, perSecond: 16_384 },
          summaryInterval: 30_000,
        },
        spool: { maxBytes: 1_073_741_824, whenFull: 'refuse' },
      },
      state: { memory: {} },
      log: { level: 'info' },
      tests: [],
    })
  })
})

describe('a minimal certificate section', () => {
  const least = `
version: 1
listen: { authz: unix:run/authz.sock }
authenticators: { staff: { basic: { verify: [{ users: { file: users.yaml } }] } } }
certificateGrants: { keyring: file:grant.keys }
routes:
  - name: app
    authenticate: [staff]
    authorize: [{ allow: all }]
    forward: { certificate: { ca: kube, subject: { CN: identity.user } } }
`
  const parts = {
    subjectAltName: {},
    keyUsage: ['digitalSignature'],
    extendedKeyUsage: ['1.3.6.1.5.5.7.3.2'],
    basicConstraints: true,
    policies: [],
    extensions: {},
  }
  const certificateIn = (source: string): unknown => {
    const result = parseConfig('/etc/countersign.yaml', source)
    assert.ok(result.ok, JSON.stringify(result))
    return JSON.parse(JSON.stringify(result.config.routes[0]?.forward.certificate))
  }

  it('is for clients, for an hour, without reserved names', () => {
    assert.deepEqual(certificateIn(least), {
      ca: 'kube',
      subject: { CN: { source: 'identity.user' } },
      ...parts,
      lifetime: 3_600_000,
      backdate: 300_000,
      allowReserved: [],
    })
  })

  it('with delegate copies every field except policies and further extensions', () => {
    const copying = least
      .replace('subject: { CN: identity.user }', 'delegate: {}')
      .replace(
        'basic: { verify: [{ users: { file: users.yaml } }] }',
        'certificate: { trust: ca.pem }',
      )
    assert.deepEqual(certificateIn(copying), {
      ca: 'kube',
      ...parts,
      lifetime: 3_600_000,
      backdate: 300_000,
      allowReserved: [],
      delegate: {
        subject: 'copy',
        subjectAltName: 'copy',
        keyUsage: 'copy',
        extendedKeyUsage: 'copy',
        basicConstraints: 'copy',
        policies: 'drop',
        extensions: [],
      },
    })
  })
})
