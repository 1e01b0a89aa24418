// A configuration whose routes look at as much as any can before the client has proven an identity, and what one check
// by it takes.

import { copyFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { stringify } from 'yaml'
import type { DecisionEvent } from '../../../src/audit/event.ts'
import { JsonLinesSink } from '../../../src/audit/sink.ts'
import { respond } from '../../../src/check/answer/response.ts'
import { check } from '../../../src/check/check.ts'
import { decodeCheckRequest, encodeCheckResponse } from '../../../src/check/codec.ts'
import type { Refusal } from '../../../src/check/answer/public-refusal.ts'
import { describeDecision } from '../../../src/check/record.ts'
import { processResources } from '../../../src/check/resources.ts'
import { buildSnapshot } from '../../../src/check/snapshot.ts'
import { ConfigurationFiles } from '../../../src/config/files.ts'
import { systemClock } from '../../../src/runtime/clock.ts'
import { makeAuthority, pemOf } from '../../pki/making.ts'
import { jwksOf, makeKey } from '../../authenticate/bearer/issuing.ts'
import { cpuTime } from '../../fakes/cpu-time.ts'
import { messageOf } from '../../fakes/envoy-client.ts'
import type { RequestParts } from '../../fakes/envoy.ts'
import { cheapHash } from '../../fakes/hashes.ts'
import { memoryLogger } from '../../fakes/logger.ts'
import { madeKey } from '../../fakes/signing-keys.ts'
import { writeSigningKeys } from '../../servers/signing-keys.ts'
import { temporaryFolder, type TemporaryFolder } from '../../servers/temporary.ts'

const DENIES = 200

const AUTHENTICATORS = {
  browser: { session: {} },
  keys: {
    apiKey: {
      file: 'api-keys.yaml',
      locations: [
        { query: 'api_key' },
        { header: 'X-Api-Key' },
        { header: 'Authorization', scheme: 'ApiKey' },
      ],
    },
  },
  tokens: {
    bearer: {
      issuer: 'https://issuer.example.org',
      audiences: ['app'],
      keys: { file: 'keys.json' },
      dpop: {},
    },
  },
  staff: { basic: { verify: [{ users: { file: 'users.yaml' } }] } },
  proxied: {
    certificate: { trust: 'ca.pem', from: 'x-forwarded-client-cert', element: 'last' },
  },
  certified: { certificate: { trust: 'ca.pem', from: 'client-cert' } },
  nobody: { anonymous: {} },
}

const EVERYBODY = ['browser', 'keys', 'tokens', 'staff', 'proxied']

const denies = Array.from({ length: DENIES }, (_, n) => ({
  deny: `no-${n}`,
  paths: [`/area-${n}/**/secrets/*`, `/*/area-${n}*x*y`],
}))

const hosts = ['app.example.org']

const ROUTES = [
  // Paths of the routes below could be of these to servers that read carelessly.
  {
    name: 'admin',
    match: { hosts, paths: ['/admin', '/admin/**', '/**/über-*-uns/**'] },
    authenticate: EVERYBODY,
  },
  {
    name: 'public',
    match: { hosts, paths: ['/public/**'] },
    authenticate: ['nobody'],
    authorize: [
      ...denies,
      {
        deny: 'patterns',
        when: 'request.path.matches("^/public/[a-z]+/[0-9]+/edit$") || request.query.exists(name, name.startsWith("debug-"))',
      },
      { allow: 'all' },
    ],
  },
  {
    name: 'specified',
    match: { hosts, paths: ['/v1.53/**'] },
    authenticate: ['nobody'],
    openapi: { file: 'openapi.yaml' },
  },
  {
    name: 'kubernetes',
    kind: 'kubernetes',
    match: { hosts, paths: ['/api/**', '/apis/**'] },
    authenticate: ['nobody'],
    authorize: [...denies, { allow: 'all' }],
  },
  {
    name: 'certified',
    match: { hosts, paths: ['/certified/**'] },
    authenticate: ['certified', 'staff'],
  },
  { name: 'app', match: { hosts }, authenticate: EVERYBODY },
]

const CONFIGURATION = {
  version: 1,
  listen: { authz: 'unix:authz.sock', issuer: 'unix:issuer.sock' },
  issuer: {
    url: 'https://id.example.org',
    keys: 'signing-keys',
    login: { authenticators: ['staff'] },
  },
  authenticators: AUTHENTICATORS,
  routes: ROUTES.map((route) => ({
    authorize: [{ allow: 'all' }],
    forward: { headers: 'kubernetes' },
    ...route,
  })),
  audit: { file: 'audit.jsonl', query: 'full' },
}

/** What one kind of request costs. */
interface Cost {
  readonly reason: Refusal | 'permitted'
  /** CPU time of one check, in milliseconds, in the best of some batches: a busy machine slows the rest. */
  readonly ms: number
  /** Bytes of its audit event. */
  readonly auditBytes: number
}

/** Judges requests. */
export interface Site extends AsyncDisposable {
  /** Decides once. */
  decide(parts: RequestParts): Promise<Pick<Cost, 'reason' | 'auditBytes'>>
  /** Decides many times. */
  costOf(parts: RequestParts): Promise<Cost>
}

// The kernel may count CPU time in ticks of 4 ms: so many checks are measured at a time.
const BATCH = 25
const BATCHES = 5
/** On a busy machine. */
const MOST_BATCHES = 50

/** Builds the configuration. */
export const startSite = async (): Promise<Site> => {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await temporaryFolder())
  await writeFiles(folder)
  const resources = stack.use(processResources(systemClock, memoryLogger().logger))
  const config = folder.file('countersign.yaml')
  const snapshot = stack.use(await buildSnapshot(config, new ConfigurationFiles(), resources))
  const audit = stack.use(new JsonLinesSink('/dev/null'))
  const signal = new AbortController().signal

  // As check/service.ts does it, without the connection.
  const answer = async (
    bytes: Buffer,
  ): Promise<{ reason: Cost['reason']; event: DecisionEvent }> => {
    const decision = await check(decodeCheckRequest(bytes), snapshot, signal)
    const event = describeDecision(decision, snapshot, {
      id: '00000000-0000-0000-0000-000000000000',
      generation: 1,
      duration: 0,
    })
    void audit.write(event)
    encodeCheckResponse(respond(event.id, decision, systemClock.now()))
    return { reason: decision.reason, event }
  }
  const decide: Site['decide'] = async (parts) => {
    const { reason, event } = await answer(messageOf(parts))
    return { reason, auditBytes: Buffer.byteLength(JSON.stringify(event)) }
  }
  const running = stack.move()
  return {
    decide,
    async costOf(parts) {
      const bytes = messageOf(parts)
      let ms = Infinity
      // The least of them: other processes of the machine add to a batch.
      for (let batch = 0; batch < BATCHES || (ms > 1 && batch < MOST_BATCHES); batch++) {
        const started = cpuTime()
        for (let round = 0; round < BATCH; round++) await answer(bytes)
        ms = Math.min(ms, (cpuTime() - started) / BATCH)
      }
      return { ...(await decide(parts)), ms }
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  }
}

const writeFiles = async (folder: TemporaryFolder): Promise<void> => {
  await writeSigningKeys(folder.file('signing-keys'), [await madeKey('ES256')])
  const files = {
    'users.yaml': `users: { alice: { password: '${await cheapHash('secret')}' } }`,
    'api-keys.yaml': 'keys: {}',
    'keys.json': jwksOf(await makeKey('ES256', 'k')),
    'ca.pem': pemOf(makeAuthority({ subject: 'root' })),
    'countersign.yaml': stringify(CONFIGURATION),
  }
  for (const [name, text] of Object.entries(files)) {
    await writeFile(folder.file(name), text)
  }
  await copyFile(
    join(import.meta.dirname, '../../fixtures/openapi/docker-engine-1.53.yaml'),
    folder.file('openapi.yaml'),
  )
}
