// Conformance with RFC 9113 and RFC 7541 as h2spec tests it, every case and none left out. The application is
// one that answers h2spec's requests; that of gRPC refuses them at once by their heads.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { describe, it } from 'node:test'
import { goProgram, skipWithoutGoProgram } from '../../servers/go-program.ts'
import { startHelloServer } from './hello-server.ts'

const H2SPEC = goProgram('h2spec')
// Some cases pass by waiting so long for a frame that must not be sent.
const PATIENCE_SECONDS = 3

const runH2spec = async (port: number) => {
  const program = spawn(H2SPEC, [String(port), String(PATIENCE_SECONDS)])
  const [output, errors, [status]] = await Promise.all([
    text(program.stdout),
    text(program.stderr),
    once(program, 'exit'),
  ])
  const [, tests = '', skipped = '', failed = ''] =
    /(\d+) tests, \d+ passed, (\d+) skipped, (\d+) failed/.exec(output) ?? []
  return { status: Number(status), tests, skipped, failed, output: output + errors }
}

describe('h2spec', { skip: skipWithoutGoProgram(H2SPEC), timeout: 600_000 }, () => {
  it('finds no failure in the server', async (t) => {
    await using server = await startHelloServer()
    const { status, tests, skipped, failed, output } = await runH2spec(server.port)
    t.diagnostic(`${tests} tests, ${skipped} skipped, ${failed} failed`)
    assert.equal(failed, '0', output)
    assert.equal(status, 0)
    assert.ok(Number(tests) >= 145 && Number(skipped) <= 1, output)
  })
})
