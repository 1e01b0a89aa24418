// DPoP from the configuration to the answer that Envoy gets: over the wire, and over a reload.

import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { processResources, type SnapshotResources } from '../../src/check/resources.ts'
import { buildSnapshot } from '../../src/check/snapshot.ts'
import { ConfigurationFiles } from '../../src/config/files.ts'
import { ProcessReplayMemory } from '../../src/state/replay-memory.ts'
import { authenticatorWith, bound, caller, key, unbound } from '../authenticate/bearer/holding.ts'
import { AUDIENCE, ISSUER, jwksOf } from '../authenticate/bearer/issuing.ts'
import { presentedWith, type Members } from '../authenticate/bearer/proving.ts'
import { FakeClock } from '../fakes/clock.ts'
import type { HeaderLines } from '../fakes/envoy.ts'
import type { Outcome } from '../fakes/envoy-client.ts'
import { memoryLogger } from '../fakes/logger.ts'
import { eventOf, startRoute, startService, type FakeService } from '../fakes/service.ts'
import { temporaryFolder } from '../servers/temporary.ts'

const BEARER = 'Bearer realm="Kubernetes"'
const DPOP = 'DPoP realm="Kubernetes", algs="RS256 PS256 ES256 ES384 ES512 EdDSA Ed25519"'

const challengeIn = (outcome: Outcome): string | undefined =>
  outcome.allow ? undefined : outcome.headers['www-authenticate']

describe('a DPoP-bound token with its proof, over gRPC', () => {
  const parts = { path: '/api/v1/pods?limit=5', method: 'GET' }
  const htu = 'https://app.example.org/api/v1/pods'

  it('is accepted, and neither token nor proof is forwarded', async () => {
    await using service = await startRoute({ authenticators: [authenticatorWith()] })
    const proof = await caller.proof(bound, { htu })
    const outcome = await service.client.check({ ...parts, headers: presentedWith(bound, proof) })
    assert.ok(outcome.allow)
    assert.deepEqual(outcome.remove.toSorted(), ['authorization', 'dpop'])
    assert.equal(outcome.set['x-remote-user'], `${ISSUER}#alice`)
    assert.equal(eventOf(service, outcome).reason, 'permitted')
  })

  it('loses a proof that is not required', async () => {
    await using service = await startRoute({ authenticators: [authenticatorWith()] })
    const headers: HeaderLines = [
      ['authorization', `Bearer ${unbound}`],
      ['dpop', 'x'],
      ['DPoP', 'y'],
    ]
    const outcome = await service.client.check({ headers })
    assert.ok(outcome.allow)
    assert.deepEqual(outcome.remove.toSorted(), ['DPoP', 'authorization', 'dpop'])
  })

  const refusals: readonly {
    readonly reason: string
    readonly headers: () => Promise<HeaderLines>
    readonly want: string
  }[] = [
    {
      reason: 'proof-invalid',
      headers: async () => presentedWith(bound, await caller.proof(bound)),
      want: `${BEARER},${DPOP}, error="invalid_dpop_proof"`,
    },
    {
      reason: 'token-binding',
      headers: async () => [
        ['authorization', `Bearer ${bound}`],
        ['dpop', await caller.proof(bound, { htu })],
      ],
      want: `${BEARER}, error="invalid_token",${DPOP}`,
    },
    {
      reason: 'credential-missing',
      headers: async () => [['dpop', await caller.proof(bound, { htu })]],
      want: `${BEARER},${DPOP}`,
    },
  ]
  for (const { reason, headers, want } of refusals) {
    it(`is refused and nothing is forwarded: ${reason}`, async () => {
      await using service = await startRoute({ authenticators: [authenticatorWith()] })
      const lines = await headers()
      const outcome = await service.client.check({ ...parts, headers: lines })
      assert.ok(!outcome.allow)
      assert.equal(outcome.status, 'Unauthorized')
      assert.equal(challengeIn(outcome), want)
      assertClean(lines, JSON.stringify([outcome, service.audit.events, service.log]))
      assert.equal(eventOf(service, outcome).reason, reason)
    })
  }

  it('is refused when the proof is used again', async () => {
    await using service = await startRoute({ authenticators: [authenticatorWith()] })
    const headers = presentedWith(bound, await caller.proof(bound, { htu }))
    const first = await service.client.check({ ...parts, headers })
    assert.equal(eventOf(service, first).reason, 'permitted')
    const second = await service.client.check({ ...parts, headers })
    assert.equal(eventOf(service, second).reason, 'proof-replayed')
    assert.equal(challengeIn(second), `${BEARER},${DPOP}, error="invalid_dpop_proof"`)
  })

  it('is refused with 503 while the store of used proofs is down', async () => {
    const replays = new ProcessReplayMemory(new FakeClock(), 1)
    await using service = await startRoute({ authenticators: [authenticatorWith({ replays })] })
    const send = async (): Promise<Outcome> => {
      const headers = presentedWith(bound, await caller.proof(bound, { htu }))
      return await service.client.check({ ...parts, headers })
    }
    assert.ok((await send()).allow)
    service.audit.takeDecisions()
    const outcome = await send()
    assert.ok(!outcome.allow && outcome.status === 'ServiceUnavailable')
    assert.equal(eventOf(service, outcome).reason, 'authenticator-unavailable')
  })
})

