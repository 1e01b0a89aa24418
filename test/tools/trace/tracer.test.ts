// What an id leads to, in recorded lines; and what must lead nowhere.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isAlarming, isEmpty, type Trace } from '../../../src/tools/trace/report.ts'
import { decisionLine } from '../../fakes/audit-lines.ts'
import {
  apiLine,
  certificateApiLine,
  certificateDecision,
  IDS,
  issuedLine,
  logOf,
  tracedDecision,
} from '../../fakes/traced-lines.ts'
import { traceIn, type Logs } from './tracing.ts'

const OTHERS = [
  decisionLine({ id: 'd-9', jti: ['another'], handle: 'another' }),
  { log: 'audit', event: 'configuration-loaded', generation: 1, file: 'x' },
]

const BY_TOKEN: Logs = {
  audit: logOf(...OTHERS, tracedDecision()),
  kube: logOf(apiLine({ auditID: 'x' }, 'JTI=another'), apiLine()),
}

const BY_CERTIFICATE: Logs = {
  audit: logOf(...OTHERS, certificateDecision()),
  issued: logOf(issuedLine({ handle: 'another', fingerprint: 'f', serial: 's' }), issuedLine()),
  kube: logOf(certificateApiLine()),
}

const idsOf = ({ reports }: Trace): readonly string[] => reports.map(({ decision }) => decision.id)

describe('an id', () => {
  const WAYS: readonly (readonly [name: string, logs: Logs, ids: readonly string[]])[] = [
    [
      'of a request with a token',
      BY_TOKEN,
      [IDS.decision, IDS.request, IDS.jti, `JTI=${IDS.jti}`, ` ${IDS.decision}\n`],
    ],
    [
      'of a request with a certificate',
      BY_CERTIFICATE,
      [
        IDS.decision,
        IDS.request,
        IDS.handle,
        IDS.fingerprint,
        IDS.serial,
        IDS.serial.toUpperCase(),
        `X509SHA256=${IDS.fingerprint}`,
        IDS.fingerprint.toUpperCase().replaceAll(/(..)(?!$)/g, '$1:'),
      ],
    ],
  ]
  for (const [name, logs, ids] of WAYS) {
    it(`${name} leads to the same report, whichever it is`, async () => {
      const traces = await Promise.all(ids.map((id) => traceIn(logs, id)))
      const [first] = traces
      assert.ok(first)
      assert.deepEqual(idsOf(first), [IDS.decision])
      assert.equal(first.reports[0]?.seen.length, 1)
      assert.ok(!isAlarming(first))
      for (const [index, other] of traces.entries()) assert.deepEqual(other, first, ids[index])
    })
  }

  it('of a certificate tells what was issued, whichever log it is in', async () => {
    const everything = Object.values(BY_CERTIFICATE).join('')
    const { reports, undecided } = await traceIn({ audit: everything }, IDS.decision)
    assert.equal(reports[0]?.issued[0]?.fingerprint, IDS.fingerprint)
    assert.equal(reports[0]?.seen.length, 1)
    assert.deepEqual(undecided, [])
  })

  it('of a token that several requests had leads to each of them', async () => {
    const audit = logOf(
      tracedDecision({ id: 'later', time: '2026-11-26T10:00:09.000Z' }),
      tracedDecision(),
    )
    assert.deepEqual(idsOf(await traceIn({ audit }, IDS.jti)), [IDS.decision, 'later'])
    assert.deepEqual(idsOf(await traceIn({ audit }, IDS.decision)), [IDS.decision])
  })

  it('of a request leads to who logged in by it', async () => {
    const login = {
      time: '2026-11-26T10:00:00.000Z',
      event: 'login',
      request: IDS.request,
      outcome: 'succeeded',
      loginMethod: 'password',
      client: 'countersign',
      source: '::1',
      user: 'bob',
    }
    const { logins } = await traceIn({ audit: logOf(login) }, IDS.request)
    assert.equal(logins[0]?.user, 'bob')
  })

  it('an id that is in a line by accident only is not followed', async () => {
    for (const id of ['rbac-decides', 'bob', 'kubernetes', '0b2c6b1e', 'decision']) {
      assert.ok(isEmpty(await traceIn(BY_TOKEN, id)), id)
    }
  })

  it('may be of any characters', async () => {
    const id = 'a"b\\c/é\n$(x)'
    const audit = logOf(tracedDecision({ request: id }))
    const escaped = audit.replaceAll('/', String.raw`\/`)
    assert.deepEqual(idsOf(await traceIn({ audit: Buffer.from(escaped).toString('latin1') }, id)), [
      IDS.decision,
    ])
  })
})

