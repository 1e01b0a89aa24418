// Invariant: the caller's own token, the one that the upstream gets for it, and what proves us to who
// makes that, appear in no audit event, no log line and no answer to the caller, whatever the
// authorization server answers; and the caller's own token never reaches the upstream.

import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { after, before, describe, it } from 'node:test'
import { inspect } from 'node:util'
import { buildForwardFrom } from '../authenticate/building.ts'
import { credentialOf, fakeAuthenticator } from '../fakes/authenticator.ts'
import { startRoute } from '../fakes/service.ts'
import { createAuthority, type Authority } from '../servers/pki.ts'
import { startTokenServer, type Answer, type TokenServerHandle } from '../servers/token-server.ts'

const TOKEN = 'opaque-T0KEN-of-alice'
const ISSUED = 'issued-T0KEN-for-the-upstream'
const SECRET = 'client-s3cr3t-of-ours'
const ACTOR = 'actor-T0KEN-of-ours'

interface Case {
  readonly reason: string
  readonly answer: Answer
}

// A hostile server sends back all that it received, wherever there is room for it.
const ECHO = `${TOKEN} ${SECRET} ${ACTOR}`
const GOOD = {
  access_token: ISSUED,
  issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
  token_type: 'Bearer',
  expires_in: 60,
}
const UNAVAILABLE = 'transform-unavailable'
const CASES: readonly Case[] = [
  { reason: 'permitted', answer: { body: GOOD } },
  { reason: 'exchange-refused', answer: { status: 400, body: { error: ECHO } } },
  ...[TOKEN, SECRET, ACTOR].map((error) => ({
    reason: 'exchange-refused',
    answer: { status: 400, body: { error, error_description: ECHO, error_uri: ECHO } },
  })),
  {
    reason: 'exchange-refused',
    answer: { status: 400, body: { error: 'invalid_grant', error_description: ECHO } },
  },
  ...[401, 500, 503].map((status) => ({
    reason: UNAVAILABLE,
    answer: { status, body: { error: 'invalid_client', error_description: ECHO } },
  })),
  { reason: UNAVAILABLE, answer: { body: ECHO } },
  { reason: UNAVAILABLE, answer: { body: { ...GOOD, access_token: `${ECHO}\n` } } },
  { reason: UNAVAILABLE, answer: { body: { ...GOOD, token_type: ECHO } } },
  { reason: UNAVAILABLE, answer: { body: { ...GOOD, issued_token_type: [ECHO] } } },
  { reason: UNAVAILABLE, answer: { body: { ...GOOD, expires_in: ECHO } } },
  {
    reason: UNAVAILABLE,
    answer: { status: 302, headers: { location: `https://x/?${encodeURIComponent(ECHO)}` } },
  },
  { reason: UNAVAILABLE, answer: { write: (response) => void response.destroy() } },
]

const assertClean = (what: unknown, secrets: readonly string[]): void => {
  const text = typeof what === 'string' ? what : inspect(what, { depth: 12, showHidden: true })
  for (const secret of secrets) assert.ok(!text.includes(secret), text)
}

describe('a token that is exchanged, in logs and answers', () => {
  let authority: Authority
  let server: TokenServerHandle
  before(async () => {
    authority = await createAuthority('Countersign secrets test CA')
    await writeFile(`${authority.folder}/secret`, SECRET)
    await writeFile(`${authority.folder}/actor`, ACTOR)
    const names = ['127.0.0.1']
    const identity = await authority.issue({ commonName: 's', names, usage: 'server' })
    server = await startTokenServer(identity, () => ({}))
  })
  after(async () => {
    await server[Symbol.asyncDispose]()
    await authority[Symbol.asyncDispose]()
  })

  for (const [index, { reason, answer }] of CASES.entries()) {
    it(`leaves no trace: ${reason} (${index})`, async () => {
      await using stack = new AsyncDisposableStack()
      server.answer = () => answer
      const exchange = {
        issuer: 'https://login.example.org',
        endpoint: server.origin,
        ca: 'ca.pem',
        client: { id: 'countersign', secret: 'file:secret' },
        actor: { token: 'file:actor' },
        failureThreshold: 1,
      }
      const file = `${authority.folder}/countersign.yaml`
      const built = stack.use(await buildForwardFrom(file, { bearer: { exchange } }))
      assert.deepEqual(built.problems, [])
      const { transformers } = built
      const credential = credentialOf({ method: 'bearer' })
      const authenticators = [fakeAuthenticator('tokens', { outcome: 'authenticated', credential })]
      const service = stack.use(await startRoute({ authenticators, transformers }))
      const requests = server.requests.length
      const headers = [['authorization', `Bearer ${TOKEN}`]] as const
      const outcome = await service.client.check({ headers })
      assert.equal(server.requests.length, requests + 1)
      const reasons = service.audit.events.map((event) => 'reason' in event && event.reason)
      assert.deepEqual(reasons, [reason])
      const ours = [TOKEN, SECRET, ACTOR, Buffer.from(`countersign:${SECRET}`).toString('base64')]
      assertClean(outcome, ours)
      for (const what of [service.audit.events, service.log, built.log, transformers]) {
        assertClean(what, [...ours, ISSUED])
      }
      assert.equal(inspect(outcome, { depth: 12 }).includes(ISSUED), reason === 'permitted')
    })
  }
})
