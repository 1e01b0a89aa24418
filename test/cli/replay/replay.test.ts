// `countersign replay`: what it says of an audit log and another configuration.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { decisionLine, refusalLine, type EventFields } from '../../fakes/audit-lines.ts'
import { temporaryFolder } from '../../servers/temporary.ts'
import { countersign } from '../run.ts'
import { jsonOf, replay } from './replaying.ts'

const ALL = '{ allow: all }'
const OTHERS: readonly EventFields[] = [
  { log: 'audit', event: 'configuration-loaded', generation: 1, file: 'x' },
  refusalLine('credential-wrong', { groups: undefined }),
]

describe('countersign replay', { concurrency: true }, () => {
  it('ends with 0 when no decision changes', async () => {
    await using folder = await temporaryFolder()
    const result = await replay(folder, ALL, [...OTHERS, decisionLine(), decisionLine()])
    assert.deepEqual([result.status, result.stderr], [0, ''])
    assert.equal(
      result.stdout,
      `lines                               4
decisions                           3
made before the rules               1
  same                              2
  changed                           0
  undetermined                      0
lines about something else          1

/new.yaml: no decision changes
`,
    )
  })

  it('ends with 1 and lists changes, newly allowed ones first', async () => {
    await using folder = await temporaryFolder()
    const result = await replay(
      folder,
      `{ deny: writes, methods: [PUT] }, { allow: all, users: [alice, bob] }, { allow: old, shadow: true }`,
      [
        decisionLine({ method: 'PUT', path: '/p', id: 'd-1' }),
        decisionLine({ method: 'PUT', path: '/q', id: 'd-2', user: 'bob' }),
        decisionLine({ method: 'PUT', path: '/r', id: 'd-3', user: 'bob' }),
        refusalLine('no-rule', { id: 'd-4' }),
        decisionLine({ id: 'd-5' }),
        refusalLine('no-rule', { id: 'd-6', user: 'carol' }),
        refusalLine('rule-denied', { rule: 'gone', id: 'd-7', user: 'carol' }),
      ],
      ['--examples', '2'],
    )
    assert.deepEqual([result.status, result.stderr], [1, ''])
    const [, groups = ''] = result.stdout.split('changed\n')
    assert.equal(
      groups.slice(groups.indexOf('  app')),
      `  app: deny (no-rule) -> allow by all
    1 decision about 1 user
      2026-01-01T12:00:00.000Z  d-4  alice  GET app.example.org/a
  app: allow by all -> deny by writes
    3 decisions about 2 users
      2026-01-01T12:00:00.000Z  d-1  alice  PUT app.example.org/p
      2026-01-01T12:00:00.000Z  d-2  bob  PUT app.example.org/q
  app: deny by gone -> deny (no-rule)
    1 decision about 1 user
      2026-01-01T12:00:00.000Z  d-7  carol  GET app.example.org/a

shadow rules, which do not decide
  app, old: none -> allow
    2 decisions about 1 user
      2026-01-01T12:00:00.000Z  d-6  carol  GET app.example.org/a
      2026-01-01T12:00:00.000Z  d-7  carol  GET app.example.org/a

/new.yaml: 5 decisions change
`,
    )
  })

  it('reports undetermined decisions as unchanged, and exits with 1 for them only with --strict', async () => {
    await using folder = await temporaryFolder()
    const rules = `{ allow: odd, when: 'has(request.headers)' }`
    const result = await replay(folder, rules, [decisionLine()])
    assert.equal(result.status, 0)
    assert.match(result.stdout, /app, odd: "when" reads what is not in the log\n/)
    assert.match(
      result.stdout,
      /no decision changes; 1 decision undetermined, since the log lacks data\n$/,
    )
    assert.equal((await replay(folder, rules, [decisionLine()], ['--strict'])).status, 1)
  })

  it('prints JSON lines', async () => {
    await using folder = await temporaryFolder()
    const rules = `{ deny: no, users: [bob] }, { allow: odd, methods: [PUT], when: 'has(identity.uid)' }, ${ALL}`
    const lines = [
      decisionLine({ user: 'bob' }),
      decisionLine({ method: 'PUT', id: 'd-2' }),
      decisionLine(),
      'no JSON',
    ]
    const result = await replay(folder, rules, lines, ['--json'])
    assert.deepEqual([result.status, result.stderr], [1, ''])
    const [change, undetermined, unreadable, summary, ...more] = jsonOf(result)
    assert.deepEqual(more, [])
    const before = { decision: 'allow', reason: 'permitted', rule: 'all' }
    const example = {
      file: '/audit.jsonl',
      time: '2026-01-01T12:00:00.000Z',
      host: 'app.example.org',
      path: '/a',
    }
    const first = { ...example, line: 1, id: 'd-1', user: 'bob', method: 'GET' }
    const second = { ...example, line: 2, id: 'd-2', user: 'alice', method: 'PUT' }
    const after = { decision: 'deny', reason: 'rule-denied', rule: 'no' }
    assert.deepEqual(change, { kind: 'change', ...first, route: 'app', before, after })
    const group = { what: 'condition', rule: 'odd', route: 'app' }
    assert.deepEqual(undetermined, { kind: 'undetermined', ...second, ...group, before })
    assert.deepEqual(unreadable, {
      kind: 'unreadable',
      file: '/audit.jsonl',
      line: 4,
      why: 'not-json',
    })
    const count = { count: 1, users: 1, usersCut: false }
    assert.deepEqual(summary, {
      kind: 'summary',
      totals: {
        lines: 4,
        decisions: 3,
        left: 0,
        beforeRules: 0,
        summarised: 0,
        other: 0,
        unreadable: 1,
        same: 1,
        changed: 1,
        undetermined: 1,
      },
      changes: [{ route: 'app', before, after, ...count, examples: [first] }],
      undetermined: [{ ...group, ...count, examples: [second] }],
      shadows: [],
      moved: [],
    })
  })

  it('prints how many refusals are in summaries', async () => {
    await using folder = await temporaryFolder()
    const summary = { log: 'audit', event: 'refusals-summary', count: 9_000, logins: 1_000 }
    const { stdout } = await replay(folder, '{ allow: all }', [decisionLine(), summary])
    assert.match(stdout, /^refusals in summaries +8000$/m)
  })

  it('filters decisions by --since and other options', async () => {
    await using folder = await temporaryFolder()
    const lines = [
      decisionLine({ time: '2026-01-01T00:00:00Z', user: 'bob', id: 'early' }),
      decisionLine({ time: '2026-01-02T00:00:00Z', user: 'bob', id: 'meant' }),
      decisionLine({ time: '2026-01-02T00:00:00Z', user: 'alice', id: 'other user' }),
      decisionLine({ time: '2026-01-02T00:00:00Z', user: 'bob', route: 'x', id: 'other route' }),
      decisionLine({ time: '2026-01-03T00:00:00Z', user: 'bob', id: 'late' }),
    ]
    const options =
      '--json --since 2026-01-02 --until 2026-01-03T01:00:00+01:00 --user bob --route app'
    const result = await replay(folder, '{ deny: no }', lines, options.split(' '))
    const changes = jsonOf(result).filter(({ kind }) => kind === 'change')
    assert.deepEqual(
      changes.map(({ id }) => id),
      ['meant'],
    )
  })

  it('has a help text', async () => {
    const { status, stdout } = await countersign(['replay', '--help'])
    assert.equal(status, 0)
    const says = [
      /<files\.\.\.>/,
      /--config <file>/,
      /--json/,
      /--rematch/,
      /Exit codes:/,
      /"summary"/,
    ]
    for (const pattern of says) assert.match(stdout, pattern)
  })
})
