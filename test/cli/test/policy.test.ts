// `countersign test`: the tests of the rules that a configuration carries, and the rules that none of
// them touches.

import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { temporaryFolder, type TemporaryFolder } from '../../servers/temporary.ts'
import { countersign, type Result } from '../run.ts'
import { linesOf } from './lines.ts'

const CONFIGURATION = `
version: 1
listen: { authz: unix:authz.sock }
authenticators:
  tokens: { bearer: { issuer: https://login.invalid, audiences: [a] } }
routes:
  - name: app
    match: { hosts: [app.example] }
    authenticate: [tokens]
    authorize:
      - { deny: closed, paths: [/closed/**] }
      - { deny: soon, shadow: true, paths: [/soon] }
      - { deny: never, shadow: true, paths: [/never] }
      - list: team
        rules:
          - { allow: reads, methods: [GET], groups: [dev] }
          - { allow: writes, when: claims.level > 3 }
  - name: other
    match: { hosts: [other.example] }
    authenticate: [tokens]
    authorize:
      - { allow: all }
tests:`

const test = async (
  folder: TemporaryFolder,
  tests: string,
  options: readonly string[] = [],
): Promise<Result> => {
  const file = folder.file('countersign.yaml')
  await writeFile(file, `${CONFIGURATION}\n${tests}\n`)
  return await countersign(['test', '--config', file, ...options])
}

const READS = `
  - name: developers read
    request: { host: app.example, path: /soon }
    identity: { user: alice, groups: [dev] }
    want: { decision: allow, rule: reads, shadow: { soon: deny } }`

const ALL = `${READS}
  - { name: closed to all, request: { host: app.example, path: /closed/x }, identity: { user: a }, want: { decision: deny, rule: closed, status: 403 } }
  - { name: never, request: { host: app.example, path: /never, method: PUT }, identity: { user: a, claims: { level: 4 } }, want: { decision: allow, rule: writes } }
  - { name: the other, request: { host: other.example }, identity: { user: a }, want: { decision: allow } }`

