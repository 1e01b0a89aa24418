// `countersign explain`, as a process: every form of the request, what it prints and how it exits.

import assert from 'node:assert/strict'
import { copyFile, writeFile } from 'node:fs/promises'
import { after, before, describe, it } from 'node:test'
import { createAuthority } from '../../servers/pki.ts'
import { temporaryFolder, type TemporaryFolder } from '../../servers/temporary.ts'
import { countersign, type Result } from '../run.ts'

const PASSWORD = 'correct horse'

const CONFIGURATION = `
version: 1
listen: { authz: unix:authz.sock }
authenticators:
  staff: { basic: { verify: [{ users: { file: users.yaml } }] } }
  tokens: { bearer: { issuer: https://login.invalid, audiences: [a] } }
  guests: { anonymous: {} }
routes:
  - name: kube
    kind: kubernetes
    match: { hosts: [kube.example.org] }
    authenticate: [staff]
    apiServer: { server: 'https://127.0.0.1:1', ca: ca.pem, token: file:token }
    authorize: [{ allow: reviewed, subjectAccessReview: true }]
  - name: app
    authenticate: [tokens, staff, guests]
    authorize:
      - { deny: admin, paths: [/admin/**], times: [{ since: '2030-01-01T00:00:00Z' }] }
      - { deny: odd, paths: [/odd], when: 'request.headers["x-odd"][0] == "1"' }
      - { allow: staff, groups: [dev] }
      - { allow: token, authenticators: [tokens], when: 'claims.level > 2' }
    forward: { headers: kubernetes }
`

const setUp = async (folder: TemporaryFolder): Promise<void> => {
  const { stdout } = await countersign(['hash-password'], PASSWORD)
  const hash = stdout.trim()
  await writeFile(folder.file('countersign.yaml'), CONFIGURATION)
  await writeFile(
    folder.file('users.yaml'),
    `users: { alice: { password: '${hash}', groups: [dev] } }\n`,
    { mode: 0o600 },
  )
  await writeFile(folder.file('token'), 'secret\n', { mode: 0o600 })
  await using authority = await createAuthority('test CA')
  await copyFile(authority.ca, folder.file('ca.pem'))
}

const U = 'https://app.example.org/x'
const KUBE = 'https://kube.example.org/api/v1/pods'

const CASES: readonly {
  name: string
  args: readonly string[]
  input?: string
  status: number
  want: RegExp
}[] = [
  {
    name: 'a request of a given user',
    args: ['--user', 'bob', '--group', 'dev', '--url', U],
    status: 0,
    want: /answer {8}allowed {2}permitted by "staff"/,
  },
  {
    name: 'a request of a given user that no rule allows',
    args: ['--user', 'bob', '--group', 'ops', '--host', 'app.example.org'],
    status: 1,
    want: /miss {8}allow staff {2}groups: wanted "dev", got "ops"/,
  },
  {
    name: 'a request of a given user with claims',
    args: ['--user', 'bob', '--authenticator', 'tokens', '--claims', '{"level":3}', '--url', U],
    status: 0,
    want: /permitted by "token"/,
  },
  {
    name: 'a request at a given time',
    args: ['--user', 'bob', '--url', 'https://a/admin/x', '--at', '2031-01-01T00:00:00Z'],
    status: 1,
    want: /rule-denied by "admin"/,
  },
  {
    name: 'a request with a password, in curl’s form',
    args: ['--', 'curl', '-sk', '-u', `alice:${PASSWORD}`, U],
    status: 0,
    want: /hit {9}staff\n[^]*set {9}x-remote-user: alice[^]*remove {6}authorization/,
  },
  {
    name: 'a request with a wrong password',
    args: ['--', 'curl', '-u', 'alice:wr0ng', U],
    status: 1,
    want: /miss {8}staff {2}rejected {2}credential-wrong {2}claimed to be "alice"/,
  },
  {
    name: 'a request without a credential',
    args: ['--url', U],
    status: 1,
    want: /hit {9}guests\n[^]*answer {8}refused {2}403 {2}no-rule/,
  },
  {
    name: 'a request with a given answer of the API server',
    args: ['--user', 'bob', '--reviewed', 'yes', '--url', KUBE],
    status: 0,
    want: /API server {2}called: allowed/,
  },
  {
    name: 'a request for which the API server would be called',
    args: ['--user', 'bob', '--url', KUBE],
    status: 1,
    want: /because {5}it was not called: use --call-api-server to call it/,
  },
  {
    name: 'a request in JSON on standard input, as in policy tests',
    args: ['--request', '-', '--json'],
    input: JSON.stringify({
      name: 'x',
      request: { host: 'app.example.org', headers: { authorization: 'Bearer s3cret' } },
      identity: { user: 'bob', groups: ['dev'] },
    }),
    status: 0,
    want: /"reason": "permitted"/,
  },
  { name: 'no arguments', args: [], status: 2, want: /there is no request/ },
  { name: 'two requests', args: ['--url', U, '--', 'curl', U], status: 2, want: /once/ },
  { name: 'a program that is not curl', args: ['--', 'wget', U], status: 2, want: /curl/ },
  {
    name: 'an unknown option of curl',
    args: ['--', 'curl', '--digest', U],
    status: 2,
    want: /"--digest"/,
  },
  { name: 'an unknown option', args: ['--bogus'], status: 2, want: /--bogus/ },
  {
    name: 'a group without a user',
    args: ['--group', 'dev', '--url', U],
    status: 2,
    want: /--user/,
  },
  {
    name: 'a user of a route without authenticators',
    args: ['--user', 'a', '--authenticator', 'x', '--url', U],
    status: 2,
    want: /"x" is not an authenticator/,
  },
  { name: 'a missing host', args: ['--method', 'GET'], status: 2, want: /request\.host/ },
  {
    name: 'input other than JSON',
    args: ['--request', '-'],
    input: '{"s3cret',
    status: 2,
    want: /standard input: must be JSON/,
  },
  {
    name: 'a log without the decision',
    args: ['--decision', 'x', '--audit', 'missing.log'],
    status: 2,
    want: /missing\.log/,
  },
]

