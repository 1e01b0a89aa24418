// `countersign audit forward`, as docs/operate/send-audit-events.md says: the log of a process without network is sent by another.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { describe, it } from 'node:test'
import { openAudit } from '../../../src/audit/open.ts'
import { sinksSchema } from '../../../src/audit/forward/schema.ts'
import { systemClock } from '../../../src/runtime/clock.ts'
import { blocksTestedBy } from '../../docs/examples/blocks.ts'
import { memoryLogger } from '../../fakes/logger.ts'
import { until } from '../../fakes/until.ts'
import { startScriptedHttp } from '../../servers/scripted-http.ts'
import { temporaryFolder, type TemporaryFolder } from '../../servers/temporary.ts'
import { loaded } from '../../tools/audit-log/logs.ts'
import { countersignProcess } from '../run.ts'

const COMMAND = join(import.meta.dirname, '../../../src/countersign.ts')
const PAGE = 'docs/operate/send-audit-events.md'

/** The words of the page's command after `countersign`. */
const documented = (): readonly string[] => {
  const [block] = blocksTestedBy('test/cli/audit/forward.test.ts', PAGE)
  return block?.text.trim().split(' ').slice(1) ?? []
}

/** An audit log with a sink for a separate process, and a configuration that says so. */
const openLog = async (folder: TemporaryFolder, url: string) => {
  const section = { siem: { process: 'separate', http: { url }, batch: { every: '10ms' } } }
  const config = {
    version: 1,
    // Not read: the forwarder has no access to such files.
    keyring: 'file:missing',
    authorities: { users: { certificate: 'missing.pem' } },
    audit: { file: 'issued.jsonl', rotate: { size: 65_536 }, sinks: section },
  }
  await writeFile(folder.file('signer.yaml'), JSON.stringify(config))
  const opened = await openAudit(
    {
      file: folder.file('issued.jsonl'),
      rotate: { size: 65_536, gzip: false },
      sinks: sinksSchema.parse(section),
      spool: { maxBytes: 1_048_576, whenFull: 'refuse' },
    },
    'signer',
    { clock: systemClock, logger: memoryLogger().logger },
  )
  const write = async (count: number): Promise<void> => {
    for (let generation = 1; generation <= count; generation++) {
      await opened.sink.write(loaded(generation))
    }
  }
  return { write, [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose]() }
}

const start = (folder: TemporaryFolder) => {
  const child = spawn(process.execPath, [COMMAND, ...documented()], {
    cwd: folder.path,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let log = ''
  child.stderr.setEncoding('utf8').on('data', (more: string) => (log += more))
  const ended = once(child, 'exit')
  return {
    child,
    log: () => log,
    async [Symbol.asyncDispose]() {
      child.kill()
      await ended
    },
  }
}

const page = async (socketPath: string, path: string): Promise<string> => {
  const sent = request({ socketPath, path, agent: false }).end()
  const [response] = await once(sent, 'response')
  return await text(response)
}

describe('countersign audit forward', () => {
  it('sends a log over its rotation, and shows what it sent', async () => {
    await using folder = await temporaryFolder()
    await using sink = await startScriptedHttp(() => ({}))
    await using log = await openLog(folder, sink.origin)
    await log.write(500)
    await using running = start(folder)
    const arrived = (): number =>
      sink.requests.reduce((sum, { body }) => sum + body.toString().split('\n').length - 1, 0)
    await until(() => arrived() > 500)
    await until(() => running.log().includes('"listening"'))
    const socket = folder.file('forward.sock')
    // 500 events, and a log-opened in each file.
    const sent = /^countersign_audit_sink_records_total\{sink="siem",result="sent"\} 50[1-9]$/m
    await until(async () => sent.test(await page(socket, '/metrics')))
    assert.match(await page(socket, '/readyz?verbose'), /\[\+\]sinks ok/)
  })

  it('refuses to send what another process sends', async () => {
    await using folder = await temporaryFolder()
    await using sink = await startScriptedHttp(() => ({}))
    await using log = await openLog(folder, sink.origin)
    await log.write(1)
    await using running = start(folder)
    await until(() => running.log().includes('"forwarding"'))
    const second = await countersignProcess(['audit', 'forward', '-c', folder.file('signer.yaml')])
    assert.equal(second.status, 1)
    assert.match(second.stderr, /another process forwards .* to the sink "siem"/)
  })

  it('refuses a configuration without a sink for it', async () => {
    await using folder = await temporaryFolder()
    const config = folder.file('countersign.yaml')
    const sinks = { siem: { http: { url: 'https://lake.example.org' } } }
    await writeFile(config, JSON.stringify({ audit: { file: 'audit.jsonl', sinks } }))
    const { status, stderr } = await countersignProcess(['audit', 'forward', '-c', config])
    assert.equal(status, 1)
    assert.match(stderr, /audit\.sinks: has no sink with "process: separate"/)
  })
})
