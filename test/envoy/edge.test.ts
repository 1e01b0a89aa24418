// What Envoy with the generated bootstrap does by itself, whatever authz answers.

import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import { http2, type Answer, type HeaderLine } from '../servers/client.ts'
import { skipWithoutEnvoy } from '../servers/envoy.ts'
import { createAuthority } from '../servers/pki.ts'
import { sendRawHttp2 } from '../servers/raw-http2.ts'
import { sendRaw, upgradeRaw } from '../servers/raw-client.ts'
import { ALLOW, linesOf } from '../servers/scripted-authz.ts'
import { HOST, startEdge, type Edge } from './edge.ts'

describe('Envoy at the edge', { skip: skipWithoutEnvoy() }, () => {
  let edge: Edge
  before(async () => (edge = await startEdge()))
  after(() => edge[Symbol.asyncDispose]())
  beforeEach(() => {
    edge.authz.answer = ALLOW
    edge.authz.checks.length = 0
    edge.upstream.clear()
  })

  const send = (headers: readonly HeaderLine[] = [], line = 'GET / HTTP/1.1'): Promise<Answer> =>
    sendRaw(edge.target, { line, headers: [['Host', HOST], ...headers] })
  const received = (name: string): readonly string[] =>
    linesOf(edge.authz.checks.at(-1)?.headers ?? [], name)
  const forwarded = (name: string): readonly string[] => {
    const raw = edge.upstream.requests.at(-1)?.rawHeaders ?? []
    return raw.filter((_, index) => index % 2 === 1 && raw[index - 1]?.toLowerCase() === name)
  }

  describe('header lines', () => {
    it('reach authz one by one, in order and with their bytes', async () => {
      await send([
        ['X-Many', 'a'],
        ['x-many', 'b,c'],
        ['X-MANY', '\xff\xc3('],
      ])
      assert.deepEqual(received('x-many'), ['a', 'b,c', '\xff\xc3('])
    })

    it('of Authorization are one, joined with a comma', async () => {
      await send([
        ['Authorization', 'Basic YTpi'],
        ['authorization', 'Basic Yzpk'],
      ])
      assert.deepEqual(received('authorization'), ['Basic YTpi,Basic Yzpk'])
    })

    it('with NUL, a control character or an invalid name are refused', async () => {
      for (const line of [
        ['X-A', 'a\0b'],
        ['X-A', 'a\x01b'],
        ['X\0A', 'a'],
        ['X-\xff', 'a'],
        ['X-Remote-User ', 'a'],
        ['X_Remote_User', 'a'],
      ] as const) {
        assert.equal((await send([line])).status, 400, JSON.stringify(line))
      }
      assert.equal(edge.authz.checks.length, 0)
    })

    it('header lines that are too large or too many are refused', async () => {
      assert.equal((await send([['X-A', 'a'.repeat(65_536)]])).status, 431)
      const many = Array.from({ length: 150 }, (_, index) => [`X-${index}`, 'a'] as const)
      assert.equal((await send(many)).status, 431)
      assert.equal(edge.authz.checks.length, 0)
    })

    it('header lines that authz gives as a list go upstream as lines, and replace the caller’s', async () => {
      const values = ['dev', 'a,b', 'ü']
      edge.authz.answer = { ...ALLOW, repeatedHeaders: [{ name: 'x-remote-group', values }] }
      await send([['X-Remote-Group', 'system:masters']])
      const lines = forwarded('x-remote-group').map((line) =>
        Buffer.from(line, 'latin1').toString(),
      )
      assert.deepEqual(lines, values)
    })
  })

  describe('an answer of authz that cannot be carried out', () => {
    const cases = [
      { name: 'sets :path', answer: { setHeaders: [[':path', '/other']] }, status: 500 },
      { name: 'sets Host', answer: { setHeaders: [['host', 'other']] }, status: 500 },
      { name: 'sets a line feed', answer: { setHeaders: [['x-a', 'a\nx-b: b']] }, status: 500 },
      { name: 'lists :path', answer: listing(':path', ['/other']), status: 503 },
      { name: 'lists Host', answer: listing('Host', ['other']), status: 503 },
      { name: 'lists a line feed', answer: listing('x-a', ['a\nx-b: b', 'c']), status: 503 },
    ] as const
    for (const { name, answer, status } of cases) {
      it(`${name} is refused`, async () => {
        edge.authz.answer = { ...ALLOW, ...answer }
        assert.equal((await send()).status, status)
        assert.equal(edge.upstream.requests.length, 0)
      })
    }
  })

  describe('a caller on loopback', () => {
    it('is not internal: x-envoy-* headers are not for it', async () => {
      const names = ['stream-duration-ms', 'rq-timeout-ms', 'alt-stat-name'].map(
        (name) => `x-envoy-upstream-${name}`,
      )
      await send([...names, 'x-envoy-max-retries', 'x-envoy-any'].map((name) => [name, '1']))
      const seen = edge.authz.checks.at(-1)?.headers.map(({ name }) => name) ?? []
      assert.deepEqual(
        seen.filter((name) => name.startsWith('x-envoy-')),
        ['x-envoy-external-address'],
      )
    })

    it('does not say where it is, nor how its request is called', async () => {
      await send([
        ['X-Forwarded-For', '192.0.2.200'],
        ['X-Forwarded-Host', 'evil'],
        ['Forwarded', 'for=192.0.2.200'],
        ['X-Real-Ip', '192.0.2.200'],
        ['X-Request-Id', 'mine'],
      ])
      assert.equal(edge.authz.checks.at(-1)?.sourceAddress, '127.0.0.1')
      for (const name of ['x-forwarded-host', 'forwarded', 'x-real-ip']) {
        assert.deepEqual(forwarded(name), [], name)
      }
      assert.doesNotMatch(forwarded('x-forwarded-for').join(), /192\.0\.2\.200/)
      assert.notDeepEqual(forwarded('x-request-id'), ['mine'])
    })
  })

  describe('Connection', () => {
    it('is obeyed and dropped on a plain request', async () => {
      await send([
        ['X-Foo', '1'],
        ['Connection', 'close, X-Foo, X-Remote-User'],
      ])
      assert.deepEqual([received('connection'), received('x-foo')], [[], []])
      assert.deepEqual(forwarded('connection'), [])
    })

    for (const protocol of ['websocket', 'SPDY/3.1']) {
      it(`is shown to authz whole on an upgrade to ${protocol}`, async () => {
        const connection = 'Upgrade, x-remote-user'
        using upgraded = await upgradeRaw(edge.target, {
          headers: [
            ['Host', HOST],
            ['Upgrade', protocol],
            ['Connection', connection],
          ],
        })
        assert.equal(upgraded.answer.status, 101)
        assert.deepEqual(received('connection'), [connection])
        upgraded.socket.write('ping')
        const echo = new Promise((resolve) => upgraded.socket.once('data', resolve).resume())
        assert.equal(String(await echo), 'ping')
      })
    }

    it('upgrades to nothing else', async () => {
      for (const protocol of ['foo', 'websocket, foo', 'TLS/1.2']) {
        const answer = await send([
          ['Upgrade', protocol],
          ['Connection', 'Upgrade'],
        ])
        assert.equal(answer.status, 403, protocol)
      }
      assert.equal(edge.authz.checks.length, 0)
    })

    for (const name of ['connection', 'proxy-connection', 'keep-alive', 'upgrade']) {
      it(`ends an HTTP/2 connection: ${name}`, async () => {
        const answer = await sendRawHttp2(edge.target, [
          [':method', 'GET'],
          [':scheme', 'https'],
          [':authority', HOST],
          [':path', '/'],
          [name, 'x-remote-user'],
        ])
        assert.deepEqual(answer, { outcome: 'closed' })
        assert.equal(edge.authz.checks.length, 0)
      })
    }
  })

  describe('the caller’s connection', () => {
    it('shows authz its server name and client certificate', async () => {
      await http2({ ...edge.target, client: edge.pki.alice }, { host: HOST })
      const check = edge.authz.checks.at(-1)
      assert.equal(check?.serverName, HOST)
      assert.match(decodeURIComponent(check.peerCertificate), /^-----BEGIN CERTIFICATE-----/)
    })

    it('needs no certificate', async () => {
      await send()
      assert.equal(edge.authz.checks.at(-1)?.peerCertificate, '')
    })

    it('is refused with a certificate of another CA', async () => {
      await using other = await createAuthority('Another CA')
      const client = await other.issue({ commonName: 'alice', usage: 'client' })
      // TLS 1.3: the client learns of it when it reads.
      const refused = await http2({ ...edge.target, client }, { host: HOST }).then(
        () => false,
        () => true,
      )
      assert.ok(refused)
      assert.equal(edge.authz.checks.length, 0)
    })
  })

  it('ends a stream when authz says', async () => {
    const header = ['x-envoy-upstream-stream-duration-ms', '300'] as const
    edge.authz.answer = { ...ALLOW, setHeaders: [header] }
    const started = performance.now()
    const answer = await send([], 'GET /slow?interval=50 HTTP/1.1')
    assert.equal(answer.status, 200)
    assert.ok(performance.now() - started < 5_000)
    assert.deepEqual(forwarded(header[0]), [])
  })
})

