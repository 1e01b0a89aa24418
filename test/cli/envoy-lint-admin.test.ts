// `countersign envoy lint --admin`: the configuration of a running Envoy, from its administration
// interface.

import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { after, before, describe, it } from 'node:test'
import { parseAdminAddress } from '../../src/cli/envoy-lint.ts'
import { AUTHZ, changed, type Change } from '../envoy/lint/corpus/case.ts'
import { freePort } from '../servers/ports.ts'
import { skipWithoutEnvoy, startEnvoy, type Envoy } from '../servers/envoy.ts'
import { createPki, type Pki } from '../servers/pki.ts'
import { temporaryFolder, type TemporaryFolder } from '../servers/temporary.ts'
import { countersign, type Result } from './run.ts'

const LISTENER = 'static_resources.listeners[0]'

const lint = async (...options: string[]): Promise<Result> =>
  await countersign(['envoy', 'lint', ...options])

describe('countersign envoy lint --admin', { skip: skipWithoutEnvoy() }, () => {
  let pki: Pki
  let folder: TemporaryFolder
  before(async () => {
    pki = await createPki()
    folder = await temporaryFolder()
  })
  after(async () => {
    await pki[Symbol.asyncDispose]()
    await folder[Symbol.asyncDispose]()
  })

  const start = async (admin: object, ...changes: readonly Change[]): Promise<Envoy> => {
    const bootstrap = JSON.stringify(
      changed([
        [`${LISTENER}.address.socket_address.port_value`, 0],
        ['admin.address', admin],
        ...changes,
      ]),
    )
      .replaceAll('/pki/', `${pki.folder}/`)
      .replaceAll('/run/countersign/', `${folder.path}/`)
    return await startEnvoy({ bootstrap, concurrency: 1 })
  }

  it('accepts a correct Envoy, over a UNIX socket', async () => {
    const path = folder.file('good.sock')
    await using stack = new AsyncDisposableStack()
    stack.use(await start({ pipe: { path } }))
    const { status, stdout, stderr } = await lint('--admin', `unix:${path}`, '--strict')
    assert.deepEqual([status, stderr], [0, ''])
    assert.equal(
      stdout,
      `unix:${path}: nothing found; checked 1 listener, 1 ext_authz filter, 4 routes, 1 certificate upstream\n`,
    )
  })

  it('reports errors over TCP with their listener, without a line', async () => {
    const port = await freePort()
    const address = { socket_address: { address: '127.0.0.1', port_value: port } }
    await using stack = new AsyncDisposableStack()
    stack.use(await start(address, [`${AUTHZ}.failure_mode_allow`, true]))
    const { status, stdout, stderr } = await lint('--admin', `http://127.0.0.1:${port}/`)
    assert.deepEqual([status, stderr], [1, ''])
    const place = AUTHZ.slice(LISTENER.length + 1)
    assert.deepEqual(stdout.split('\n'), [
      `127.0.0.1:${port}: error: requests pass when authz does not answer [failure-allowed]`,
      `  at:    listener edge: ${place}.failure_mode_allow`,
      '  risk:  an attacker who overloads or disconnects authz bypasses it',
      '  write: failure_mode_allow: false',
      '',
      `127.0.0.1:${port}: 1 error, 0 warnings; checked 1 listener, 1 ext_authz filter, 4 routes, 1 certificate upstream`,
      '',
    ])

    const json = await lint('--admin', `127.0.0.1:${port}`, '--json')
    const rows: unknown = JSON.parse(json.stdout)
    assert.ok(Array.isArray(rows))
    const [{ path, ...row }] = rows
    assert.match(path, /^configs\[\d\]\.static_listeners\[0\]\.listener\.filter_chains/)
    assert.deepEqual(row, {
      admin: `127.0.0.1:${port}`,
      resource: 'listener edge',
      severity: 'error',
      rule: 'failure-allowed',
      problem: 'requests pass when authz does not answer',
      risk: 'an attacker who overloads or disconnects authz bypasses it',
      remedy: 'failure_mode_allow: false',
    })
  })

  it('ends with 2 where Envoy is down', async () => {
    const port = await freePort()
    const { status, stdout, stderr } = await lint('--admin', `http://127.0.0.1:${port}`)
    assert.deepEqual([status, stdout], [2, ''])
    assert.match(stderr, /^countersign: 127\.0\.0\.1:\d+ cannot be reached: .*ECONNREFUSED/)
    const socket = await lint('--admin', `unix:${folder.file('none.sock')}`)
    assert.equal(socket.status, 2)
    assert.match(socket.stderr, /none\.sock cannot be reached: .*ENOENT/)
  })
})

