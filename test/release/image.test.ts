// The container image of a release: what is in it, and containers of it that do the main job, without a network where they need none.
//
// Slow: it makes a release, unpacks an image and starts a Docker engine.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync, globSync } from 'node:fs'
import { mkdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { promisify } from 'node:util'
import * as z from 'zod'
import packageJson from '../../package.json' with { type: 'json' }
import { missingEngine } from '../../scripts/compose-test.docker.ts'
import { skipWithoutEnvoy } from '../servers/envoy.ts'
import { temporaryFolder, type TemporaryFolder } from '../servers/temporary.ts'
import { unless } from './unless.ts'
import { startContainers, type Containers } from './containers.ts'
import { releaseTo } from './running.ts'

const run = promisify(execFile)

// The image is made on Debian, and a file system belongs to its users only when root unpacks it.
const skip = unless(
  process.getuid?.() === 0 && existsSync('/usr/bin/dpkg-deb'),
  'needs root on Debian',
)

const withoutDocker = unless(missingEngine() === undefined, missingEngine() ?? '')

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
  let archive = ''
  let config: z.infer<typeof configSchema>['config']

  before(async () => {
    folder = await temporaryFolder()
    const image = folder.file('image')
    root = folder.file('root')
    await Promise.all([mkdir(image), mkdir(root)])
    await releaseTo(folder.file('dist'), 'image')
    archive = folder.file(`dist/countersign-${packageJson.version}-image-amd64.tar`)
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

  it('has the program at the path that probes of the chart name', async () => {
    const template = join(import.meta.dirname, '../../deploy/kubernetes/chart/templates/envoy.yaml')
    const [, program = ''] =
      /command: &health \[(\S+)\]/.exec(await readFile(template, 'utf8')) ?? []
    assert.deepEqual(config.Healthcheck.Test, ['CMD', program])
    assert.notEqual((await stat(join(root, program))).mode & 0o001, 0)
  })

  describe('in Docker', { skip: withoutDocker || skipWithoutEnvoy() }, () => {
    let containers: Containers

    before(async () => {
      containers = await startContainers(archive)
    })

    after(async () => await containers[Symbol.asyncDispose]())

    it('does the main job: containers that cannot write to the image, without a network or rights', async () => {
      await containers.job.check()
      for (const service of ['authz', 'signer'] as const) {
        const { Config, HostConfig } = await containers.inspect(service)
        assert.match(Config.User, /^[1-9]\d+:/)
        assert.deepEqual([HostConfig.ReadonlyRootfs, HostConfig.NetworkMode], [true, 'none'])
      }
    })

    it('is healthy by the command of the page', async () => {
      await containers.startDocumented()
      await containers.untilHealth('documented', 'healthy')
    })

    for (const service of ['authz', 'signer'] as const) {
      it(`has a health check by which ${service} is healthy, and unhealthy while it does not answer`, async () => {
        await containers.untilHealth(service, 'healthy')
        await containers.docker('kill', '--signal=STOP', service)
        await containers.untilHealth(service, 'unhealthy')
        await containers.docker('kill', '--signal=CONT', service)
        await containers.untilHealth(service, 'healthy')
      })
    }
  })
})
