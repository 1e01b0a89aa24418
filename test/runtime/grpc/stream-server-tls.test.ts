// The server of streams over TCP, where a certificate is what lets a peer in.

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { Client, credentials } from '@grpc/grpc-js'
import { healthService } from '../../../src/proto/load.ts'
import { startGrpcStreamServer } from '../../../src/runtime/grpc/stream-server.ts'
import { targetOf, type ListenAddress } from '../../../src/runtime/listen.ts'
import { memoryLogger } from '../../fakes/logger.ts'
import { createAuthority, createPki, type KeyPair, type Pki } from '../../servers/pki.ts'

const LIMIT = { timeout: 300_000 }
const PATIENCE_MS = 3_000

const start = async ({ upstream, ca }: Pki) =>
  await startGrpcStreamServer({
    address: { kind: 'tcp', host: '127.0.0.1', port: 0 },
    mode: 0,
    tls: {
      certificate: await readFile(upstream.certificate),
      key: await readFile(upstream.key),
      clientCa: await readFile(ca),
    },
    methods: [],
    maxStreams: 10_000,
    grace: 1_000,
    logger: memoryLogger().logger,
  })

const health = async (address: ListenAddress, ca: string, pair: KeyPair): Promise<string> => {
  const channel = credentials.createSsl(
    await readFile(ca),
    await readFile(pair.key),
    await readFile(pair.certificate),
  )
  const client = new Client(targetOf(address), channel, {
    'grpc.ssl_target_name_override': 'localhost',
  })
  const { Check } = healthService
  const { promise, resolve } = Promise.withResolvers<string>()
  client.makeUnaryRequest(
    Check.path,
    Check.requestSerialize,
    Check.responseDeserialize,
    { service: '' },
    { deadline: Date.now() + PATIENCE_MS },
    (error, reply) => resolve(error === null ? (reply?.status ?? '') : 'refused'),
  )
  try {
    return await promise
  } finally {
    client.close()
  }
}

describe('the server over TCP', LIMIT, () => {
  it('serves a peer that its CA knows', async () => {
    await using pki = await createPki()
    await using server = await start(pki)
    assert.ok(server.address.kind === 'tcp' && server.address.port > 0)
    assert.equal(await health(server.address, pki.ca, pki.frontProxy), 'SERVING')
  })

  it('turns away a peer of another CA', async () => {
    await using pki = await createPki()
    await using stranger = await createAuthority('another CA')
    await using server = await start(pki)
    const pair = await stranger.issue({ commonName: 'front-proxy', usage: 'client' })
    assert.equal(await health(server.address, pki.ca, pair), 'refused')
  })

  it('says what is wrong with an address that it cannot have', async () => {
    await using pki = await createPki()
    await using server = await start(pki)
    const { logger } = memoryLogger()
    const options = { mode: 0, tls: undefined, methods: [], maxStreams: 1, grace: 0, logger }
    await assert.rejects(startGrpcStreamServer({ address: server.address, ...options }), {
      code: 'listen-failed',
      message: /cannot listen on 127\.0\.0\.1:\d+: .*EADDRINUSE/,
    })
  })
})
