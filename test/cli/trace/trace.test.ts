// `countersign trace`: its text and JSON output, and its exit codes.

import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { gzipSync } from 'node:zlib'
import {
  apiLine,
  certificateApiLine,
  certificateDecision,
  IDS,
  issuedLine,
  logOf,
  tracedDecision,
} from '../../fakes/traced-lines.ts'
import { temporaryFolder, type TemporaryFolder } from '../../servers/temporary.ts'
import { countersign, type Result } from '../run.ts'

const LOGS = {
  audit: logOf(certificateDecision({ source: '203.0.113.7' })),
  issuance: logOf(issuedLine()),
  'kube-audit': logOf(certificateApiLine()),
}

const traceIn = async (
  folder: TemporaryFolder,
  logs: Readonly<Record<string, string | Buffer>> = LOGS,
  more: readonly string[] = [],
  id: string = IDS.decision,
): Promise<Result> => {
  const options = await Promise.all(
    Object.entries(logs).map(async ([name, text]) => {
      await writeFile(folder.file(name), text)
      return [`--${name}`, folder.file(name)]
    }),
  )
  return await countersign(['trace', id, ...options.flat(), ...more])
}

describe('countersign trace', { concurrency: true }, () => {
  it('reports the events in order of time', async () => {
    await using folder = await temporaryFolder()
    const { status, stdout, stderr } = await traceIn(folder)
    assert.deepEqual([status, stderr], [0, ''])
    assert.equal(
      stdout,
      `decision ${IDS.decision}
  2026-11-26T10:00:00.100Z  Countersign decided: allow, permitted by rule rbac-decides on route kubernetes
      user        bob
      groups      "dev", "ops"
      credential  basic by staff fingerprint fingerprint
      from        203.0.113.7
      request     GET app.example.org/api/v1/namespaces/default/pods?limit=[withheld]
      kubernetes  list pods in default
      forwarded   certificate
      certificate handle ${IDS.handle}
      request id  ${IDS.request}
  2026-11-26T10:00:00.120Z  signer: issued a certificate of kube
      subject     O=dev+O=ops,CN=bob
      fingerprint ${IDS.fingerprint}
      serial      ${IDS.serial}
      handle      ${IDS.handle}
      valid       2026-11-26T09:55:00Z to 2026-11-26T10:55:00Z
  2026-11-26T10:00:00.130456Z  API server: list pods in default -> 200
      user        bob
      groups      "ops", "dev", "system:authenticated"
      credential  X509SHA256=${IDS.fingerprint}
      from        10.0.0.9
      request     /api/v1/namespaces/default/pods?limit=500
      authorized  allow
      audit id    ${IDS.decision}
  the API server saw the same
`,
    )
  })

  it('reads compressed logs of rotations', async () => {
    await using folder = await temporaryFolder()
    const packed = Object.entries(LOGS).map(([name, text]) => [name, gzipSync(text)] as const)
    const { status, stdout } = await traceIn(folder, Object.fromEntries(packed))
    assert.equal(status, 0)
    assert.match(stdout, /the API server saw the same/)
  })

  it('has the remedy of a refused decision and of a refused certificate', async () => {
    await using folder = await temporaryFolder()
    const denied = certificateDecision({ decision: 'deny', reason: 'no-rule', status: 403 })
    const refused = { ...issuedLine(), event: 'certificate-refused', reason: 'grant-forged' }
    const logs = { audit: logOf(denied), issuance: logOf(refused) }
    const { stdout } = await traceIn(folder, logs)
    assert.match(stdout, /deny, no-rule[^]*\n {6}remedy {6}Add an `allow` rule/)
    assert.match(stdout, /grant-forged\n[^]*\n {6}remedy {6}Only authz can seal grants/)
  })

  it('has no remedy for a reason that this release does not know', async () => {
    await using folder = await temporaryFolder()
    const denied = certificateDecision({ decision: 'deny', reason: 'of-a-later-release' })
    const { stdout } = await traceIn(folder, { audit: logOf(denied) })
    assert.match(stdout, /deny, of-a-later-release/)
    assert.doesNotMatch(stdout, /remedy/)
  })

  it('ends with 3 where events differ, with a warning', async () => {
    await using folder = await temporaryFolder()
    const seen = apiLine({ user: { username: 'root', groups: ['system:masters'] } })
    const logs = { audit: logOf(tracedDecision()), 'kube-audit': logOf(seen) }
    const { status, stdout } = await traceIn(folder, logs)
    assert.equal(status, 3)
    assert.match(stdout, /^ {2}!!! user: decided bob, the API server saw root$/m)
    assert.match(stdout, /^ {2}!!! groups: decided \["dev","ops"\], .*\["system:masters"\]$/m)
    assert.match(stdout, /^ {2}!!! credential: decided JTI=.*, the API server saw none$/m)
  })

  it('exits with 3 when a token of Countersign is used without a decision', async () => {
    await using folder = await temporaryFolder()
    const stolen = Array.from({ length: 12 }, (_, index) => apiLine({ auditID: `theirs-${index}` }))
    const logs = { audit: logOf(tracedDecision()), 'kube-audit': logOf(apiLine(), ...stolen) }
    const { status, stdout } = await traceIn(folder, logs)
    assert.equal(status, 3)
    assert.match(stdout, /^!!! 12 requests at the API server with this credential/m)
    assert.match(stdout, /theirs-9 .*\n {2}and 2 more\n$/)
  })

  it('reports what it does not know', async () => {
    await using folder = await temporaryFolder()
    const alone = await traceIn(folder, { audit: LOGS.audit })
    assert.match(alone.stdout, /--kube-audit is missing\n {2}the certificate is in no given log/)
    const unseen = await traceIn(folder, { ...LOGS, 'kube-audit': '' })
    assert.match(unseen.stdout, /the API server logged no request with this id/)
    const undecided = await traceIn(folder, { 'kube-audit': LOGS['kube-audit'] })
    assert.match(undecided.stdout, /without a decision in the logs: they bypassed/)
    assert.deepEqual([alone.status, unseen.status, undecided.status], [0, 0, 0])
  })

  it('prints JSON with --json', async () => {
    await using folder = await temporaryFolder()
    const { status, stdout } = await traceIn(folder, LOGS, ['--json'])
    assert.equal(status, 0)
    const [report, summary, ...more] = stdout
      .trimEnd()
      .split('\n')
      .map((line): Record<string, unknown> => JSON.parse(line))
    assert.equal(report?.['kind'], 'report')
    assert.deepEqual(report?.['differences'], [])
    assert.deepEqual(more, [])
    const { searched, ...rest } = summary ?? {}
    assert.deepEqual(rest, {
      kind: 'summary',
      id: IDS.decision,
      found: true,
      agrees: true,
      cut: false,
    })
    assert.deepEqual(searched, {
      audit: [folder.file('audit')],
      issuance: [folder.file('issuance')],
      envoyLog: [],
      kubeAudit: [folder.file('kube-audit')],
    })
  })

  it('reports requests that Envoy refused by itself, by source address', async () => {
    await using folder = await temporaryFolder()
    const refused = {
      log: 'envoy',
      event: 'connection-refused',
      time: '2026-11-27T10:00:00.000Z',
      reason: 'TLS_error:_certificate_has_expired',
      flags: '-',
      source: '203.0.113.9',
      serverName: '',
      subject: 'CN=old',
      issuer: 'CN=CA',
      serial: '0abc',
      fingerprint: 'f1f2',
    }
    const logs = { 'envoy-log': logOf('starting', refused) }
    const { status, stdout } = await traceIn(folder, logs, [], '203.0.113.9')
    assert.equal(status, 0)
    assert.equal(
      stdout,
      `refused by Envoy, without a decision
  2026-11-27T10:00:00.000Z  Envoy: refused a connection: TLS_error:_certificate_has_expired
      from        203.0.113.9
      subject     CN=old
      issuer      CN=CA
      serial      0abc
      fingerprint f1f2
`,
    )
  })

  it('reports summaries of refusals by source address', async () => {
    await using folder = await temporaryFolder()
    const summary = {
      log: 'audit',
      event: 'refusals-summary',
      time: '2026-11-27T10:00:30.000Z',
      source: '2001:db8:0:1:0:0:0:0/64',
      count: 1_200,
      logins: 200,
      first: '2026-11-27T10:00:00.000Z',
      last: '2026-11-27T10:00:29.000Z',
      reasons: [
        { reason: 'credential-missing', count: 1_000 },
        { reason: 'credential-wrong', count: 200 },
      ],
      routes: [{ route: 'api', count: 1_000 }],
      users: [{ user: 'alice', count: 200 }],
      bytes: 600_000,
    }
    const logs = { audit: logOf(summary, { ...summary, source: '203.0.113.9' }) }
    const { status, stdout } = await traceIn(folder, logs, [], '2001:db8:0:1::5')
    assert.equal(status, 0)
    assert.equal(
      stdout,
      `refused, without an event for each request
  2026-11-27T10:00:30.000Z  Countersign refused: 1200 requests
      from        2001:db8:0:1:0:0:0:0/64
      between     2026-11-27T10:00:00.000Z and 2026-11-27T10:00:29.000Z
      reasons     credential-missing 1000, credential-wrong 200
      routes      api 1000
      users       alice 200
`,
    )
  })

  it('prints no control characters of callers or logs', async () => {
    await using folder = await temporaryFolder()
    const evil = '\u001b]0;x\u0007\u202e\n!!! all is well'
    const logs = {
      audit: logOf(tracedDecision({ user: evil, host: evil, detail: evil, rule: evil })),
      'kube-audit': logOf(
        apiLine({ user: { username: evil, groups: [evil] }, objectRef: { resource: evil } }),
      ),
    }
    const { status, stdout } = await traceIn(folder, logs)
    assert.equal(status, 3)
    // oxlint-disable-next-line no-control-regex -- it is what must not be there
    assert.doesNotMatch(stdout, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/)
    assert.doesNotMatch(stdout, /^!!! all/m)
    const json = await traceIn(folder, logs, ['--json'])
    // oxlint-disable-next-line no-control-regex -- as above
    assert.doesNotMatch(json.stdout, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/)
  })

  it('ends with 1 where the id is not found, and lists the logs', async () => {
    await using folder = await temporaryFolder()
    const { status, stdout, stderr } = await traceIn(folder, LOGS, [], 'nobody')
    assert.deepEqual([status, stdout], [1, ''])
    assert.match(stderr, /^countersign: nothing is found of nobody; looked in 3 files: .*audit, /)
    const json = await traceIn(folder, LOGS, ['--json'], 'nobody')
    assert.equal(json.status, 1)
    assert.match(json.stdout, /^\{"kind":"summary","id":"nobody","found":false/)
  })

  it('ends with 2 where a log cannot be read', async () => {
    await using folder = await temporaryFolder()
    const gone = folder.file('gone')
    await writeFile(folder.file('half.gz'), gzipSync(LOGS.audit).subarray(0, 40))
    const CASES: readonly (readonly [args: readonly string[], says: RegExp])[] = [
      [[IDS.decision], /name a log: --audit/],
      [[' ', '--audit', gone], /the id is empty/],
      [[IDS.decision, '--audit', gone], /gone cannot be read: ENOENT/],
      [[IDS.decision, '--audit', '-'], /- is not a regular file, and must be read more than once/],
      [[IDS.decision, '--kube-audit', folder.path], /is not a regular file/],
      [
        [IDS.decision, '--audit', folder.file('half.gz')],
        /half\.gz cannot be read: unexpected end/,
      ],
    ]
    for (const [args, says] of CASES) {
      const { status, stderr } = await countersign(['trace', ...args])
      assert.equal(status, 2, stderr)
      assert.match(stderr, says)
    }
  })
})
