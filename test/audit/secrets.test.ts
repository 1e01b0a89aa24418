// Invariant: a password appears in no audit event, no log line and no answer, whatever the outcome of
// the request that carries it.

import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import type { Reason } from '../../src/audit/event.ts'
import { PUBLIC_ANSWERS } from '../../src/check/answer/public-answers.ts'
import { startAuthzCommand } from '../cli/run.ts'
import { basic, type RequestParts } from '../fakes/envoy.ts'
import { EnvoyClient, messageOf } from '../fakes/envoy-client.ts'
import { fakeAuthenticator } from '../fakes/authenticator.ts'
import { cheapHash } from '../fakes/hashes.ts'
import { brokenVerifier, FakeVerifier } from '../fakes/password-verifier.ts'
import type { RouteParts } from '../fakes/route.ts'
import { REJECTIONS } from '../fakes/rejections.ts'
import { startRoute } from '../fakes/service.ts'
import { basicAuthenticator } from '../../src/authenticate/password/authenticator.ts'
import { CredentialCache } from '../../src/authenticate/credential-cache.ts'
import { unguarded } from '../../src/authenticate/password/guard.ts'
import type { PasswordVerifier, Verification } from '../../src/authenticate/password/verifier.ts'
import { FakeClock } from '../fakes/clock.ts'
import { until } from '../fakes/until.ts'
import { temporaryFolder } from '../servers/temporary.ts'
import { unreadable, unruled, type Failure } from './failures.ts'

const PASSWORD = 'Tr0ub4dor&3 ünlikely'

/** Each user's credentials as they are in the header. */
const token = (user: string): string => basic(user, PASSWORD).slice('Basic '.length)

/** The password in every form that it could leak in. */
const TRACES: readonly RegExp[] = [
  /Tr0ub4dor/,
  new RegExp(encodeURIComponent(PASSWORD)),
  // Base64 of the password at each of the three offsets it can have, without the ends.
  ...['', 'x', 'xx'].map(
    (before) =>
      new RegExp(
        RegExp.escape(
          Buffer.from(before + PASSWORD)
            .toString('base64')
            .slice(4, 16),
        ),
      ),
  ),
]

const assertClean = (name: string, text: string): void => {
  for (const trace of TRACES) assert.doesNotMatch(text, trace, name)
}

const as = (user: string, parts: RequestParts = {}): RequestParts => ({
  path: `/app?password=${encodeURIComponent(PASSWORD)}`,
  ...parts,
  headers: [['authorization', `Basic ${token(user)}`], ...(parts.headers ?? [])],
})

const REQUESTS: readonly { reason: Reason; request: RequestParts | Buffer }[] = [
  { reason: 'permitted', request: as('alice') },
  {
    reason: 'target-too-long',
    request: as('alice', { path: `/app?password=${'a'.repeat(8_192)}` }),
  },
  {
    reason: 'header-fields-too-large',
    request: as('alice', { headers: [['x-long', `${PASSWORD}${'a'.repeat(65_536)}`]] }),
  },
  {
    reason: 'too-many-parameters',
    request: as('alice', { path: `/app?p=${encodeURIComponent(PASSWORD)}${'&p'.repeat(257)}` }),
  },
  { reason: 'malformed-method', request: as('alice', { method: 'get' }) },
  { reason: 'malformed-host', request: as('alice', { host: 'a b' }) },
  { reason: 'malformed-path', request: as('alice', { path: '/%' }) },
  { reason: 'ambiguous-path', request: as('alice', { path: '/a/../b' }) },
  {
    reason: 'duplicate-credential',
    request: as('alice', { headers: [['authorization', `Basic ${token('bob')}`]] }),
  },
  {
    reason: 'connection-nomination',
    request: as('alice', { headers: [['connection', 'authorization']] }),
  },
  { reason: 'impersonation', request: as('alice', { headers: [['impersonate-user', 'x']] }) },
  { reason: 'no-route', request: as('alice', { route: 'none' }) },
  {
    reason: 'credential-unsupported',
    request: {
      headers: [
        ['x-password', PASSWORD],
        ['authorization', `Bearer ${token('a')}`],
      ],
    },
  },
  {
    reason: 'credential-malformed',
    request: { headers: [['authorization', `Basic ${token('alice')} ${PASSWORD}`]] },
  },
  {
    reason: 'credential-malformed',
    request: { headers: [['authorization', `Basic ${token('alice')},Basic ${token('bob')}`]] },
  },
  { reason: 'credential-wrong', request: as('bob') },
  { reason: 'user-unknown', request: as('mallory') },
  { reason: 'user-disabled', request: as('eve') },
  { reason: 'identity-reserved', request: as('root') },
  { reason: 'identity-unrepresentable', request: as('odd') },
  { reason: 'rule-denied', request: as('alice', { path: '/secrets' }) },
  { reason: 'no-rule', request: as('carol') },
  { reason: 'identity-too-large', request: as('large') },
  { reason: 'internal-error', request: messageOf(as('alice')).subarray(0, -2) },
]

