// The built-in server with clients of other makes: grpc-go and curl. That of Envoy is in test/e2e, that of
// grpc-js in the conformance suite.

import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { describe, it } from 'node:test'
import { promisify } from 'node:util'
import { GRPC_SERVERS } from '../../../src/runtime/grpc/grpc-server.ts'
import { until } from '../../fakes/until.ts'
import { goProgram, skipWithoutGoProgram } from '../../servers/go-program.ts'
import { startHelloServer } from '../http2/hello-server.ts'
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

const curl = spawnSync('curl', ['--version'], { encoding: 'utf8' })
const withoutCurl =
  curl.status === 0 && curl.stdout.includes('HTTP2') ? false : 'no curl with HTTP/2'

describe('curl', { ...LIMIT, skip: withoutCurl }, () => {
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
