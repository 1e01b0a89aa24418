// The issuer's listener, over real HTTP: the documents of the configuration in force, to be read only.

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { DEFAULT_LIMITS, type LimitsConfig } from '../../src/request/limits-schema.ts'
import { startIssuerListener, type ListenerSettings } from '../../src/issuer/listener.ts'
import { IssuerMetrics } from '../../src/issuer/http/metrics.ts'
import type { HttpServer } from '../../src/runtime/http/server.ts'
import { MemoryRecords } from '../../src/state/memory-records.ts'
import { MemoryAttempts } from '../../src/state/memory.ts'
import { DerivedKeys } from '../../src/state/derived-keys.ts'
import { MemoryAudit } from '../fakes/audit-sink.ts'
import { FakeClock } from '../fakes/clock.ts'
import { memoryLogger } from '../fakes/logger.ts'
import { madeKey, signingKeysOf } from '../fakes/signing-keys.ts'

describe('the listener of the issuer', () => {
  const clock = new FakeClock()
  let issuer: ListenerSettings['issuer']
  let server: HttpServer
  let limits: LimitsConfig = DEFAULT_LIMITS
  let origin = ''
  const use = async (url: string): Promise<void> => {
    issuer = { url, keys: signingKeysOf([await madeKey('ES256')], clock), maxAge: 60_000 }
  }
  before(async () => {
    await use('https://id.example.org')
    server = await startIssuerListener(
      { address: { kind: 'tcp', host: '127.0.0.1', port: 0 }, plaintext: false, mode: '0660' },
      {
        current: () => ({ issuer, authorizationServer: undefined, logins: undefined, limits }),
        records: new MemoryRecords(clock),
        attempts: new MemoryAttempts(clock),
        derivedKeys: new DerivedKeys(),
        audit: new MemoryAudit(),
        metrics: new IssuerMetrics(),
        clock,
        logger: memoryLogger().logger,
      },
    )
    assert.ok(server.address.kind === 'tcp')
    origin = `http://127.0.0.1:${server.address.port}`
  })
  after(() => server[Symbol.asyncDispose]())

  it('serves the documents with their content types and cache lifetimes', async () => {
    const discovery = await fetch(`${origin}/.well-known/openid-configuration`)
    assert.equal(discovery.status, 200)
    assert.equal(discovery.headers.get('content-type'), 'application/json')
    const keys = await fetch(`${origin}/jwks`)
    assert.equal(keys.headers.get('content-type'), 'application/jwk-set+json')
    assert.equal(keys.headers.get('cache-control'), 'public, max-age=60')
    assert.equal(keys.headers.get('x-content-type-options'), 'nosniff')
  })

  it('has no other paths and methods', async () => {
    assert.equal((await fetch(`${origin}/`)).status, 404)
    assert.equal((await fetch(`${origin}/jwks`, { method: 'POST', body: '{}' })).status, 405)
    assert.equal((await fetch(`${origin}/jwks`, { method: 'HEAD' })).status, 200)
  })

  it('refuses requests that are larger than the present configuration allows', async () => {
    const statusOf = async (path: string, lines = 0): Promise<number> => {
      const headers = Array.from({ length: lines }, (_, n): [string, string] => [`x-${n}`, 'v'])
      const response = await fetch(`${origin}${path}`, { headers })
      await response.text()
      return response.status
    }
    assert.equal(await statusOf(`/jwks?${'a'.repeat(8_000)}`), 200)
    assert.equal(await statusOf(`/jwks?${'a'.repeat(8_192)}`), 414)
    assert.equal(await statusOf(`/jwks?${'a&'.repeat(255)}`), 200)
    assert.equal(await statusOf(`/jwks?${'a&'.repeat(256)}`), 400)
    assert.equal(await statusOf('/jwks', 100), 200)
    assert.equal(await statusOf('/jwks', 129), 431)
    limits = { ...DEFAULT_LIMITS, targetBytes: 16_384 }
    assert.equal(await statusOf(`/jwks?${'a'.repeat(16_000)}`), 200)
    limits = DEFAULT_LIMITS
  })

  it('follows a reload of the configuration', async () => {
    await use('https://id.example.org/b')
    assert.equal((await fetch(`${origin}/jwks`)).status, 404)
    assert.equal((await fetch(`${origin}/b/jwks`)).status, 200)
    issuer = undefined
    assert.equal((await fetch(`${origin}/b/jwks`)).status, 404)
  })
})
