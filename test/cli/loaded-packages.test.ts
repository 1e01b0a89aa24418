// Which packages a process has loaded when it is ready: none that its configuration or its command does not need.
//
// Slow: it starts a process for each configuration.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { pathToFileURL } from 'node:url'
import { newGrantKeyLine } from '../../src/keys/grant-keys.ts'
import { makeCa } from '../ca/authorities.ts'
import { signerSite } from '../fakes/signer-site.ts'
import { configuration, siteFolder } from '../issuer/authorization-server.ts'
import { temporaryFolder, type TemporaryFolder } from '../servers/temporary.ts'

const COMMAND = join(import.meta.dirname, '../../src/countersign.ts')
const RECORDER = pathToFileURL(join(import.meta.dirname, '../fakes/record-packages.ts')).href

/** The packages that not every process needs. Packages that these load are not listed. */
const OPTIONAL: ReadonlySet<string> = new Set([
  '@grpc/grpc-js',
  '@grpc/proto-loader',
  '@noble/ciphers',
  '@node-rs/argon2',
  '@node-rs/bcrypt',
  '@peculiar/x509',
  '@seriousme/openapi-schema-validator',
  'jose',
  'jsonc-parser',
  'koa',
  'ldapts',
  'oidc-provider',
  'openid-client',
  'pino',
  'pkijs',
  'prom-client',
  'redis',
  'yaml',
  'zod',
])

/** The optional packages that a process loads until it ends, or, with `ends: false`, until it is ready. */
const packagesOf = async (
  args: readonly string[],
  { ends }: { readonly ends: boolean },
): Promise<readonly string[]> => {
  await using folder = await temporaryFolder()
  const file = folder.file('packages')
  await writeFile(file, '')
  const child = spawn(process.execPath, ['--import', RECORDER, COMMAND, ...args], {
    env: { ...process.env, LOADED_PACKAGES: file, LDAP_PASSWORD: 'secret', NO_COLOR: '1' },
    stdio: ['pipe', 'ignore', 'pipe', ...(ends ? [] : (['ipc'] as const))],
  })
  let errors = ''
  child.stderr?.on('data', (data: Buffer) => (errors += data.toString('utf8')))
  child.stdin?.end('a password\n')
  const ended = once(child, 'exit')
  if (!ends) {
    await Promise.race([once(child, 'message'), ended.then(() => assert.fail(errors))])
  } else {
    await ended
  }
  const packages = (await readFile(file, 'utf8')).split('\n')
  child.kill('SIGKILL')
  await ended
  return packages.filter((name) => OPTIONAL.has(name)).toSorted()
}

const FILES = ['pino', 'yaml', 'zod'] // the log, configurations and their schemas

const TOKENS =
  'bearer: { issuer: https://ci.example.org, audiences: [app], keys: { file: keys.json } }'

interface Variant {
  readonly name: string
  /** The section of the authenticator. */
  readonly authenticator?: string
  /** Of `listen.authz`. */
  readonly authz?: string
  /** Further keys of `listen`. */
  readonly listen?: string
  /** Further sections. */
  readonly sections?: string
  /** Of the route. */
  readonly forward?: string
  readonly want: readonly string[]
}

const document = ({ authenticator, authz, listen, sections, forward }: Variant): string => `
version: 1
listen: { authz: ${authz ?? '"127.0.0.1:0"'}${listen ?? ''} }
authenticators: { staff: { ${authenticator ?? TOKENS} } }
routes:
  - name: app
    authenticate: [staff]
    authorize: [{ allow: all }]
    forward: ${forward ?? '{ headers: kubernetes }'}
audit: { file: audit.jsonl }
log: { level: error }
${sections ?? ''}
`

/** A folder with a configuration, and every file that one of them names. */
const folderWith = async (yaml: string): Promise<TemporaryFolder> => {
  const { certificate } = await makeCa()
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return await siteFolder(yaml, {
    'keys.json': JSON.stringify({ keys: [publicKey.export({ format: 'jwk' })] }),
    'ca.pem': certificate,
    'grant.keys': newGrantKeyLine(),
  })
}

