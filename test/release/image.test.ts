// The container image of a release: what is in it, and authz in its file system as its user, where there is nothing else.
//
// Slow: it makes a release and unpacks an image.

import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, globSync } from 'node:fs'
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { promisify } from 'node:util'
import * as z from 'zod'
import packageJson from '../../package.json' with { type: 'json' }
import { eventually } from '../e2e/site.ts'
import { temporaryFolder, type TemporaryFolder } from '../servers/temporary.ts'
import { unless } from './unless.ts'
import { TOKENS } from './running.ts'

const ROOT = join(import.meta.dirname, '../..')
const run = promisify(execFile)

// The image is made on Debian, and a file system belongs to its users only when root unpacks it.
const skip = unless(
  process.getuid?.() === 0 && existsSync('/usr/bin/dpkg-deb'),
  'needs root on Debian',
)

const configSchema = z.object({
  config: z.object({
    User: z.string(),
    Entrypoint: z.array(z.string()),
    Healthcheck: z.object({ Test: z.array(z.string()) }),
  }),
})

describe('the image', { skip }, () => {
  let folder: TemporaryFolder
  let root = ''
  let config: z.infer<typeof configSchema>['config']

  before(async () => {
    folder = await temporaryFolder()
    const image = folder.file('image')
    root = folder.file('root')
    await Promise.all([mkdir(image), mkdir(root)])
    await run(process.execPath, [
      join(ROOT, 'scripts/release.ts'),
      folder.file('dist'),
      '--only',
      'image',
    ])
    const archive = folder.file(`dist/countersign-${packageJson.version}-image-amd64.tar`)
    assert.ok((await stat(archive)).size < 60_000_000)
    await run('tar', ['-xf', archive, '-C', image])
    const manifest: unknown = JSON.parse(await readFile(join(image, 'manifest.json'), 'utf8'))
    const [{ Config, Layers }] = z
      .tuple([z.object({ Config: z.string(), Layers: z.array(z.string()) })])
      .parse(manifest)
    ;({ config } = configSchema.parse(JSON.parse(await readFile(join(image, Config), 'utf8'))))
    for (const layer of Layers) await run('tar', ['-xzf', join(image, layer), '-C', root])
  })

  after(async () => await folder[Symbol.asyncDispose]())

  const inside = (...args: readonly string[]): readonly string[] => {
    const [command = '', ...rest] = config.Entrypoint
    return [`--userspec=${config.User}`, root, command, ...rest, ...args]
  }

  it('is below 130 MB, has no shell, and no file that its user can change', async () => {
    const entries = globSync('**/*', { cwd: root, withFileTypes: true })
    const files = entries.map((entry) => join(entry.parentPath, entry.name))
    const stats = await Promise.all(files.map(async (file) => [file, await stat(file)] as const))
    const size = stats.reduce((sum, [, { size: bytes }]) => sum + bytes, 0)
    assert.ok(size > 100_000_000 && size < 130_000_000, `${size}`)
    assert.match(config.User, /^[1-9]\d+:[1-9]\d+$/)
    const changeable = stats.filter(([, { uid, mode }]) => uid !== 0 || (mode & 0o022) !== 0)
    assert.deepEqual(changeable.map(([file]) => file.slice(root.length + 1)).toSorted(), [
      'run/countersign',
      'tmp',
      'var/lib/countersign',
    ])
    const programs = stats.filter(([, { mode }]) => (mode & 0o111) !== 0)
    assert.deepEqual(
      programs.map(([file]) => file).filter((file) => /\/(?:ba|da|k|z)?sh$|busybox/.test(file)),
      [],
    )
  })

  it('hashes a password as its user', async () => {
    const child = spawn('chroot', inside('hash-password'), { stdio: ['pipe', 'pipe', 'inherit'] })
    child.stdin.end('a password\n')
    let output = ''
    child.stdout.on('data', (data: Buffer) => (output += data.toString('utf8')))
    await once(child, 'close')
    assert.match(output, /^\$argon2id\$/)
  })

  it('serves as authz, and its health check says so', async () => {
    const etc = join(root, 'etc/countersign')
    await writeFile(
      join(etc, 'countersign.yaml'),
      TOKENS.replace('"127.0.0.1:0"', 'unix:/run/countersign/authz.sock').replace(
        'audit.jsonl',
        '/run/countersign/audit.jsonl',
      ),
    )
    await writeFile(
      join(etc, 'keys.json'),
      JSON.stringify({
        keys: [{ kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' }],
      }),
    )
    const [, ...check] = config.Healthcheck.Test
    const health = async (): Promise<boolean> =>
      await run('chroot', [
        `--userspec=${config.User}`,
        root,
        ...check,
        '--address',
        'unix:/run/countersign/authz.sock',
      ]).then(
        () => true,
        () => false,
      )
    const args = inside('authz', '--config', '/etc/countersign/countersign.yaml')
    const child = spawn('chroot', args, { stdio: ['ignore', 'ignore', 'inherit'] })
    const ended = once(child, 'exit')
    try {
      assert.ok(await eventually(health, (serves) => serves || child.exitCode !== null))
    } finally {
      child.kill('SIGTERM')
      assert.deepEqual(await ended, [0, null])
    }
  })
})
