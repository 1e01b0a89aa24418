// `countersign audit list`: what is found, how it is shown, and that it follows a growing log.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { describe, it } from 'node:test'
import { gzipSync } from 'node:zlib'
import type { DecisionEvent } from '../../../src/audit/event.ts'
import { JsonLinesSink } from '../../../src/audit/sink.ts'
import { temporaryFolder } from '../../servers/temporary.ts'
import { ROOT } from '../../docs/markdown.ts'
import { countersign } from '../run.ts'

const DECISION: DecisionEvent = {
  event: 'decision',
  id: 'one',
  decision: 'allow',
  reason: 'permitted',
  status: 200,
  route: 'app',
  method: 'GET',
  host: 'app.example.org',
  path: '/a',
  source: '192.0.2.7',
  user: 'alice',
  rule: 'all',
  duration: 1,
  generation: 1,
}

const EVENTS: readonly DecisionEvent[] = [
  DECISION,
  { ...DECISION, id: 'two', decision: 'deny', reason: 'no-rule', status: 403, user: 'bob' },
  {
    ...DECISION,
    id: 'three',
    route: 'kubernetes',
    source: '2001:db8::1',
    kubernetes: {
      verb: 'create',
      resource: 'pods',
      subresource: 'exec',
      namespace: 'x',
      name: 'y',
    },
  },
]

/** The ids that are found, of a log with the events. */
const idsOf = async (...options: readonly string[]): Promise<readonly unknown[]> => {
  await using folder = await temporaryFolder()
  const file = folder.file('audit.jsonl')
  {
    using sink = new JsonLinesSink(file)
    for (const event of EVENTS) await sink.write(event)
  }
  const { stdout, stderr, status } = await countersign([
    'audit',
    'list',
    '--json',
    file,
    ...options,
  ])
  assert.equal(stderr, '')
  const ids = stdout
    .split('\n')
    .slice(0, -1)
    .map((line): unknown => JSON.parse(line).id)
  assert.equal(status, ids.length > 0 ? 0 : 1)
  return ids.filter((id) => id !== undefined)
}

const CASES: readonly { readonly options: readonly string[]; readonly want: readonly string[] }[] =
  [
    { options: [], want: ['one', 'two', 'three'] },
    { options: ['--user', 'alice'], want: ['one', 'three'] },
    { options: ['--route', 'app'], want: ['one', 'two'] },
    { options: ['--decision', 'deny'], want: ['two'] },
    { options: ['--reason', 'permitted', '--user', 'bob'], want: [] },
    { options: ['--source', '192.0.2.0/24'], want: ['one', 'two'] },
    { options: ['--source', '2001:db8::/32'], want: ['three'] },
    { options: ['--source', '192.0.2.8'], want: [] },
    { options: ['--resource', 'pods'], want: ['three'] },
    { options: ['--resource', 'pods/exec'], want: ['three'] },
    { options: ['--resource', 'pods/log'], want: [] },
    { options: ['--event', 'log-opened'], want: [] },
    { options: ['--since', '1h'], want: ['one', 'two', 'three'] },
    { options: ['--until', '2026-01-01'], want: [] },
  ]

describe('countersign audit list', () => {
  for (const { options, want } of CASES) {
    it(`finds ${want.join(', ') || 'none'} with ${options.join(' ') || 'no option'}`, async () => {
      assert.deepEqual(await idsOf(...options), want)
    })
  }

  it('prints a table of rotated and packed files, safe for a terminal', async () => {
    await using folder = await temporaryFolder()
    const file = folder.file('audit.jsonl')
    {
      using sink = new JsonLinesSink(file)
      await sink.write({ ...DECISION, user: 'mallory\u001b[31m' })
    }
    const packed = folder.file('packed')
    const old =
      '{"log":"audit","time":"2026-11-01T00:00:00.000Z","event":"login","outcome":"refused"}\n'
    await writeFile(packed, gzipSync(`${old}{"level":"info"}\nnot JSON\n`))
    const { stdout, stderr } = await countersign(['audit', 'list', packed, file])
    const lines = stdout.trimEnd().split('\n')
    assert.match(lines[0] ?? '', /^TIME +EVENT +USER +SOURCE +WHAT +WHY$/)
    assert.match(lines[1] ?? '', /^2026-11-01T00:00:00\.000Z {2}login refused +-/)
    assert.match(lines[2] ?? '', /log-opened/)
    assert.match(
      lines[3] ?? '',
      /allow 200 +mallory\?\[31m +192\.0\.2\.7 +GET app\.example\.org\/a +app rule=all permitted id=one$/,
    )
    assert.equal(lines.length, 4)
    assert.equal(stderr, `${packed}:3: not-json\n`)
  })

  it('ends with 2 where a file cannot be read, and refuses a source that is not an address', async () => {
    assert.equal((await countersign(['audit', 'list', '/nonexistent'])).status, 2)
    const { status, stderr } = await countersign(['audit', 'list', '-', '--source', 'alice'])
    assert.equal(status, 2)
    assert.match(stderr, /It must be an IP address or a network/)
  })

  it('follows a log over its rotation', async () => {
    await using folder = await temporaryFolder()
    const file = folder.file('audit.jsonl')
    using sink = new JsonLinesSink(file)
    await sink.write(DECISION)
    const args = [join(ROOT, 'src/countersign.ts'), 'audit', 'list', '--json', '--follow', file]
    const list = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    const ids: unknown[] = []
    for await (const line of createInterface(list.stdout)) {
      const { id } = JSON.parse(line)
      if (id !== undefined) ids.push(id)
      if (id === 'one') {
        await sink.write({ ...DECISION, id: 'two' })
        await rename(file, folder.file('audit.jsonl.1'))
        await sink.write({ ...DECISION, id: 'three' })
        sink.reopen()
        await sink.write({ ...DECISION, id: 'four' })
      }
      if (id === 'four') list.kill()
    }
    if (list.exitCode === null && list.signalCode === null) await once(list, 'exit')
    assert.deepEqual(ids, ['one', 'two', 'three', 'four'])
  })
})