const VARIANTS: readonly Variant[] = [
  { name: 'tokens with keys of a file', want: [] },
  {
    name: 'a users file',
    authenticator: 'basic: { verify: [{ users: { file: users.yaml } }] }',
    want: [],
  },
  {
    name: 'a directory',
    authenticator:
      'basic: { verify: [{ ldap: { servers: ["ldaps://127.0.0.1:1"], bind: { dn: cn=svc, password: env:LDAP_PASSWORD }, search: { base: ou=people } } }] }',
    want: ['ldapts'],
  },
  {
    name: 'client certificates',
    authenticator: 'certificate: { trust: ca.pem, from: connection }',
    want: ['pkijs'],
  },
  { name: 'metrics', listen: ', admin: "127.0.0.1:0"', want: ['prom-client'] },
  {
    name: 'grpc-js as its server',
    authz: '{ address: "127.0.0.1:0", server: grpc-js }',
    want: ['@grpc/grpc-js'],
  },
  {
    name: 'minted tokens',
    listen: ', issuer: "127.0.0.1:0"',
    sections: 'issuer: { url: https://id.example.org, keys: keys }',
    forward: '{ bearer: { mint: { audience: app, algorithm: ES256 } } }',
    want: ['jose'],
  },
  {
    name: 'certificates for upstreams',
    sections: 'certificateGrants: { keyring: file:grant.keys }',
    want: ['@grpc/proto-loader', '@noble/ciphers'],
  },
  { name: 'SQLite', sections: 'state: { sqlite: state.db }', want: [] },
]

describe(
  'authz, when it is ready, has loaded what its configuration needs',
  { concurrency: 2 },
  () => {
    for (const variant of VARIANTS) {
      it(`loads with ${variant.name}: ${variant.want.join(', ') || 'nothing more'}`, async () => {
        await using folder = await folderWith(document(variant))
        const args = ['authz', '--config', folder.file('countersign.yaml')]
        const packages = await packagesOf(args, { ends: false })
        assert.deepEqual(packages, [...FILES, ...variant.want].toSorted())
      })
    }

    it('with logins: the provider, and the client of upstream IdPs', async () => {
      await using folder = await siteFolder(configuration())
      const args = ['authz', '--config', folder.file('countersign.yaml')]
      const packages = await packagesOf(args, { ends: false })
      assert.deepEqual(
        packages,
        [...FILES, 'jose', 'koa', 'oidc-provider', 'openid-client'].toSorted(),
      )
    })
  },
)

describe('the signer, when it is ready, has loaded what it needs', () => {
  it('loads only these packages without metrics', async () => {
    await using site = await signerSite()
    const packages = await packagesOf(['signer', '--config', site.config], { ends: false })
    assert.deepEqual(packages, [...FILES, '@grpc/proto-loader', '@noble/ciphers'].toSorted())
  })
})

describe('a command has loaded what it needs', { concurrency: 2 }, () => {
  const COMMANDS: readonly {
    readonly args: readonly string[]
    readonly want: readonly string[]
  }[] = [
    { args: ['--version'], want: [] },
    { args: ['health', '--address', '127.0.0.1:1'], want: ['@grpc/grpc-js', '@grpc/proto-loader'] },
    { args: ['hash-password'], want: ['@node-rs/argon2'] },
  ]
  for (const { args, want } of COMMANDS) {
    it(`countersign ${args.join(' ')}: ${want.join(', ') || 'nothing more'}`, async () => {
      const packages = await packagesOf(args, { ends: true })
      assert.deepEqual(
        packages.filter((name) => !FILES.includes(name)),
        want,
      )
    })
  }

  it('countersign validate: nothing more', async () => {
    await using folder = await folderWith(document({ name: '', want: [] }))
    const args = ['validate', '--config', folder.file('countersign.yaml')]
    assert.deepEqual(await packagesOf(args, { ends: true }), FILES)
  })
})
