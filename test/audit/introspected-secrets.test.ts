// Invariant: a token that is introspected, and the credential for the endpoint, appear in no audit event,
// no log line and no answer, whatever their outcome.

import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { inspect } from 'node:util'
import { describe, it } from 'node:test'
import { buildFrom } from '../authenticate/building.ts'
import { ACTIVE } from '../authenticate/introspection/introspecting.ts'
import { ISSUER } from '../authenticate/bearer/issuing.ts'
import { startRoute } from '../fakes/service.ts'
import { createAuthority } from '../servers/pki.ts'
import { startTokenServer, type Answer } from '../servers/token-server.ts'

const TOKEN = 'opaque-T0KEN-of-alice'
const SECRET = 'client-s3cr3t-of-ours'

const REVIEW = {
  apiVersion: 'authentication.k8s.io/v1',
  kind: 'TokenReview',
  spec: { token: TOKEN },
  status: { authenticated: true, user: { username: 'alice' } },
}

interface Case {
  readonly reason: string
  readonly answer: Answer
}

// A hostile server sends back all that it received, wherever there is room for it.
const ECHO = `${TOKEN} ${SECRET}`
const COMMON: readonly Case[] = [
  ...[400, 401, 403, 429, 500, 503].map((status) => ({
    reason: 'authenticator-unavailable',
    answer: { status, body: { error: ECHO, message: ECHO } },
  })),
  { reason: 'authenticator-unavailable', answer: { body: ECHO } },
  {
    reason: 'authenticator-unavailable',
    answer: { status: 302, headers: { location: `https://x/?${encodeURIComponent(ECHO)}` } },
  },
  { reason: 'authenticator-unavailable', answer: { write: (response) => void response.destroy() } },
]
const CASES = {
  introspection: [
    ...COMMON,
    { reason: 'permitted', answer: { body: ACTIVE } },
    { reason: 'token-inactive', answer: { body: { active: false, error: ECHO } } },
    { reason: 'authenticator-unavailable', answer: { body: { active: ECHO } } },
    { reason: 'token-audience', answer: { body: { ...ACTIVE, aud: ECHO } } },
    { reason: 'token-claims', answer: { body: { ...ACTIVE, iss: ECHO } } },
  ],
  tokenReview: [
    ...COMMON,
    { reason: 'permitted', answer: { body: REVIEW } },
    {
      reason: 'token-inactive',
      answer: { body: { ...REVIEW, status: { authenticated: false, error: ECHO } } },
    },
    { reason: 'authenticator-unavailable', answer: { body: { ...REVIEW, kind: ECHO } } },
  ],
} as const satisfies Readonly<Record<string, readonly Case[]>>

const assertClean = (what: unknown): void => {
  const text = typeof what === 'string' ? what : inspect(what, { depth: 12, showHidden: true })
  const basic = Buffer.from(`countersign:${SECRET}`).toString('base64')
  for (const secret of [TOKEN, SECRET, basic]) assert.ok(!text.includes(secret), text)
}

for (const kind of ['introspection', 'tokenReview'] as const) {
  describe(`a token that is introspected (${kind}), in logs and answers`, () => {
    for (const [index, { reason, answer }] of CASES[kind].entries()) {
      it(`leaves no trace: ${reason} (${index})`, async () => {
        await using stack = new AsyncDisposableStack()
        const authority = stack.use(await createAuthority('Countersign secrets test CA'))
        await writeFile(`${authority.folder}/secret`, SECRET)
        const identity = await authority.issue({
          commonName: 's',
          names: ['127.0.0.1'],
          usage: 'server',
        })
        const server = stack.use(await startTokenServer(identity, () => answer))
        const sections = {
          introspection: {
            issuer: ISSUER,
            endpoint: server.origin,
            ca: 'ca.pem',
            audiences: ['kubernetes'],
            client: { id: 'countersign', secret: 'file:secret' },
            failureThreshold: 1,
          },
          tokenReview: {
            server: server.origin,
            ca: 'ca.pem',
            token: 'file:secret',
            failureThreshold: 1,
          },
        }
        const built = stack.use(
          await buildFrom(
            `${authority.folder}/countersign.yaml`,
            JSON.stringify({ [kind]: sections[kind] }),
          ),
        )
        assert.ok(built.link !== undefined, built.problems.join())
        const { authenticator } = built.link
        const service = stack.use(await startRoute({ authenticators: [authenticator] }))
        const headers = [['authorization', `Bearer ${TOKEN}`]] as const
        const outcome = await service.client.check({ headers })
        const reasons = service.audit.events.map((event) => 'reason' in event && event.reason)
        assert.deepEqual(reasons, [reason])
        assert.equal(server.requests.length > 0, true)
        for (const what of [outcome, service.audit.events, service.log, built.log, authenticator]) {
          assertClean(what)
        }
      })
    }
  })
}