/** Every usable piece of a token or a proof. */
const assertClean = (lines: HeaderLines, text: string): void => {
  const pieces = lines.flatMap(([, value]) => String(value).split(/[ .,]/))
  for (const piece of pieces) if (piece.length > 6) assert.ok(!text.includes(piece), piece)
}

describe('DPoP by the configuration', () => {
  const configuration = (dpop: string): string => `
version: 1
listen: { authz: unix:authz.sock }
authenticators:
  tokens:
    bearer:
      realm: Kubernetes
      issuer: ${ISSUER}
      audiences: [${AUDIENCE}]
      keys: { file: keys.json }
      ${dpop}
routes: [{ name: app, authenticate: [tokens], authorize: [{ allow: all }] }]
`

  const resources = (): SnapshotResources =>
    processResources(new FakeClock(), memoryLogger().logger)

  const serve = async (
    dpop: string,
    shared: SnapshotResources,
    use: (service: FakeService) => Promise<void>,
  ): Promise<void> => {
    await using folder = await temporaryFolder()
    await writeFile(folder.file('countersign.yaml'), configuration(dpop))
    await writeFile(folder.file('keys.json'), jwksOf(key))
    const files = new ConfigurationFiles()
    await using value = await buildSnapshot(folder.file('countersign.yaml'), files, shared)
    await using service = await startService(() => ({ value, generation: 1 }))
    await use(service)
  }

  const reasonOf = async (service: FakeService, headers: HeaderLines): Promise<string> =>
    eventOf(service, await service.client.check({ headers })).reason

  const proven = async (claims: Members = {}): Promise<HeaderLines> =>
    presentedWith(bound, await caller.proof(bound, claims))

  it('is off by default', async () => {
    await serve('', resources(), async (service) => {
      assert.equal(await reasonOf(service, await proven()), 'credential-unsupported')
    })
  })

  it('is required where configured, and bearer tokens still work elsewhere', async () => {
    await serve('dpop: {}', resources(), async (service) => {
      assert.equal(await reasonOf(service, await proven()), 'permitted')
      const plain: HeaderLines = [['authorization', `Bearer ${unbound}`]]
      assert.equal(await reasonOf(service, plain), 'permitted')
    })
  })

  it('has settings that are all used', async () => {
    const dpop =
      'dpop: { window: 5s, algorithms: [ES256], require: true, origins: { app.example.org: ["https://app.example.org:8443"] } }\n      skew: 1s'
    await serve(dpop, resources(), async (service) => {
      const htu = 'https://app.example.org:8443/'
      const iat = Date.UTC(2026, 0, 1) / 1_000
      assert.equal(await reasonOf(service, await proven({ htu })), 'permitted')
      assert.equal(await reasonOf(service, await proven()), 'proof-invalid')
      assert.equal(await reasonOf(service, await proven({ htu, iat: iat - 5.9 })), 'permitted')
      assert.equal(await reasonOf(service, await proven({ htu, iat: iat - 6 })), 'proof-invalid')
      assert.equal(await reasonOf(service, await proven({ htu, iat: iat + 1 })), 'permitted')
      assert.equal(await reasonOf(service, await proven({ htu, iat: iat + 1.1 })), 'proof-invalid')
      const outcome = await service.client.check({
        headers: [['authorization', `Bearer ${unbound}`]],
      })
      assert.equal(eventOf(service, outcome).reason, 'token-binding')
      const challenge = 'DPoP realm="Kubernetes", algs="ES256", error="invalid_token"'
      assert.equal(challengeIn(outcome), challenge)
    })
  })

  it('keeps used proofs over a reload', async () => {
    const shared = resources()
    const headers = await proven()
    await serve('dpop: {}', shared, async (service) => {
      assert.equal(await reasonOf(service, headers), 'permitted')
    })
    await serve('dpop: { window: 30s }', shared, async (service) => {
      assert.equal(await reasonOf(service, headers), 'proof-replayed')
    })
  })
})
