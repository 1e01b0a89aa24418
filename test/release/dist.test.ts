// The files of a release: the same bytes each time, and what is said about them is true.
//
// Slow: it makes two releases.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { globSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { promisify } from 'node:util'
import * as z from 'zod'
import packageJson from '../../package.json' with { type: 'json' }
import { HELM, helm } from '../../scripts/helm.ts'
import { skipWithoutHelm } from '../deploy/kubernetes/rendered.ts'
import { startCluster } from '../servers/cluster.ts'
import { skipWithoutApiServer } from '../servers/kube-apiserver.ts'
import { skipWithoutKubectl } from '../servers/kubectl.ts'
import { temporaryFolder, type TemporaryFolder } from '../servers/temporary.ts'
import { releaseTo } from './running.ts'

const run = promisify(execFile)
const { version } = packageJson

let folder: TemporaryFolder
const filesOf = (dist: string): readonly string[] =>
  globSync('**/*', { cwd: folder.file(dist), withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.file(dist).length + 1))
    .toSorted()
const bytesOf = async (name: string, dist = 'dist'): Promise<Buffer> =>
  await readFile(join(folder.file(dist), name))

before(async () => {
  folder = await temporaryFolder()
  await releaseTo(folder.file('dist'))
})

after(async () => await folder[Symbol.asyncDispose]())

it('a release that is made again has the same bytes', async () => {
  await releaseTo(folder.file('again'))
  assert.deepEqual(filesOf('again'), filesOf('dist'))
  for (const name of filesOf('dist')) {
    assert.ok((await bytesOf(name)).equals(await bytesOf(name, 'again')), name)
  }
})

describe('SHA256SUMS', () => {
  it('has the sum of every other file', async () => {
    const text = (await bytesOf('SHA256SUMS')).toString('utf8')
    const names = text.split('\n').flatMap((line) => line.split('  ')[1] ?? [])
    assert.deepEqual(
      names.toSorted(),
      filesOf('dist').filter((name) => name !== 'SHA256SUMS'),
    )
    await run('sha256sum', ['--check', '--strict', 'SHA256SUMS'], { cwd: folder.file('dist') })
  })
})

describe('the bill of materials', () => {
  const component = z.object({
    name: z.string(),
    version: z.string(),
    purl: z.string(),
    licenses: z.array(z.object({ expression: z.string() })).length(1),
    hashes: z.array(z.object({ alg: z.literal('SHA-512'), content: z.hex().length(128) })),
  })
  const document = z.object({
    bomFormat: z.literal('CycloneDX'),
    specVersion: z.literal('1.6'),
    serialNumber: z.string().regex(/^urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/),
    components: z.array(component),
    dependencies: z.array(z.object({ ref: z.string() })),
  })

  it('has every package whose licence is in THIRD-PARTY-NOTICES, and the native ones', async () => {
    const text = (await bytesOf(`countersign-${version}.cdx.json`)).toString('utf8')
    const { components, dependencies } = document.parse(JSON.parse(text))
    const archive = join(folder.file('dist'), `countersign-${version}.tgz`)
    const { stdout } = await run('tar', ['-xzOf', archive, 'package/THIRD-PARTY-NOTICES'])
    const listed = components.map((part) => part.purl)
    const noticed = [...stdout.matchAll(/^(\S+) (\d\S*) \(.+\)$/gm)].map(
      ([, name = '', number]) => `pkg:npm/${name.replace('@', '%40')}@${number}`,
    )
    assert.ok(noticed.length > 80)
    assert.deepEqual(
      listed.filter((purl) => !noticed.includes(purl)).map((purl) => purl.replace(/@.*/, '')),
      ['pkg:npm/%40node-rs/argon2', 'pkg:npm/%40node-rs/bcrypt'],
    )
    assert.deepEqual(
      noticed.filter((purl) => !listed.includes(purl)),
      [],
    )
    assert.deepEqual(
      dependencies.slice(1).map(({ ref }) => ref),
      listed,
    )
  })
})

it('the provenance has the digests of the artefacts', async () => {
  const text = (await bytesOf(`countersign-${version}.intoto.json`)).toString('utf8')
  const { subject } = z
    .object({
      subject: z.array(z.object({ name: z.string(), digest: z.object({ sha256: z.hex() }) })),
    })
    .parse(JSON.parse(text))
  const sums = (await bytesOf('SHA256SUMS')).toString('utf8')
  assert.ok(subject.length > 1)
  for (const { name, digest } of subject) assert.ok(sums.includes(`${digest.sha256}  ${name}\n`))
})

it('the chart is one that Helm takes, of this version', { skip: skipWithoutHelm() }, async () => {
  const chart = join(folder.file('dist'), `helm/countersign-${version}.tgz`)
  await run(HELM, ['lint', '--strict', chart])
  const { stdout } = await run(HELM, ['show', 'chart', chart])
  assert.ok(
    stdout.includes(`\nversion: ${version}\n`) && stdout.includes(`appVersion: ${version}\n`),
  )
})

it(
  'the package of the chart is installed by Helm on a real API server, without a complaint',
  { skip: skipWithoutHelm() || skipWithoutApiServer() || skipWithoutKubectl() },
  async () => {
    await using cluster = await startCluster()
    const namespace = 'release'
    await cluster.createNamespace(namespace)
    const chart = join(folder.file('dist'), `helm/countersign-${version}.tgz`)
    await helm(['install', 'one', chart, `--namespace=${namespace}`], cluster.kubeconfig)
    const names = ['get', 'deployments', `--namespace=${namespace}`, '--output=name']
    const { output } = await cluster.kubectl(names)
    assert.match(output, /^deployment\.apps\/one-countersign-authz$/m)
  },
)