describe('a credential that Countersign made', () => {
  const stolen = apiLine({ auditID: 'theirs', sourceIPs: ['198.51.100.66'] })

  it('a credential that Countersign made and that is used without a decision is alarming, from whichever id one comes', async () => {
    const logs = { audit: logOf(tracedDecision()), kube: logOf(apiLine(), stolen) }
    for (const id of [IDS.decision, IDS.jti]) {
      const trace = await traceIn(logs, id)
      assert.deepEqual(
        trace.unaccounted.map(({ auditID }) => auditID),
        ['theirs'],
        id,
      )
      assert.ok(isAlarming(trace))
    }
  })

  it('a certificate that is used without a decision is alarming, too', async () => {
    const logs = {
      ...BY_CERTIFICATE,
      kube: logOf(certificateApiLine(), certificateApiLine({ auditID: 'theirs' })),
    }
    for (const id of [IDS.decision, IDS.fingerprint]) {
      assert.equal((await traceIn(logs, id)).unaccounted.length, 1, id)
    }
  })

  it('is not reported with other decisions, nor where authz itself sends the request', async () => {
    const review = { verb: 'create', objectRef: { resource: 'subjectaccessreviews' } }
    const logs = {
      audit: logOf(tracedDecision(), tracedDecision({ id: 'other', user: 'bob' })),
      kube: logOf(apiLine(), apiLine({ auditID: 'other' }), apiLine({ auditID: 'z', ...review })),
    }
    const trace = await traceIn(logs, IDS.decision)
    assert.deepEqual([trace.unaccounted, trace.likely], [[], []])
  })

  it('is correlated by path and time where the API server does not get the ids', async () => {
    const at = { requestReceivedTimestamp: '2026-11-26T10:00:00.300000Z' }
    const kube = logOf(apiLine({ auditID: 'its-own', ...at }))
    const trace = await traceIn({ audit: logOf(tracedDecision()), kube }, IDS.decision)
    assert.deepEqual([trace.unaccounted.length, trace.likely.length], [0, 1])
    const late = { requestReceivedTimestamp: '2026-11-26T10:00:20.000000Z' }
    for (const fields of [late, { ...at, requestURI: '/api/v1/secrets' }]) {
      const other = logOf(apiLine({ auditID: 'its-own', ...fields }))
      const alarming = await traceIn({ audit: logOf(tracedDecision()), kube: other }, IDS.decision)
      assert.equal(alarming.unaccounted.length, 1)
    }
  })

  it('a credential that Countersign did not make may be used elsewhere', async () => {
    const passed = tracedDecision({ forwarded: ['passthrough'], jti: undefined })
    const kube = logOf(apiLine({}, 'JTI=own'), apiLine({ auditID: 'directly' }, 'JTI=own'))
    const trace = await traceIn({ audit: logOf(passed), kube }, IDS.decision)
    assert.ok(!isAlarming(trace))
    assert.equal(trace.reports[0]?.seen.length, 1)
  })
})