describe('Envoy without a decision', { skip: skipWithoutEnvoy() }, () => {
  it('answers 503 when authz is silent or down', async () => {
    await using edge = await startEdge({ envoy: { authzTimeout: '300ms' } })
    const send = (): Promise<Answer> => sendRaw(edge.target, { headers: [['Host', HOST]] })
    edge.authz.answer = 'silence'
    assert.equal((await send()).status, 503)
    await edge.authz[Symbol.asyncDispose]()
    assert.equal((await send()).status, 503)
    assert.equal(edge.upstream.requests.length, 0)
  })
})

describe('Envoy’s other connections', { skip: skipWithoutEnvoy() }, () => {
  it('reach authz over mutual TLS', async () => {
    await using edge = await startEdge({ mutualTls: true })
    assert.equal(await statusOf(edge), 200)
    assert.equal(edge.authz.checks.length, 1)
  })

  it('go to no upstream whose certificate has another name', async () => {
    await using edge = await startEdge({ upstream: { serverName: 'other.test' } })
    assert.equal(await statusOf(edge), 503)
    assert.equal(edge.upstream.requests.length, 0)
  })

  it('trust the configured number of proxies about the client address', async () => {
    await using edge = await startEdge({ listener: { trustedHops: 1 } })
    await sendRaw(edge.target, {
      headers: [
        ['Host', HOST],
        ['X-Forwarded-For', '203.0.113.66, 198.51.100.7'],
      ],
    })
    const [check] = edge.authz.checks
    // `source` of a check is the connection; the client of the proxy is in a header of Envoy.
    assert.equal(check?.sourceAddress, '127.0.0.1')
    assert.deepEqual(linesOf(check.headers, 'x-envoy-external-address'), ['198.51.100.7'])
  })
})

const statusOf = async (edge: Edge): Promise<number> =>
  (await sendRaw(edge.target, { headers: [['Host', HOST]] })).status

function listing(name: string, values: readonly string[]) {
  return { repeatedHeaders: [{ name, values }] } as const
}
