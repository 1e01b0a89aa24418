// `countersign replay`: logs of every length and in every state, and nothing but them.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { describe, it } from 'node:test'
import { decisionLine } from '../../fakes/audit-lines.ts'
import { temporaryFolder } from '../../servers/temporary.ts'
import { countersign } from '../run.ts'
import { configuration, jsonOf, logOf, replay } from './replaying.ts'

const ALL = '{ allow: all }'

describe('countersign replay', { concurrency: true }, () => {
  it('reads several files, and standard input', async () => {
    await using folder = await temporaryFolder()
    await writeFile(folder.file('new.yaml'), configuration(ALL))
    await writeFile(folder.file('one'), logOf([decisionLine()]))
    const args = ['replay', folder.file('one'), '-', '--config', folder.file('new.yaml'), '--json']
    const result = await countersign(args, logOf([decisionLine({ rule: 'x' })]))
    const [change, summary] = jsonOf(result)
    assert.deepEqual([change?.['file'], change?.['line']], ['-', 1])
    assert.match(JSON.stringify(summary), /"decisions":2,.*"same":1,"changed":1,/)
  })

  it('hostile: reports unreadable lines and continues', async () => {
    await using folder = await temporaryFolder()
    const lines = [
      'no JSON',
      '\0\0\0',
      `{"a":"${'x'.repeat(10_485_760)}"}`,
      decisionLine({ groups: 'dev' }),
      ...Array.from({ length: 20 }, () => '[]'),
      decisionLine({ user: 'a\u001b[2Jb\u202e\u009b', path: '/\u0007', rule: 'x\ny' }),
    ]
    const result = await replay(folder, ALL, lines)
    assert.equal(result.status, 1)
    const complaints = result.stderr.replaceAll(folder.path, '').trimEnd().split('\n')
    assert.deepEqual(complaints.slice(0, 5), [
      '/audit.jsonl:1: not-json',
      '/audit.jsonl:2: not-json',
      '/audit.jsonl:3: too-long',
      '/audit.jsonl:4: malformed: groups',
      '/audit.jsonl:5: not-an-object',
    ])
    assert.equal(complaints.length, 10)
    assert.match(result.stdout, /lines that cannot be read +24\n/)
    // oxlint-disable-next-line no-control-regex -- that there is none
    assert.doesNotMatch(result.stdout, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/)
    const json = await replay(folder, ALL, lines.slice(-1), ['--json'])
    // oxlint-disable-next-line no-control-regex -- as above
    assert.doesNotMatch(json.stdout, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/)
    assert.equal(jsonOf(json)[0]?.['user'], 'a\u001b[2Jb\u202e\u009b')
  })

  const UNUSABLE: readonly { name: string; file: string; rules: string; says: RegExp }[] = [
    {
      name: 'a log that does not exist',
      file: 'none',
      rules: ALL,
      says: /none cannot be read: ENOENT/,
    },
    { name: 'a folder', file: '', rules: ALL, says: /cannot be read: EISDIR/ },
    {
      name: 'a file without decisions',
      file: 'new.yaml',
      rules: ALL,
      says: /there is no decision in /,
    },
    {
      name: 'an invalid configuration, of which all problems are listed',
      file: 'audit.jsonl',
      rules: `{ allow: all, when: 'identity.nothing' }, { deny: x, verbs: [get] }`,
      says: /authorize\[0\]\.when: [^]*authorize\[1\]\.verbs: [^]*2 problems found/,
    },
  ]
  for (const { name, file, rules, says } of UNUSABLE) {
    it(`ends with 2: ${name}`, async () => {
      await using folder = await temporaryFolder()
      await writeFile(folder.file('new.yaml'), configuration(rules))
      await writeFile(folder.file('audit.jsonl'), logOf([decisionLine()]))
      const config = folder.file('new.yaml')
      const result = await countersign(['replay', folder.file(file), '--config', config])
      assert.deepEqual([result.status, result.stdout.replaceAll(/lines[^]*/g, '')], [2, ''])
      assert.match(result.stderr, says)
    })
  }

  it('sends no request', async () => {
    await using folder = await temporaryFolder()
    let connections = 0
    const server = createServer((socket) => {
      connections += 1
      socket.destroy()
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    assert.ok(typeof address === 'object' && address !== null)
    const issuer = `https://127.0.0.1:${address.port}`
    await writeFile(folder.file('new.yaml'), configuration(ALL, issuer))
    const args = ['replay', '-', '--config', folder.file('new.yaml')]
    const result = await countersign(args, logOf([decisionLine()]))
    server.close()
    assert.deepEqual([result.status, result.stderr, connections], [0, '', 0])
  })

  it('reads a long log in pieces', async (test) => {
    await using folder = await temporaryFolder()
    const lines = 40_000
    const file = createWriteStream(folder.file('audit.jsonl'))
    for (let from = 0; from < lines; from += 1_000) {
      const some = Array.from({ length: 1_000 }, (_, index) => {
        const place = from + index
        const user = `user-${place % 5_000}`
        return decisionLine({ id: `d-${place}`, user, method: place % 4 === 0 ? 'PUT' : 'GET' })
      })
      if (!file.write(logOf(some))) await once(file, 'drain')
    }
    file.end()
    await once(file, 'close')
    await writeFile(folder.file('new.yaml'), configuration(`{ deny: no, methods: [PUT] }, ${ALL}`))
    const started = performance.now()
    const args = ['replay', folder.file('audit.jsonl'), '--config', folder.file('new.yaml')]
    const { status, stdout } = await countersign(args)
    const seconds = (performance.now() - started) / 1_000
    test.diagnostic(`${lines} lines in ${seconds.toFixed(1)} s`)
    assert.equal(status, 1)
    assert.match(stdout, /decisions +40000\n +same +30000\n +changed +10000\n/)
    assert.match(stdout, /10000 decisions about more than 1000 users/)
  })
})
