import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { http2, valuesOf, type Answer, type HeaderLine } from '../../servers/client.ts'
import { skipWithoutEnvoy } from '../../servers/envoy.ts'
import { sendRaw, upgradeRaw } from '../../servers/raw-client.ts'
import { sendRawHttp2 } from '../../servers/raw-http2.ts'
import { ALICE, HOST, received, receivedBy, startSite, type Site } from '../site.ts'

/** What the upstream sees of alice, and of no other user. */
const IDENTITY: readonly HeaderLine[] = [
  ['x-remote-extra-example.org%2fteam', 'blue'],
  ['x-remote-extra-example.org%2fteam', 'red'],
  ['x-remote-extra-plan', 'gold'],
  ['x-remote-group', 'dev'],
  ['x-remote-group', 'ops'],
  ['x-remote-group', 'with, comma'],
  ['x-remote-uid', '1001'],
  ['x-remote-user', 'alice'],
]

const OURS =
  /^(x[-_]remote[-_]|impersonate[-_]|x[-_]cert[-_]|x-countersign-|client-cert|audit-id|(proxy-)?authorization|x-forwarded-client-cert)/

/** The upstream sees alice, and the id of authz's decision. */
const assertAlice = (answer: Answer): void => {
  const ids = valuesOf(answer, 'x-countersign-decision').map((id) => ['audit-id', id] as const)
  assert.equal(ids.length, 1)
  assert.deepEqual(ours(receivedBy(answer)), [...ids, ...IDENTITY])
}

const STRIPPED: readonly (readonly [name: string, headers: readonly HeaderLine[]])[] = [
  ['X-Remote-User', [['X-Remote-User', 'root']]],
  ['x-remote-user in lower case', [['x-remote-user', 'root']]],
  ['X-REMOTE-USER in upper case', [['X-REMOTE-USER', 'root']]],
  ['x-ReMoTe-uSeR in mixed case', [['x-ReMoTe-uSeR', 'root']]],
  ['X-Remote-User, empty', [['X-Remote-User', '']]],
  [
    'X-Remote-User three times',
    Array.from({ length: 3 }, () => ['X-Remote-User', 'root'] as const),
  ],
  ['X-Remote-Group', [['X-Remote-Group', 'system:masters']]],
  [
    'X-Remote-Group twice',
    [
      ['X-Remote-Group', 'system:masters'],
      ['x-remote-group', 'admin'],
    ],
  ],
  ['X-Remote-Uid', [['X-Remote-Uid', '0']]],
  ['X-Remote-Extra- with an unknown suffix', [['X-Remote-Extra-Anything', 'forged']]],
  ['X-Remote-Extra- with a suffix of ours', [['X-Remote-Extra-Plan', 'platinum']]],
  ['X-Remote-Extra- with a percent-encoded suffix', [['X-Remote-Extra-a%2Fb', 'forged']]],
  [
    'X-Remote-Extra- with every suffix at once',
    [
      ['X-Remote-Extra-A', '1'],
      ['x-remote-extra-b.c', '2'],
      ['X-REMOTE-EXTRA-', '3'],
    ],
  ],
  ['X-Remote-, a suffix nobody has heard of', [['X-Remote-Whatever', 'forged']]],
  ['X-Cert-Subject', [['X-Cert-Subject', 'CN=root']]],
  ['X-Cert-Contents', [['X-Cert-Contents', 'MII']]],
  ['Client-Cert (RFC 9440)', [['Client-Cert', ':MII=:']]],
  ['Client-Cert-Chain (RFC 9440)', [['Client-Cert-Chain', ':MII=:']]],
  ['X-Forwarded-Client-Cert', [['X-Forwarded-Client-Cert', 'Subject="CN=root"']]],
  ['X-Countersign-Decision', [['X-Countersign-Decision', 'forged']]],
  ['X-Countersign-Anything', [['X-Countersign-Anything', 'forged']]],
  ['Audit-ID', [['Audit-ID', 'forged']]],
  ['Proxy-Authorization', [['Proxy-Authorization', 'Basic cm9vdDpyb290']]],
]

const UNDERSCORED = [
  'X_Remote_User',
  'x_remote_group',
  'X-Remote_Extra_anything',
  'X_Countersign_Decision',
  'IMPERSONATE_USER',
]

const IMPERSONATION = [
  'Impersonate-User',
  'impersonate-group',
  'IMPERSONATE-UID',
  'Impersonate-Extra-Anything',
  'Impersonate.User',
  'IMPERSONATE!EXTRA~ANYTHING',
]

