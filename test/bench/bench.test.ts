// The bench works, prints what it promises, and finds no bound of a ratio exceeded.
//
// Alone: rows of a quick run take parts of a second, and their ratios differ when the caches of the CPU are shared.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { before, describe, it } from 'node:test'
import { promisify } from 'node:util'
import { z } from 'zod'
import { AGED } from '../../bench/checks/aged.ts'
import { SCENARIOS } from '../../bench/checks/direct.ts'
import { ENVOY_SCENARIOS, WITHOUT_AUTHORIZER } from '../../bench/checks/through-envoy.ts'
import { machineSchema } from '../../bench/machine.ts'
import { skipWithoutEnvoy } from '../servers/envoy.ts'
import { skipWithoutFreeRadius } from '../servers/freeradius.ts'
import { skipWithoutOpenssl } from '../servers/ocsp.ts'
import { skipWithoutSlapd } from '../servers/openldap.ts'
import { temporaryFolder } from '../servers/temporary.ts'
import { assertBounds, hostileSchema } from './hostile.ts'
import { authorizerRow, certificatesSchema, knownRow, positive, row } from './rows.ts'

const bench = join(import.meta.dirname, '../../bench/bench.ts')
const run = promisify(execFile)

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
  machine: machineSchema,
  size: z.object({ rounds: z.int().positive(), concurrency: z.int().positive() }),
  checks: z.object({ rows: z.array(row.loose()), missing: z.array(skipped) }),
  start: z.array(z.object({ name: z.string(), wall: positive, cpu: positive, resident: positive })),
  processes: z.array(authorizerRow),
  aging: z.object({
    rows: z.array(authorizerRow),
    resident: z.object({ before: positive, after: positive, fresh: positive }),
  }),
  reloads: z.object({
    rows: z.array(
      z.object({ name: z.string(), longest: positive, p99: positive, reload: positive }),
    ),
    failed: z.array(skipped),
  }),
  memory: z.object({ identities: z.int().positive(), heap: z.number() }),
  credentials: z.object({ rows: z.array(knownRow), skipped: z.array(skipped) }),
  certificates: certificatesSchema,
  policy: z.array(policySchema),
  hostile: hostileSchema,
})

const OWN_SERVERS = [
  'no-op on the built-in server',
  'no-op on grpc-js',
  'Countersign',
  'Countersign on grpc-js',
]
const GO_SERVERS = ['no-op on grpc-go', 'grpc-go, ES256 by golang-jwt']

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

  /** The row of a scenario and a server. */
  const rowOf = (scenario: string, server: string): unknown =>
    results.checks.rows.find(({ name }) => name === `${scenario}: ${server}`)

  const isMissing = (server: string): boolean =>
    results.checks.missing.some(({ name }) => name === server)

  it('measures checks over gRPC in every scenario, each relative to an empty server', () => {
    for (const scenario of Object.values(SCENARIOS)) {
      authorizerRow.parse(rowOf(scenario, 'Countersign'))
    }
    const servers = isMissing('no-op on grpc-go') ? OWN_SERVERS : [...OWN_SERVERS, ...GO_SERVERS]
    const ratios = servers.map((server) => authorizerRow.parse(rowOf(SCENARIOS.same, server)).ratio)
    assert.ok(ratios.includes(1))
  })

  it('measures a process that has reloaded many times, next to a fresh one', () => {
    for (const scenario of [SCENARIOS.same, SCENARIOS.many]) {
      authorizerRow.parse(rowOf(scenario, AGED))
    }
  })

  it('sends on schedule what is due', () => {
    const { requestsPerSecond } = row.parse(rowOf(SCENARIOS.pacedMany, 'Countersign'))
    assert.ok(requestsPerSecond <= 1_000)
  })

  it('measures requests through Envoy', { skip: withoutEnvoy }, () => {
    for (const scenario of Object.values(ENVOY_SCENARIOS)) {
      for (const server of Object.values(WITHOUT_AUTHORIZER)) {
        row.extend({ envoyCpu: positive }).parse(rowOf(scenario, server))
      }
      const sameAnswer = 'no-op on grpc-go, the answer of Countersign'
      for (const server of isMissing(sameAnswer) ? OWN_SERVERS : [...OWN_SERVERS, sameAnswer]) {
        authorizerRow.extend({ envoyCpu: positive }).parse(rowOf(scenario, server))
      }
    }
  })

  it('measures several processes relative to one', () => {
    assert.deepEqual(
      results.processes.map(({ name }) => name),
      [
        '2,000/s: one process',
        '2,000/s each: 2 processes',
        'saturated: one process',
        'saturated: 2 processes',
      ],
    )
    const [one, two] = results.processes
    assert.equal(one?.ratio, 1)
    assert.ok(two !== undefined && two.requestsPerSecond > one.requestsPerSecond)
  })

  it('measures reloads of long rules, users files and CRLs', () => {
    assert.equal(results.reloads.rows.length, 4)
    assert.deepEqual(results.reloads.failed, [])
  })

  it('measures the bundle: its starts, and that it is smaller than the source', () => {
    assert.equal(results.machine.versions['program'], 'bundle')
    assert.deepEqual(
      results.start.map(({ name }) => name),
      ['first start', 'later starts'],
    )
    // From the source it is 120 MB and more, of which Node's stripping of types takes some.
    for (const { resident } of results.start) assert.ok(resident < 110e6, `${resident}`)
  })

  it('measures a process that worked for a while next to a fresh one', () => {
    assert.deepEqual(
      results.aging.rows.map(({ name }) => name),
      ['aged', 'fresh'],
    )
  })

  it('prints the bounds, all of which are kept', () => {
    assert.match(table, / kept$/m)
    assert.doesNotMatch(table, / EXCEEDED$/m)
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

  it('reports what is missing and why', () => {
    for (const { name, reason } of results.checks.missing) {
      assert.ok(table.includes(`${name}: not measured, ${reason}`))
    }
  })

  it('prints a line for every row', () => {
    const { warm } = results.certificates
    const { checks, credentials, policy, hostile } = results
    for (const { name } of [
      ...checks.rows.map(({ name: own }) => ({ name: own.split(': ')[1] ?? own })),
      ...credentials.rows,
      ...warm.direct,
      ...warm.envoy,
      ...policy,
      ...results.processes,
      ...results.reloads.rows,
      ...hostile.rows,
    ])
      assert.match(table, new RegExp(`^${RegExp.escape(name)} `, 'm'))
  })
})

describe('npm run bench with unusable arguments', { skip }, () => {
  const cases = [
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