describe('a password, in logs and answers', () => {
  it('leaves no trace where the command writes and answers', async () => {
    await using folder = await temporaryFolder()
    const [hash, other] = await Promise.all([cheapHash(PASSWORD), cheapHash('other')])
    const users = {
      alice: { password: hash, groups: ['dev'] },
      bob: { password: other },
      carol: { password: hash },
      eve: { password: hash, disabled: true },
      root: { password: hash, groups: ['system:masters'] },
      odd: { password: hash, extra: { note: [' '] } },
      large: {
        password: hash,
        groups: ['dev', ...Array.from({ length: 3_000 }, (_, i) => `group-${i}`)],
      },
    }
    await writeFile(folder.file('users.json'), JSON.stringify({ users }))
    await writeFile(
      folder.file('countersign.yaml'),
      `
version: 1
listen: { authz: unix:authz.sock }
authenticators: { staff: { basic: { verify: [{ users: { file: users.json } }] } } }
routes:
  - name: app
    authenticate: [staff]
    authorize: [{ deny: no-secrets, paths: [/secrets] }, { allow: members, groups: [dev] }]
    forward: { headers: kubernetes }
log: { level: debug }
`,
    )
    await using authz = await startAuthzCommand(folder.file('countersign.yaml'))
    using client = new EnvoyClient({ kind: 'unix', path: folder.file('authz.sock') })
    for (const { reason, request } of REQUESTS) {
      const outcome = await client.check(request)
      assertClean(`the answer for ${reason}`, JSON.stringify(outcome))
    }
    const { stdout, stderr } = await authz.end()
    const reasons = stdout
      .split('\n')
      .filter((line) => line.includes('"event":"decision"'))
      .map((line) => /"reason":"([^"]+)"/.exec(line)?.[1])
    assert.deepEqual(
      reasons,
      REQUESTS.map(({ reason }) => reason),
    )
    assertClean('the audit log', stdout)
    assertClean('the log', stderr)
  })

  const verifying = (verifier: PasswordVerifier): Pick<RouteParts, 'authenticators'> => ({
    authenticators: [
      basicAuthenticator({
        name: 'staff',
        realm: 'Test',
        verifiers: [verifier],
        cacheTtl: 0,
        generation: 'g',
        cache: new CredentialCache(new FakeClock()),
        guard: unguarded,
        distinguishesUnknownUsers: true,
        clock: new FakeClock(),
      }),
    ],
  })
  const knowing = (): FakeVerifier => new FakeVerifier({ alice: { password: PASSWORD } })
  const down = knowing()
  down.down = new Error('the directory is down')
  const barred = (outcome: Verification): Pick<RouteParts, 'authenticators'> =>
    verifying({
      verify: () => Promise.resolve(outcome),
      lookup: () => Promise.resolve({ outcome: 'unsupported' }),
    })
  const ACCOUNTS = [
    'user-locked',
    'user-expired',
    'user-restricted',
    'password-expired',
    'password-must-change',
  ] as const
  const CERTIFICATES = [
    'headers-too-large',
    'header-unmapped',
    'header-reserved',
    'token-unmapped',
    'token-reserved',
    'token-missing',
    'exchange-refused',
    'certificate-unrepresentable',
    'certificate-reserved',
    'certificate-too-large',
    'certificate-missing',
    'certificate-unreadable',
    'credential-expired',
  ] as const
  const refusing = (code: (typeof REJECTIONS)[number]) =>
    fakeAuthenticator('any', { outcome: 'rejected', code, user: 'alice' })
  const FAILURES: readonly (Failure & { readonly full?: boolean })[] = [
    ...ACCOUNTS.map((code) => ({ reason: code, route: barred({ outcome: 'barred', code }) })),
    {
      reason: 'second-factor-required',
      route: barred({
        outcome: 'challenged',
        challenge: { message: PASSWORD, state: Buffer.from(PASSWORD) },
      }),
    },
    ...REJECTIONS.map((code) => ({
      reason: code,
      route: { authenticators: [refusing(code)] },
    })),
    ...CERTIFICATES.map((code) => ({
      reason: code,
      route: {
        ...verifying(knowing()),
        transformers: [
          { kind: 'certificate' as const, transform: () => ({ outcome: 'failed' as const, code }) },
        ],
      },
    })),
    {
      reason: 'credential-missing',
      route: { authenticators: [fakeAuthenticator('any', { outcome: 'not-applicable' })] },
    },
    { reason: 'authenticator-unavailable', route: verifying(down) },
    ...unreadable(PASSWORD, verifying(knowing())),
    ...unruled(verifying(knowing())),
    { reason: 'authenticator-unavailable', route: verifying(brokenVerifier('a bug')) },
    {
      reason: 'header-unrepresentable',
      route: {
        ...verifying(knowing()),
        transformers: [
          {
            kind: 'headers',
            transform: () => ({ outcome: 'failed', code: 'header-unrepresentable' }),
          },
        ],
      },
    },
    {
      reason: 'transform-unavailable',
      route: {
        ...verifying(knowing()),
        transformers: [
          {
            kind: 'headers',
            transform: () => ({ outcome: 'unavailable', cause: new Error('not now') }),
          },
        ],
      },
    },
    {
      reason: 'internal-error',
      route: {
        ...verifying(knowing()),
        transformers: [{ kind: 'headers', transform: () => Promise.reject(new Error('a bug')) }],
      },
    },
    { reason: 'audit-unavailable', route: verifying(knowing()), full: true },
  ]
  for (const { reason, route, request, full = false } of FAILURES) {
    it(`leaves no trace when a part fails: ${reason}`, async () => {
      await using service = await startRoute(route)
      service.audit.full = full
      const outcome = await service.client.check(as('alice', request))
      assert.ok(!outcome.allow)
      assert.ok(
        full || service.audit.events.some((event) => 'reason' in event && event.reason === reason),
      )
      assertClean('the answer', JSON.stringify(outcome))
      assertClean('the audit log', JSON.stringify(service.audit.events))
      assertClean('the log', service.log.join('\n'))
    })
  }

  it('leaves no trace when its caller leaves', async () => {
    const verifier = knowing()
    verifier.ready = Promise.withResolvers<void>().promise
    await using service = await startRoute(verifying(verifier))
    const call = service.client.call(as('alice'))
    await until(() => verifier.attempts.length > 0)
    call.cancel()
    await assert.rejects(call.outcome)
    await until(() => service.audit.events.length > 0)
    assert.equal(service.audit.events.length, 1)
    assertClean('the audit log', JSON.stringify(service.audit.events))
    assertClean('the log', service.log.join('\n'))
  })

  it('was tried with every reason', () => {
    const tried = new Set<Reason>([
      ...REQUESTS.map(({ reason }) => reason),
      ...FAILURES.map(({ reason }) => reason),
      'cancelled',
      'deadline-exceeded', // check/deadline.test.ts
    ])
    const missing = Object.keys(PUBLIC_ANSWERS).filter(
      (reason) => ![...tried].some((one) => one === reason),
    )
    assert.deepEqual(missing, [])
  })
})