const NOMINATIONS = [
  { options: 'x-remote-user', status: 200 },
  { options: 'close, X-Remote-User', status: 200 },
  { options: 'keep-alive, x-remote-group', status: 200 },
  { options: 'x-remote-extra-plan', status: 200 },
  { options: 'x-anything-else', status: 200 },
  { options: 'authorization', status: 401 }, // the caller took its own credential away
  { options: 'host', status: 400 },
]

const HARMLESS = ['close', 'keep-alive', 'Keep-Alive, TE', 'te, close']

describe('hostile headers through Envoy', { skip: skipWithoutEnvoy() }, () => {
  let site: Site
  before(async () => (site = await startSite()))
  after(() => site[Symbol.asyncDispose]())

  const send = (headers: readonly HeaderLine[]): ReturnType<typeof sendRaw> =>
    sendRaw(site.target, { headers: [['Host', HOST], ALICE, ...headers] })

  const refusedByCountersign = async (status: number, reason: string): Promise<void> => {
    const event = (await site.events()).at(-1)
    assert.deepEqual([event?.status, event?.reason], [status, reason])
    assert.equal(site.upstream.requests.length, 0)
  }

  for (const [name, headers] of STRIPPED) {
    it(`strips the header ${name}`, async () => {
      const answer = await send(headers)
      assert.equal(answer.status, 200)
      assertAlice(answer)
    })

    it(`strips the header ${name} (HTTP/2)`, async () => {
      const lower = headers.map(([key, value]): HeaderLine => [key.toLowerCase(), value])
      const answer = await http2(site.target, { host: HOST, headers: [ALICE, ...lower] })
      assert.equal(answer.status, 200)
      assertAlice(answer)
    })
  }

  for (const name of UNDERSCORED) {
    it(`refuses ${name}, which CGI and WSGI take for the one with hyphens`, async () => {
      site.upstream.clear()
      assert.equal((await send([[name, 'root']])).status, 400)
      assert.equal(site.upstream.requests.length, 0)
    })
  }

  for (const name of IMPERSONATION) {
    it(`refuses ${name}, where the request would run as the caller itself`, async () => {
      site.upstream.clear()
      assert.equal((await send([[name, 'root']])).status, 403)
      await refusedByCountersign(403, 'impersonation')
    })
  }

  // On a plain HTTP/1.1 request Envoy's codec obeys the nomination itself, on what the caller sent
  // and before any extension sees the request, and does not forward the header: there is nothing
  // left to refuse, and nothing that could reach the identity, which is set afterwards.
  for (const { options, status } of NOMINATIONS) {
    it(`ignores Connection: ${options}`, async () => {
      const answer = await send([['Connection', options]])
      assert.equal(answer.status, status)
      if (status !== 200) return
      assertAlice(answer)
      assert.deepEqual(
        received(answer, 'connection').filter((value) => value !== 'keep-alive'),
        [],
      )
    })

    it(`refuses Connection: ${options} with an upgrade, where Envoy would forward it`, async () => {
      const earlier = await site.events()
      site.upstream.clear()
      const headers: readonly HeaderLine[] = [
        ['Host', HOST],
        ALICE,
        ['Connection', `Upgrade, ${options}`],
        ['Upgrade', 'websocket'],
      ]
      using refused = await upgradeRaw(site.target, { headers })
      assert.equal(refused.answer.status, 400)
      assert.equal(site.upstream.requests.length, 0)
      const reasons = (await site.events()).slice(earlier.length).map(({ reason }) => reason)
      assert.deepEqual(reasons, ['connection-nomination'])
    })
  }

  for (const options of HARMLESS) {
    it(`accepts Connection: ${options}`, async () => {
      const answer = await send([
        ['Connection', options],
        ['TE', 'trailers'],
      ])
      assert.equal(answer.status, 200)
      assert.deepEqual(received(answer, 'x-remote-user'), ['alice'])
    })
  }

  it('refuses a Connection header over HTTP/2 (RFC 9113 §8.2.2)', async () => {
    site.upstream.clear()
    const answer = await sendRawHttp2(site.target, [
      [':method', 'GET'],
      [':path', '/'],
      [':scheme', 'https'],
      [':authority', HOST],
      ['authorization', ALICE[1]],
      ['connection', 'x-remote-user'],
    ])
    assert.notDeepEqual(answer, { outcome: 'answered', status: 200 })
    assert.equal(site.upstream.requests.length, 0)
  })
})

const ours = (lines: readonly HeaderLine[]): readonly HeaderLine[] =>
  lines.filter(([name]) => OURS.test(name)).toSorted(([a], [b]) => (a < b ? -1 : Number(a > b)))
