// The bundle of a release: which packages its processes load, and what a start takes.
//
// Own process: esbuild keeps a child process.
// Slow: it builds the bundle and starts some twenty processes.

import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { readFile, symlink, writeFile } from 'node:fs/promises'
import { request, type IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { DatabaseSync } from 'node:sqlite'
import { after, before, describe, it } from 'node:test'
import type { Metafile } from 'esbuild'
import { writeBundle } from '../../scripts/release/bundle.ts'
import { newStateKeyLine } from '../../src/state/state-secret.ts'
import { signerSite } from '../fakes/signer-site.ts'
import { CALLBACK, configuration, SECRET, siteFolder } from '../issuer/authorization-server.ts'
import { skipWithoutRedis, startRedis } from '../servers/redis.ts'
import { temporaryFolder, type TemporaryFolder } from '../servers/temporary.ts'
import { packagesIn, recordingTo, runOf, TOKENS, useOfService, type Use } from './running.ts'

const ROOT = join(import.meta.dirname, '../..')

let folder: TemporaryFolder
let metafile: Metafile
let command = ''

before(async () => {
  folder = await temporaryFolder()
  metafile = await writeBundle(folder.file('lib'))
  command = folder.file('lib/countersign.js')
  // As the package has it: the modules of the native packages are found from the bundle.
  await symlink(join(ROOT, 'node_modules'), folder.file('node_modules'))
  await writeFile(folder.file('package.json'), '{ "type": "module" }')
})

after(async () => await folder[Symbol.asyncDispose]())

const withAdmin = TOKENS.replace('listen: {', 'listen: { admin: "127.0.0.1:0",')

const tokenSite = async (yaml = TOKENS): Promise<TemporaryFolder> => {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return await siteFolder(yaml, {
    'keys.json': JSON.stringify({ keys: [publicKey.export({ format: 'jwk' })] }),
  })
}

/** The packages that a service has loaded when it is ready. */
const packagesOf = async (args: readonly string[]): Promise<ReadonlySet<string>> => {
  const file = folder.file('loaded')
  await writeFile(file, '')
  const { node, env } = recordingTo(file)
  await useOfService(command, args, node, env)
  return packagesIn(metafile, (await readFile(file, 'utf8')).split('\n').filter(Boolean))
}

const LARGE = [
  '@grpc/grpc-js',
  '@noble/ciphers',
  '@peculiar/x509',
  'ajv',
  'jose',
  'koa',
  'ldapts',
  'oidc-provider',
  'openid-client',
  'pkijs',
  'prom-client',
  '@redis/client',
]

describe('a process of the bundle loads what it needs', () => {
  it('authz with tokens: none of the large packages', async () => {
    await using site = await tokenSite()
    const packages = await packagesOf(['authz', '--config', site.file('countersign.yaml')])
    assert.deepEqual(
      LARGE.filter((name) => packages.has(name)),
      [],
    )
    assert.ok(['pino', 'yaml', 'zod'].every((name) => packages.has(name)))
  })

  it('the signer: neither oidc-provider nor redis', async () => {
    await using site = await signerSite()
    const packages = await packagesOf(['signer', '--config', site.config])
    assert.deepEqual(
      LARGE.filter((name) => packages.has(name)),
      ['@noble/ciphers'],
    )
  })

  it('authz with logins: the provider, and no directory', async () => {
    await using site = await siteFolder(configuration())
    const packages = await packagesOf(['authz', '--config', site.file('countersign.yaml')])
    assert.deepEqual(
      LARGE.filter((name) => packages.has(name)),
      ['jose', 'koa', 'oidc-provider', 'openid-client'],
    )
  })
})

/** The keys of the records in a state file. */
const keysIn = (file: string): readonly unknown[] => {
  const database = new DatabaseSync(file, { readOnly: true })
  try {
    return database.prepare('SELECT key FROM records').all()
  } finally {
    database.close()
  }
}

/** The answer of an issuer at a UNIX socket. */
const answerOf = async (
  socketPath: string,
  path: string,
  { headers = {}, body }: { headers?: Record<string, string>; body?: string } = {},
): Promise<{ readonly status: number | undefined; readonly text: string }> => {
  const method = body === undefined ? 'GET' : 'POST'
  const sent = request({
    socketPath,
    path,
    method,
    headers: { host: 'id.example.org', ...headers },
  })
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  sent.once('response', resolve).once('error', reject).end(body)
  const response = await promise
  return { status: response.statusCode, text: await text(response) }
}

describe('a process of the bundle', () => {
  it('keeps records of the provider apart by their kind, as the source does', async () => {
    const yaml = configuration().replace('issuer: "127.0.0.1:0"', 'issuer: "unix:issuer.sock"')
    await using site = await siteFolder(`${yaml}state: { sqlite: state.db }\n`)
    const socket = site.file('issuer.sock')
    const authorize = new URLSearchParams({
      client_id: 'spa',
      response_type: 'code',
      scope: 'openid',
      redirect_uri: CALLBACK,
      code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
      code_challenge_method: 'S256',
    })
    const config = site.file('countersign.yaml')
    await useOfService(command, ['authz', '--config', config], [], {}, async () => {
      const earlier = keysIn(site.file('state.db'))
      // What has proven nothing is kept by the browser.
      const begun = await answerOf(socket, `/authorize?${authorize.toString()}`)
      assert.equal(begun.status, 303, begun.text)
      assert.deepEqual(keysIn(site.file('state.db')), earlier)
      const token = await answerOf(socket, '/token', {
        headers: {
          authorization: `Basic ${Buffer.from(`robot:${SECRET}`).toString('base64')}`,
          'content-type': 'application/x-www-form-urlencoded',
        },
        body: 'grant_type=client_credentials&scope=read&resource=https://api.example.org',
      })
      assert.equal(token.status, 200, token.text)
    })
  })

  it('reads and writes state in Redis', { skip: skipWithoutRedis() }, async () => {
    await using redis = await startRedis()
    const yaml = `${configuration()}state: { redis: { url: file:url, secret: file:ring } }\n`
    await using site = await siteFolder(yaml, { url: redis.url, ring: newStateKeyLine() })
    const list = ['sessions', 'list', '--config', site.file('countersign.yaml')]
    const { status, stderr } = await runOf(command, list)
    assert.equal(status, 0, stderr)
  })
})

/** The least of some runs: what else the machine does adds to the rest. */
const least = async (run: () => Promise<Use>): Promise<Use> => {
  const uses: Use[] = []
  for (let count = 0; count < 5; count++) uses.push(await run())
  return {
    cpu: Math.min(...uses.map(({ cpu }) => cpu)),
    memory: Math.min(...uses.map(({ memory }) => memory)),
  }
}

const runCpu = async (args: readonly string[]): Promise<Use> => {
  const { status, stderr, cpu } = await runOf(command, args)
  assert.equal(status, 0, stderr)
  return { cpu, memory: 0 }
}

describe('a start of the bundle takes at most', () => {
  it('80 ms of CPU for the version', async () => {
    const { cpu } = await least(() => runCpu(['--version']))
    assert.ok(cpu <= 80, `${cpu} ms`)
  })

  it('250 ms of CPU to validate a configuration', async () => {
    await using site = await tokenSite()
    const { cpu } = await least(() =>
      runCpu(['validate', '--config', site.file('countersign.yaml')]),
    )
    assert.ok(cpu <= 250, `${cpu} ms`)
  })

  for (const { listeners, yaml, most } of [
    { listeners: 'authz with tokens', yaml: TOKENS, most: 85 },
    { listeners: 'authz with tokens and metrics', yaml: withAdmin, most: 87 },
  ]) {
    it(`300 ms of CPU and ${most} MB until ${listeners} is ready`, async () => {
      await using site = await tokenSite(yaml)
      const args = ['authz', '--config', site.file('countersign.yaml')]
      const { cpu, memory } = await least(() => useOfService(command, args))
      assert.ok(cpu <= 300, `${cpu} ms`)
      assert.ok(memory <= most, `${memory} MB`)
    })
  }
})

describe('the bundle', () => {
  it('has one language of Zod: a namespace of it takes all', () => {
    const locales = Object.values(metafile.outputs)
      .flatMap(({ inputs }) => Object.keys(inputs))
      .filter((input) => /zod\/v4\/locales\/(?!index)/.test(input))
    assert.equal(new Set(locales).size, 1)
  })

  // Modules that no check of a token needs. prom-client loads three of them, for a push gateway too.
  const OPTIONAL = [
    'http',
    'https',
    'http2',
    'zlib',
    'internal/crypto/webcrypto',
    'internal/dns/promises',
    'internal/deps/undici/undici',
  ]

  for (const { listeners, yaml, loaded } of [
    { listeners: 'tokens', yaml: TOKENS, loaded: [] },
    { listeners: 'tokens and metrics', yaml: withAdmin, loaded: ['http', 'https', 'zlib'] },
  ]) {
    it(`loads of Node what authz with ${listeners} uses`, async () => {
      const file = folder.file('node-modules')
      const record = `data:text/javascript,${encodeURIComponent(
        `import { writeFileSync } from 'node:fs'
         process.on('exit', () => writeFileSync(${JSON.stringify(file)}, process.moduleLoadList.join('\\n')))`,
      )}`
      await using site = await tokenSite(yaml)
      const args = ['authz', '--config', site.file('countersign.yaml')]
      await useOfService(command, args, ['--import', record])
      const modules = new Set((await readFile(file, 'utf8')).split('\n'))
      assert.ok(modules.has('NativeModule crypto'))
      assert.deepEqual(
        OPTIONAL.filter((name) => modules.has(`NativeModule ${name}`)),
        loaded,
      )
    })
  }
})