describe('a log that is hostile or damaged', () => {
  const whole = JSON.stringify(tracedDecision())

  it('is read all the same, and lines that name the id are reported where they cannot be read', async () => {
    const audit = logOf(
      `{"event":"decision","id":"${IDS.decision}"`,
      '{"event":"decision","id":"unrelated"',
      JSON.stringify({ ...tracedDecision(), groups: 'dev' }),
      JSON.stringify({ ...tracedDecision(), jti: { 0: 'x' } }),
      JSON.stringify({ ...tracedDecision(), time: 'yesterday' }),
      `["${IDS.decision}"]`,
      `"${IDS.decision}"`,
      '',
      `${IDS.decision}\xff\xfe`,
      whole,
      whole.slice(0, -9),
    ).slice(0, -1)
    const { unread, reports } = await traceIn({ audit }, IDS.decision)
    assert.equal(reports.length, 1)
    assert.deepEqual(
      unread.map(({ line, why }) => `${line} ${why}`),
      [
        '1 not-json',
        '3 malformed: groups',
        '4 malformed: jti',
        '5 malformed: time',
        '6 not-an-object',
        '7 not-an-object',
        '9 not-utf8',
        '11 cut-off',
      ],
    )
  })

  it('of an API server too: wrong types are reported, and unknown fields are ignored', async () => {
    const kube = logOf(
      apiLine({ user: 'bob' }),
      apiLine({ user: { username: 'bob', extra: { x: 'y' } } }),
      apiLine({ responseStatus: { code: '200' } }),
      apiLine({ requestReceivedTimestamp: undefined }),
      apiLine({ auditID: 7, x: IDS.decision }),
      apiLine({ requestObject: { spec: 'x'.repeat(2_000_000) }, __proto__x: 1 }),
    )
    const { unread, reports } = await traceIn(
      { audit: logOf(tracedDecision()), kube },
      IDS.decision,
    )
    assert.deepEqual(
      unread.map(({ line, why }) => `${line} ${why}`),
      [
        '1 malformed: user',
        '2 malformed: user.extra.x',
        '3 malformed: responseStatus.code',
        '4 malformed: requestReceivedTimestamp',
      ],
    )
    assert.equal(reports[0]?.seen.length, 1)
  })

  it('with a line beyond all measure is read on behind it', async () => {
    const kube = logOf(apiLine({ x: 'x'.repeat(17_000_000) }), apiLine())
    const { unread, reports } = await traceIn(
      { audit: logOf(tracedDecision()), kube },
      IDS.decision,
    )
    assert.deepEqual(unread, [{ file: 'kube', line: 1, why: 'too-long' }])
    assert.equal(reports[0]?.seen.length, 1)
  })

  it('with more than is held is cut, and says so', async () => {
    const many = Array.from({ length: 30 }, (_, index) => tracedDecision({ id: `d-${index}` }))
    const limits = { reports: 10, uses: 20 }
    const trace = await traceIn({ audit: logOf(...many) }, IDS.jti, limits)
    assert.deepEqual([trace.reports.length, trace.cut], [10, true])
  })

  it('with more uses of a token than are counted raises no false alarm', async () => {
    const all = Array.from({ length: 30 }, (_, index) => `d-${index}`)
    const audit = logOf(tracedDecision(), ...all.map((id) => tracedDecision({ id })))
    const kube = logOf(...all.map((auditID) => apiLine({ auditID })))
    const limits = { reports: 10, uses: 20 }
    const trace = await traceIn({ audit, kube }, IDS.decision, limits)
    assert.deepEqual([trace.unaccounted.length, trace.cut], [0, true])
  })

  it('with many uses before the decision is not cut', async () => {
    const all = Array.from({ length: 2_500 }, (_, index) => `d-${index}`)
    const audit = logOf(...all.map((id) => tracedDecision({ id })), tracedDecision())
    const kube = logOf(apiLine(), ...all.map((auditID) => apiLine({ auditID })))
    const trace = await traceIn({ audit, kube }, IDS.decision, { reports: 10, uses: 10_000 })
    assert.deepEqual([trace.unaccounted.length, trace.cut], [0, false])
  })
})