describe('countersign test with policy tests', { concurrency: true }, () => {
  it('passes, and lists rules that no test covers', async () => {
    await using folder = await temporaryFolder()
    const result = await test(folder, READS)
    assert.deepEqual([result.status, result.stderr], [0, ''])
    assert.deepEqual(linesOf(result, folder), [
      'ok      app: developers read',
      'app: no test covers 3 of 5 rules:',
      '    deny closed (/countersign.yaml:11:9)',
      '    deny never, in shadow (/countersign.yaml:13:9)',
      '    allow writes (/countersign.yaml:17:13)',
      'other: no test covers 1 of 1 rule:',
      '    allow all (/countersign.yaml:22:9)',
      '/countersign.yaml: 1 test, 0 failed; 6 rules, 4 not covered',
    ])
  })

  it('fails with --strict for rules that no test covers', async () => {
    await using folder = await temporaryFolder()
    const some = await test(folder, READS, ['--strict'])
    assert.equal(some.status, 1)
    const all = await test(folder, ALL, ['--strict'])
    assert.deepEqual([all.status, all.stderr], [0, ''])
    assert.deepEqual(linesOf(all, folder).slice(-2), [
      'ok      other: the other',
      '/countersign.yaml: 4 tests, 0 failed; 6 rules, 0 not covered',
    ])
    const none = await test(folder, '  []', ['--strict'])
    assert.equal(none.status, 1)
    assert.match(none.stdout, /allow writes[^]*: 0 failed; 6 rules, 6 not covered\n$/)
  })

  it('warns about valid settings that are probably mistakes, and fails for them with --strict', async () => {
    await using folder = await temporaryFolder()
    const file = folder.file('countersign.yaml')
    const rule = '{ deny: no-secrets, verbs: [get, list, watch], resources: [secrets] }'
    const text = `${CONFIGURATION}${ALL}`
      .replace('- { allow: all }', `- ${rule}\n      - { allow: all }`)
      .replace('  - name: other\n', '  - name: other\n    kind: kubernetes\n')
    const secret = `
  - { name: no secrets, request: { host: other.example, path: /api/v1/secrets }, identity: { user: a }, want: { decision: deny, rule: no-secrets } }`
    await writeFile(file, `${text}${secret}\n`)
    const warned = await countersign(['test', '--config', file])
    assert.deepEqual([warned.status, warned.stderr], [0, ''])
    const place = '/countersign.yaml:23:29: warning: routes[1].authorize[0].verbs: "no-secrets"'
    const lines = linesOf(warned, folder)
    assert.equal(lines.filter((line) => line.startsWith(place)).length, 1, lines.join('\n'))
    assert.equal((await countersign(['test', '--config', file, '--strict'])).status, 1)
    const { stdout } = await countersign(['test', '--config', file, '--json'])
    const { warnings } = JSON.parse(stdout)
    assert.equal(warnings.length, 1)
    const { path, line, column } = warnings[0]
    assert.deepEqual([path, line, column], ['routes[1].authorize[0].verbs', 23, 29])
  })

  it('reports that there are no tests', async () => {
    await using folder = await temporaryFolder()
    const result = await test(folder, '  []')
    assert.equal(result.status, 0)
    assert.deepEqual(linesOf(result, folder), [
      '/countersign.yaml: there are no "tests", and no "identity" has "examples"',
    ])
  })

  it('fails, and prints difference, reason and position', async () => {
    await using folder = await temporaryFolder()
    const tests = `
  - { name: reads, request: { host: app.example, path: /closed/x }, identity: { user: a, groups: [dev] }, want: { decision: allow, rule: reads, status: 200 } }
  - { name: nothing, request: { host: app.example }, identity: { user: a, claims: { level: 1 } }, want: { decision: allow } }
  - { name: vague, request: { host: app.example }, identity: { user: a }, want: { decision: deny, reason: no-rule } }
  - { name: nobody, request: { host: app.example }, want: { decision: allow } }
  - { name: nowhere, request: { host: new.example }, want: { decision: allow } }
  - name: unknown
    request: { host: app.example }
    identity: { user: a, authenticator: staff }
    want: { decision: deny }
  - { name: other, request: { host: other.example }, identity: { user: a }, want: { decision: deny, headers: { x-a: [] } } }`
    const result = await test(folder, tests)
    assert.deepEqual([result.status, result.stderr], [1, ''])
    assert.deepEqual(linesOf(result, folder).slice(0, -7), [
      'FAILED  app: reads (/countersign.yaml:25:5)',
      '    decision  - wanted  "allow"',
      '    decision  + got     "deny"',
      '    rule  - wanted  "reads"',
      '    rule  + got     "closed"',
      '    status  - wanted  200',
      '    status  + got     403',
      '    because  rule "closed" (/countersign.yaml:11:9) decides',
      'FAILED  app: nothing (/countersign.yaml:26:5)',
      '    decision  - wanted  "allow"',
      '    decision  + got     "deny"',
      '    because  no rule of "app" matches',
      'FAILED  app: vague (/countersign.yaml:27:5)',
      '    reason  - wanted  "no-rule"',
      '    reason  + got     "rule-failed"',
      '    because  rule "writes" (/countersign.yaml:17:13) cannot be evaluated: no_such_key (at character 8)',
      'FAILED  app: nobody (/countersign.yaml:28:5)',
      '    decision  - wanted  "allow"',
      '    decision  + got     "deny"',
      '    because  credential-missing',
      'FAILED  no route: nowhere (/countersign.yaml:29:5)',
      '    decision  - wanted  "allow"',
      '    decision  + got     "deny"',
      '    because  no route matches',
      'FAILED  app: unknown (/countersign.yaml:32:26)',
      '    because  "staff" is not an authenticator of route "app" (there are: tokens)',
      'FAILED  other: other (/countersign.yaml:34:5)',
      '    decision  - wanted  "deny"',
      '    decision  + got     "allow"',
      '    because  rule "all" (/countersign.yaml:22:9) decides',
    ])
    assert.deepEqual(linesOf(result, folder).slice(-2), [
      '"countersign explain" shows how each rule evaluates a request.',
      '/countersign.yaml: 7 tests, 7 failed; 6 rules, 4 not covered',
    ])
  })

  it('prints the same as JSON', async () => {
    await using folder = await temporaryFolder()
    const bad = `${READS}
  - { name: bad, request: { host: new.example }, want: { decision: allow } }
  - { name: worse, request: { host: app.example }, want: { decision: deny, rule: all } }`
    const { status, stdout } = await test(folder, bad, ['--json'])
    assert.equal(status, 1)
    const { tests, untouched, examples, warnings, ...rest } = JSON.parse(stdout)
    assert.deepEqual([rest, examples, warnings], [{}, [], []])
    const [good, failed, unusable] = tests
    assert.deepEqual(good, {
      index: 0,
      name: 'developers read',
      route: 'app',
      line: 25,
      column: 5,
      ok: true,
      got: {
        outcome: 'decided',
        decision: 'allow',
        reason: 'permitted',
        rule: 'reads',
        status: 200,
        headers: {},
        shadow: { soon: 'deny' },
      },
      differences: [],
    })
    assert.deepEqual(
      [failed.ok, failed.route, failed.got.reason, failed.differences],
      [false, undefined, 'no-route', [{ what: 'decision', wanted: 'allow', got: 'deny' }]],
    )
    assert.deepEqual(unusable, {
      index: 2,
      name: 'worse',
      route: 'app',
      line: 30,
      column: 76,
      ok: false,
      got: { outcome: 'unusable', reason: 'route "app" has no rule "all"', path: ['want', 'rule'] },
      differences: [],
    })
    assert.deepEqual(untouched[1], {
      route: 'app',
      rule: 'never',
      effect: 'deny',
      shadow: true,
      line: 13,
      column: 9,
    })
    assert.equal(untouched.length, 4)
  })

  it('prints no control characters of a configuration', async () => {
    await using folder = await temporaryFolder()
    const { stdout } = await test(
      folder,
      String.raw`  - { name: "a\e[2Jb", request: { host: app.example }, identity: { user: a }, want: { decision: deny, reason: "x\u009b" } }`,
    )
    assert.match(stdout, /a\?\[2Jb/)
    // oxlint-disable-next-line no-control-regex -- that there is none
    assert.doesNotMatch(stdout, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/)
  })

  it('ends with 2 for an invalid configuration, with every problem', async () => {
    await using folder = await temporaryFolder()
    const file = folder.file('countersign.yaml')
    const broken = CONFIGURATION.replace('claims.level > 3', 'claims.level >').replace(
      'audiences: [a]',
      'audiences: [a], keys: { file: none.json }',
    )
    await writeFile(file, `${broken}${READS}\n`)
    const { status, stdout, stderr } = await countersign(['test', '-c', file])
    assert.deepEqual([status, stdout], [2, ''])
    assert.match(stderr, /authenticators\.tokens\.bearer: .*none\.json does not exist/)
    assert.match(
      stderr,
      /countersign\.yaml:17:\d+: routes\[0\]\.authorize\[3\]\.rules\[1\]\.when: /,
    )
    assert.match(stderr, /2 problems found/)
  })

  it('ends with 2 for a credential in a test', async () => {
    await using folder = await temporaryFolder()
    const { status, stderr } = await test(
      folder,
      '  - { name: t, request: { host: a, headers: { Authorization: Bearer x } }, want: { decision: deny } }',
    )
    assert.equal(status, 2)
    assert.match(stderr, /:24:\d+: tests\[0\]\.request\.headers\.Authorization: holds a credential/)
  })
})
