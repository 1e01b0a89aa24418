// `countersign envoy istio`: the EnvoyFilter of a configuration, and what it refuses.

import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { parse, stringify } from 'yaml'
import { istioConfiguration } from '../../scripts/istio-files.ts'
import { temporaryFolder, type TemporaryFolder } from '../servers/temporary.ts'
import { countersign } from './run.ts'

const FILES = resolve(import.meta.dirname, '../../deploy/istio')
const SIGNER = ['--signer', 'unix:/run/countersign/signer.sock']
const SERVICE = ['--service', 'kube-apiserver.internal:443']

describe('countersign envoy istio', () => {
  let folder: TemporaryFolder
  let config: string
  before(async () => {
    folder = await temporaryFolder()
    config = folder.file('countersign.yaml')
    const listen = { authz: '127.0.0.1:9001', issuer: '127.0.0.1:8081' }
    const certificateGrants = { keyring: 'file:grant.keys' }
    await writeFile(config, stringify(await istioConfiguration({ listen, certificateGrants })))
  })
  after(() => folder[Symbol.asyncDispose]())

  const run = (...args: readonly string[]) =>
    countersign(['envoy', 'istio', '--config', config, ...args])

  it('writes the files of deploy/istio from the example configuration', async () => {
    const plain = await run()
    assert.equal(plain.stdout, await readFile(resolve(FILES, 'envoy-filter.yaml'), 'utf8'))
    const output = folder.file('filter.yaml')
    await run(...SIGNER, ...SERVICE, '--output', output)
    const committed = await readFile(resolve(FILES, 'envoy-filter-certificates.yaml'), 'utf8')
    assert.equal(await readFile(output, 'utf8'), committed)
  })

  it('selects the configured gateway', async () => {
    const { stdout } = await run(
      '--namespace',
      'edge',
      '--selector',
      'app=edge',
      '--trusted-hops=1',
    )
    const { metadata, spec } = parse(stdout)
    assert.equal(metadata.namespace, 'edge')
    assert.deepEqual(spec.workloadSelector, { labels: { app: 'edge' } })
    assert.doesNotMatch(stdout, /prefix: x-forwarded-/)
  })

  const REFUSED: readonly { args: readonly string[]; says: RegExp }[] = [
    { args: SIGNER, says: /--signer and --service require each other/ },
    { args: SERVICE, says: /--signer and --service require each other/ },
    { args: ['--signer', '127.0.0.1:1', ...SERVICE], says: /must be unix:PATH/ },
    { args: [...SIGNER, '--service', 'unix:/s'], says: /must be HOST:PORT/ },
    { args: ['--selector', 'gateway'], says: /must be LABEL=VALUE/ },
    { args: ['--trusted-hops', '-1'], says: /must be a number from 0 to 16/ },
  ]
  for (const { args, says } of REFUSED) {
    it(`refuses ${args.join(' ')}`, async () => {
      const { status, stdout, stderr } = await run(...args)
      assert.notEqual(status, 0)
      assert.equal(stdout, '')
      assert.match(stderr, says)
    })
  }
})