describe('countersign envoy lint --admin at another server', () => {
  /** Asks a server that gives this answer, or none. */
  const ask = async (
    answer: { readonly status?: number; readonly body: string } | undefined,
    ...options: string[]
  ): Promise<Result & { readonly requests: readonly string[] }> => {
    const requests: string[] = []
    const server = createServer(({ method, url }, response) => {
      requests.push(`${method} ${url}`)
      if (answer === undefined) return
      response.writeHead(answer.status ?? 200, { location: '/config_dump' })
      response.end(answer.body)
    })
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve)
    })
    try {
      const address = server.address()
      const port = typeof address === 'object' && address !== null ? address.port : 0
      const result = await lint('--admin', `http://127.0.0.1:${port}`, ...options)
      return { ...result, requests }
    } finally {
      server.closeAllConnections()
      server.close()
    }
  }

  const ANSWERS: readonly {
    readonly name: string
    readonly answer: { readonly status?: number; readonly body: string }
    readonly says: RegExp
  }[] = [
    {
      name: 'an unexpected status',
      answer: { status: 404, body: 'not found' },
      says: /answers \/config_dump\?include_eds with 404: it is not the administration interface/,
    },
    {
      name: 'a redirect, which is not followed',
      answer: { status: 302, body: '' },
      says: /with 302: it is not/,
    },
    {
      name: 'an HTML page',
      answer: { body: '<!doctype html>\n<p>Welcome</p>' },
      says: /did not answer with a config dump: it is not a mapping/,
    },
    { name: 'an empty answer', answer: { body: '' }, says: /did not answer with a config dump/ },
    {
      name: 'other JSON',
      answer: { body: '{"configs":[{"@type":"x"}]}' },
      says: /it is neither an Envoy bootstrap nor a config dump/,
    },
  ]
  for (const { name, answer, says } of ANSWERS) {
    it(`ends with 2: ${name}`, async () => {
      const { status, stdout, stderr, requests } = await ask(answer)
      assert.deepEqual([status, stdout], [2, ''])
      assert.match(stderr, says)
      assert.doesNotMatch(stderr, /\bat .*\.ts:\d/)
      assert.deepEqual(requests, ['GET /config_dump?include_eds'])
    })
  }

  it('ends with 2 when there is no answer in time', async () => {
    const { status, stderr } = await ask(undefined, '--timeout', '300ms')
    assert.equal(status, 2)
    assert.match(stderr, /127\.0\.0\.1:\d+ did not answer within 0\.3 s\n$/)
  })

  it('prints no control characters of the answer', async () => {
    const listener = {
      '@type': 'type.googleapis.com/envoy.config.listener.v3.Listener',
      name: '\u001b[2J',
    }
    const body = JSON.stringify({
      configs: [
        {
          '@type': 'type.googleapis.com/envoy.admin.v3.ListenersConfigDump',
          dynamic_listeners: [
            { error_state: { failed_configuration: listener, details: 'a\u001b[31m\nb' } },
          ],
        },
      ],
    })
    const { status, stdout } = await ask({ body })
    assert.equal(status, 1)
    assert.match(stdout, /listener \?\[2J; details: a\?\[31m b \[update-refused\]/)
    assert.ok(!stdout.includes('\u001b'))
    const json = await ask({ body }, '--json')
    assert.ok(!json.stdout.includes('\u001b'))
  })
})

describe('countersign envoy lint', () => {
  it('needs either a file or --admin', async () => {
    const neither = await lint()
    assert.deepEqual([neither.status, neither.stdout], [2, ''])
    assert.match(neither.stderr, /give a file, or --admin URL/)
    const both = await lint('envoy.yaml', '--admin', 'http://127.0.0.1:9')
    assert.deepEqual([both.status, both.stdout], [2, ''])
    assert.match(both.stderr, /give a file or --admin, not both/)
  })

  it('describes the check of an Istio gateway in its help', async () => {
    const { stdout } = await lint('--help')
    for (const text of ['--admin <url>', '--timeout <duration>', 'port-forward']) {
      assert.ok(stdout.includes(text), text)
    }
  })

  it('accepts a URL or an address for --admin', () => {
    const at = (host: string, port: number): object => ({ kind: 'tcp', host, port })
    assert.deepEqual(parseAdminAddress('http://127.0.0.1:15000'), at('127.0.0.1', 15_000))
    assert.deepEqual(parseAdminAddress('http://localhost:15000/'), at('localhost', 15_000))
    assert.deepEqual(parseAdminAddress('http://[::1]:15000'), at('::1', 15_000))
    assert.deepEqual(parseAdminAddress('http://envoy'), at('envoy', 80))
    assert.deepEqual(parseAdminAddress('localhost:15000'), at('localhost', 15_000))
    assert.deepEqual(parseAdminAddress('unix:/run/envoy.sock'), {
      kind: 'unix',
      path: '/run/envoy.sock',
    })
  })

  it('refuses an invalid address for --admin', () => {
    for (const text of [
      '',
      '15000',
      'https://127.0.0.1:15000',
      'http://127.0.0.1:15000/config_dump',
      'http://me@127.0.0.1:15000',
      'http://127.0.0.1:15000?x',
      'http://',
      'ftp://x',
      '127.0.0.1:70000',
    ]) {
      assert.throws(() => parseAdminAddress(text), { code: 'commander.invalidArgument' }, text)
    }
  })
})
