// The built-in server with clients of other makes: grpc-go, grpc_health_probe and curl. That of Envoy is in test/e2e, that of
// grpc-js in the conformance suite.

import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { promisify } from 'node:util'
import { GRPC_SERVERS } from '../../../src/runtime/grpc/grpc-server.ts'
import { until } from '../../fakes/until.ts'
import { goProgram, skipWithoutGoProgram } from '../../servers/go-program.ts'
import { probeHealth, skipWithoutHealthProbe } from '../../servers/grpc-health-probe.ts'
import { createAuthority, createPki, type KeyPair } from '../../servers/pki.ts'
import { startHelloServer } from '../http2/hello-server.ts'
import type { ListenAddress } from '../../../src/runtime/listen.ts'
import { ReplaceableTls } from '../../../src/runtime/server-tls.ts'
import { ECHO, startStreamServer } from '../../fakes/grpc-stream.ts'
import { METHOD, startTestServer, type TestHandler } from './conformance-server.ts'

const run = promisify(execFile)

const LIMIT = { timeout: 120_000 }
const GRPC_GO = goProgram('grpc-go-client')

const echo: TestHandler = (message) => {
  if (message.toString('latin1', 0, 5) === 'wait') return new Promise(() => {})
  return Buffer.from(message)
}

describe('grpc-go', { ...LIMIT, skip: skipWithoutGoProgram(GRPC_GO) }, () => {
  for (const server of GRPC_SERVERS) {
    for (const [calls, bytes] of [
      [1_000, 100],
      [30, 300_000],
    ] as const) {
      it(`gets the answers of ${calls} calls of ${bytes} bytes at once from ${server}`, async () => {
        await using running = await startTestServer(server, echo)
        const args = [`unix:${running.path}`, METHOD, String(calls), String(bytes)]
        const { stdout } = await run(GRPC_GO, args)
        assert.equal(stdout, 'SERVING SERVING Unimplemented DeadlineExceeded\n')
      })
    }
  }

  for (const [streams, bytes, messages] of [
    [500, 100, 20],
    [10, 300_000, 10],
  ] as const) {
    it(`gets the answers of ${streams} streams of ${messages} messages of ${bytes} bytes`, async () => {
      await using running = await startStreamServer()
      const args = [`unix:${running.path}`, ECHO, streams, bytes, 'stream', messages].map(String)
      const { stdout } = await run(GRPC_GO, args)
      assert.equal(stdout, 'hello Canceled\n')
      await until(() => running.seen.open === 0)
    })
  }
})

describe('grpc_health_probe', { ...LIMIT, skip: skipWithoutHealthProbe() }, () => {
  for (const server of GRPC_SERVERS) {
    it(`reads that ${server} is serving, and has no other service`, async () => {
      await using running = await startTestServer(server, echo)
      const whole = await probeHealth(running.address)
      assert.deepEqual(whole, { code: 0, output: 'status: SERVING' })
      const other = await probeHealth(running.address, '-service', 'other')
      assert.deepEqual([other.code, /NotFound/.test(other.output)], [3, true], other.output)
    })
  }

  it('reads it from the server of streams, too, and not when that is closed', async () => {
    await using running = await startStreamServer()
    const address: ListenAddress = { kind: 'unix', path: running.path }
    assert.deepEqual(await probeHealth(address), { code: 0, output: 'status: SERVING' })
    const compressed = await probeHealth(address, '-gzip', '-service', 'other')
    assert.match(compressed.output, /compressed messages are not supported/)
    await running.stop()
    assert.equal((await probeHealth(address, '-connect-timeout', '100ms')).code, 2)
  })

  it('reads it over mutual TLS, and not with the certificate of another CA', async () => {
    await using pki = await createPki()
    await using stranger = await createAuthority('another CA')
    const { ca, upstream, frontProxy } = pki
    const tls = new ReplaceableTls({
      certificate: await readFile(upstream.certificate),
      key: await readFile(upstream.key),
      clientCa: await readFile(ca),
    })
    const address: ListenAddress = { kind: 'tcp', host: '127.0.0.1', port: 0 }
    await using running = await startTestServer('built-in', echo, { tls, address })
    const server = ['-tls', '-tls-ca-cert', ca, '-tls-server-name', 'localhost']
    const over = ({ certificate, key }: KeyPair): readonly string[] =>
      server.concat('-tls-client-cert', certificate, '-tls-client-key', key)
    const known = await probeHealth(running.address, ...over(frontProxy))
    assert.deepEqual(known, { code: 0, output: 'status: SERVING' })
    const pair = await stranger.issue({ commonName: 'front-proxy', usage: 'client' })
    const unknown = await probeHealth(running.address, ...over(pair), '-connect-timeout', '1s')
    assert.notEqual(unknown.code, 0)
  })
})

const skipWithoutCurl = (): string | false => {
  const curl = spawnSync('curl', ['--version'], { encoding: 'utf8' })
  if (curl.status === 0 && curl.stdout.includes('HTTP2')) return false
  const missing = 'no curl with HTTP/2: "sudo sh scripts/test-servers.sh" installs it'
  if (process.env['CI'] === 'true') throw new Error(missing)
  return missing
}

describe('curl', { ...LIMIT, skip: skipWithoutCurl() }, () => {
  it('gets what the server sends over HTTP/2 with prior knowledge', async () => {
    await using server = await startHelloServer()
    const url = `http://127.0.0.1:${server.port}`
    const args = [
      '--silent',
      '--http2-prior-knowledge',
      '--write-out',
      '%{http_version} %{http_code}',
    ]
    assert.equal((await run('curl', [...args, url])).stdout, 'hello, world\n2 200')
    const content = 'x'.repeat(100_000)
    const { stdout } = await run('curl', [...args, '--data', content, url])
    assert.equal(stdout, `${content}2 200`)
  })
})
