// The bench works and says what it promises; how fast anything is, is not judged here.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { before, describe, it } from 'node:test'
import { promisify } from 'node:util'
import { z } from 'zod'
import { skipWithoutEnvoy } from '../servers/envoy.ts'
import { skipWithoutFreeRadius } from '../servers/freeradius.ts'
import { skipWithoutOpenssl } from '../servers/ocsp.ts'
import { skipWithoutSlapd } from '../servers/openldap.ts'
import { temporaryFolder } from '../servers/temporary.ts'
import { assertBounds, hostileSchema } from './hostile.ts'

const bench = join(import.meta.dirname, '../../bench/bench.ts')
const run = promisify(execFile)

const positive = z.number().positive()
const row = z.object({
  name: z.string(),
  requests: z.int().positive(),
  requestsPerSecond: positive,
  p50: positive,
  p90: positive,
  p99: positive,
  alone: positive,
  loadCpu: positive,
})
// zod's numbers are finite.
const authorizerRow = row.extend({ cpu: positive, ratio: positive, resident: positive })
const ofProcesses = z.object({ authz: z.number(), signer: z.number(), envoy: z.number() })
const memory = ofProcesses.extend({ envoyHeap: z.number() })
const minting = z.object({
  parts: z.object({
    open: positive,
    limits: positive,
    der: positive,
    sign: positive,
    verify: positive,
    pem: positive,
  }),
  issue: positive,
  key: positive,
  library: positive,
})
const certificatesSchema = z.object({
  warm: z.object({ direct: z.array(authorizerRow), envoy: z.array(authorizerRow) }),
  minting: z.object({ p256: minting, p384: minting, ed25519: minting, rsa2048: minting }),
  firstRequest: z
    .object({
      identities: z.int().positive(),
      p50: positive,
      p90: positive,
      p99: positive,
      max: positive,
      cpu: ofProcesses,
    })
    .optional(),
  live: z
    .object({
      identities: z.int().positive(),
      misattributed: z.literal(0),
      connections: z.int(),
      streams: z.int(),
      memory,
    })
    .optional(),
  targets: z.array(
    z.object({ name: z.string(), most: positive, measured: z.number(), met: z.boolean() }),
  ),
})
const policySchema = z.object({
  name: z.string(),
  rules: z.int().positive(),
  p50: positive,
  p99: positive,
  cpu: positive,
  ratio: positive,
  fresh: positive,
  reading: z.object({ parse: positive, yaml: positive, compile: positive }).optional(),
})
const skipped = z.object({ name: z.string(), reason: z.string().min(1) })
const resultsSchema = z.object({
  date: z.iso.datetime(),
  machine: z.object({ node: z.string(), cores: z.int().positive(), load: z.number() }),
  size: z.object({ rounds: z.int().positive(), concurrency: z.int().positive() }),
  rows: z.array(row.loose()),
  skipped: z.array(skipped),
  memory: z.object({ identities: z.int().positive(), heap: z.number() }),
  credentials: z.object({ rows: z.array(authorizerRow), skipped: z.array(skipped) }),
  certificates: certificatesSchema,
  policy: z.array(policySchema),
  hostile: hostileSchema,
})

const GRPC_ROWS = [
  'no-op over gRPC',
  'check over gRPC, Basic remembered',
  'check over gRPC, refused (no credential)',
  'check over gRPC, Basic not remembered (argon2id)',
]
const BARE_ROW = 'through Envoy, no ext_authz'
const ENVOY_ROWS = [BARE_ROW, 'through Envoy, no-op ext_authz', 'through Envoy, Countersign']

/** Rows of credentials of which nothing is cached, and of the other credentials, which have two rows each. */
const UNREMEMBERED = ['anonymous', 'API key']
const REMEMBERED = [
  'Basic, users file (argon2id)',
  'Basic, LDAP (OpenLDAP, TLS)',
  'Basic, RADIUS (FreeRADIUS, UDP)',
  'JWT, ES256',
  'JWT, EdDSA',
  'JWT, RS256',
  'JWT, PS256',
  'JWT, ES256, with DPoP proof',
  'opaque token, introspection',
  'service account, TokenReview',
  'client certificate',
  'client certificate, with a CRL',
  'client certificate, with an OCSP answer',
  'client certificate and JWT, ES256',
]
/** What may be missing on a machine, and whether it is. */
const SERVERS: Readonly<Record<string, () => string | false>> = {
  'Basic, LDAP (OpenLDAP, TLS)': skipWithoutSlapd,
  'Basic, RADIUS (FreeRADIUS, UDP)': skipWithoutFreeRadius,
  'client certificate, with an OCSP answer': skipWithoutOpenssl,
}

const skip = process.platform === 'linux' ? false : 'the bench reads /proc'
const withoutEnvoy = skip === false ? skipWithoutEnvoy() : skip