describe('countersign explain', { concurrency: 2 }, () => {
  let folder: TemporaryFolder
  before(async () => {
    folder = await temporaryFolder()
    await setUp(folder)
  })
  after(async () => {
    await folder[Symbol.asyncDispose]()
  })

  for (const { name, args, input = '', status, want } of CASES) {
    it(`explains ${name}`, async () => {
      const config = ['--config', folder.file('countersign.yaml')]
      const result: Result = await countersign(['explain', ...config, ...args], input)
      const said = result.stdout + result.stderr
      assert.equal(result.status, status, said)
      assert.match(said, want)
      for (const secret of [PASSWORD, 'wr0ng', 's3cret']) assert.ok(!said.includes(secret), secret)
    })
  }

  const explainDecision = async (path: string, args: readonly string[] = []): Promise<Result> => {
    const event = {
      time: '2026-01-01T00:00:00.000Z',
      event: 'decision',
      id: 'd1',
      decision: 'deny',
      reason: 'no-rule',
      status: 403,
      route: 'app',
      method: 'GET',
      host: 'app.example.org',
      path,
      source: '203.0.113.9',
      user: 'bob',
      groups: ['dev'],
      authenticator: 'staff',
      authentication: 'basic',
      credential: 'c',
      duration: 10,
      generation: 1,
    }
    // A separate file, since other tests run at the same time.
    const log = folder.file(`audit${path.replaceAll(/[^a-z]/g, '')}${args.length}.log`)
    await writeFile(log, `{"event":"other"}\n${JSON.stringify(event)}\n`)
    const config = `--config=${folder.file('countersign.yaml')}`
    return await countersign(['explain', config, '--decision=d1', `--audit=${log}`, ...args])
  }

  it('explains a decision of the audit log', async () => {
    const { status, stdout, stderr } = await explainDecision('/x?q=[withheld]')
    assert.equal(status, 0, stderr)
    assert.match(stdout, /note {8}From an audit log/)
    assert.match(stdout, /then {8}deny \(no-rule\)/)
    assert.match(stdout, /permitted by "staff"/)
  })

  it('is undetermined where the log lacks a field that a rule reads', async () => {
    const { status, stdout } = await explainDecision('/odd')
    assert.equal(status, 2)
    assert.match(stdout, /now {9}not known: "when" reads what is not in the log/)
    assert.doesNotMatch(stdout, /^answer/m)
  })

  it('names the present option for --ask', async () => {
    const { status, stderr } = await explainDecision('/x', ['--ask'])
    assert.equal(status, 2)
    assert.match(stderr, /option '--ask' is now '--call-api-server'/)
  })

  for (const option of ['--call-api-server', '--reviewed=yes']) {
    it(`refuses ${option} with a decision of the log`, async () => {
      const { status, stderr } = await explainDecision('/x', [option])
      assert.equal(status, 2)
      assert.match(stderr, /the log does not contain the answer/)
    })
  }
})