describe('npm run bench -- --quick --json FILE', { skip }, () => {
  let results: z.output<typeof resultsSchema>
  let table: string

  before(async () => {
    await using folder = await temporaryFolder()
    const file = folder.file('results.json')
    // Rejects with what the bench wrote when it ends with another status than 0.
    table = (await run(process.execPath, [bench, '--quick', '--json', file])).stdout
    results = resultsSchema.parse(JSON.parse(await readFile(file, 'utf8')))
  })

  const rowOf = (name: string): unknown => results.rows.find((candidate) => candidate.name === name)

  it('measures checks over gRPC, each relative to an empty server', () => {
    for (const name of GRPC_ROWS) authorizerRow.parse(rowOf(name))
    assert.equal(authorizerRow.parse(rowOf('no-op over gRPC')).ratio, 1)
  })

  it('measures requests through Envoy', { skip: withoutEnvoy }, () => {
    assert.deepEqual(results.skipped, [])
    for (const name of ENVOY_ROWS) {
      const wanted = name === BARE_ROW ? row : authorizerRow
      wanted.extend({ envoyCpu: positive }).parse(rowOf(name))
    }
  })

  it('measures checks with every kind of credential, cached and verified anew', () => {
    const { credentials } = results
    const missing = REMEMBERED.filter((name) => (SERVERS[name]?.() ?? false) !== false)
    assert.deepEqual(
      credentials.skipped.map(({ name }) => name),
      missing,
    )
    assert.deepEqual(
      credentials.rows.map(({ name }) => name),
      [
        ...UNREMEMBERED,
        ...REMEMBERED.filter((name) => !missing.includes(name)).flatMap((name) => [
          `${name}: known`,
          `${name}: proven anew`,
        ]),
      ],
    )
  })

  it('compares credentials with a check without any', () => {
    const [anonymous] = results.credentials.rows
    assert.equal(anonymous?.name, 'anonymous')
    assert.equal(anonymous.ratio, 1)
  })

  it('measures a check with a certificate relative to one with headers', () => {
    const [headers, certificate] = results.certificates.warm.direct
    assert.equal(headers?.name, 'check over gRPC, headers')
    assert.equal(headers.ratio, 1)
    assert.equal(certificate?.name, 'check over gRPC, certificate')
  })

  it('measures certificates through Envoy', { skip: withoutEnvoy }, () => {
    const { warm, firstRequest, live } = results.certificates
    assert.deepEqual(
      warm.envoy.map(({ name }) => name),
      ['through Envoy, headers', 'through Envoy, certificate'],
    )
    assert.ok(firstRequest !== undefined && live !== undefined)
    // Every identity has its own, whether or not some were renewed meanwhile.
    assert.ok(live.connections >= live.identities)
    assert.ok(live.streams >= live.identities)
  })

  it('measures many rules relative to three', () => {
    const [usual, ...many] = results.policy
    assert.equal(usual?.rules, 3)
    assert.equal(usual.ratio, 1)
    assert.ok(many.length >= 5)
    for (const { rules, reading } of many) {
      assert.equal(rules, 1_000)
      assert.ok(reading !== undefined)
    }
  })

  it('measures hostile clients, each within its limit', { skip: withoutEnvoy }, () => {
    assertBounds(results.hostile)
  })

  it('reports of every target whether it is met', () => {
    const { targets } = results.certificates
    assert.equal(targets.length, withoutEnvoy === false ? 5 : 2)
    for (const { name, measured, most, met } of targets) {
      assert.equal(met, measured <= most)
      assert.match(table, new RegExp(`^${RegExp.escape(name)} .* ${met ? 'met' : 'missed'}$`, 'm'))
    }
  })

  it('reports what it skipped and why', () => {
    const missing = ENVOY_ROWS.filter((name) => rowOf(name) === undefined)
    assert.deepEqual(
      results.skipped.map(({ name }) => name),
      missing,
    )
  })

  it('prints a line for every row', () => {
    const { warm } = results.certificates
    const { credentials, policy, hostile } = results
    for (const { name } of [
      ...results.rows,
      ...credentials.rows,
      ...warm.direct,
      ...warm.envoy,
      ...policy,
      ...hostile.rows,
    ])
      assert.match(table, new RegExp(`^${RegExp.escape(name)} `, 'm'))
  })
})

describe('npm run bench with unusable arguments', { skip }, () => {
  const cases = [
    { name: 'two amounts of measurements', args: ['--requests', '5', '--seconds', '5'] },
    { name: 'a value that is not a number', args: ['--requests', '5x'] },
    { name: 'an unknown option', args: ['--fast'] },
    { name: 'half a measurement', args: ['--only', 'everything'] },
  ]
  for (const { name, args } of cases) {
    it(`ends with status 1 for ${name}`, async () => {
      await assert.rejects(run(process.execPath, [bench, ...args]), { code: 1 })
    })
  }
})
