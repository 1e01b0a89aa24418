// The Secrets of TLS by cert-manager's own controllers on a real API server, and authz and a real Envoy that use them.

import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { after, before, describe, it } from 'node:test'
import { z } from 'zod'
import { startCertManager, skipWithoutCertManager } from '../../servers/cert-manager.ts'
import { http1 } from '../../servers/client.ts'
import { startCluster, type Cluster } from '../../servers/cluster.ts'
import { skipWithoutEnvoy } from '../../servers/envoy.ts'
import { skipWithoutApiServer } from '../../servers/kube-apiserver.ts'
import { skipWithoutKubectl } from '../../servers/kubectl.ts'
import { addDefinitions, skipWithoutDefinitions } from '../../servers/resource-definitions.ts'
import { temporaryFolder } from '../../servers/temporary.ts'
import { usersObjects } from './files.ts'
import { onChart, skipWithoutHelm } from './rendered.ts'
import { startChart } from './running-chart.ts'

const skip =
  skipWithoutHelm() ||
  skipWithoutApiServer() ||
  skipWithoutKubectl() ||
  skipWithoutDefinitions() ||
  skipWithoutCertManager() ||
  skipWithoutEnvoy()

const HOST = 'kube.example.org'
const SECRETS = ['countersign-authz-tls', 'countersign-envoy-tls', 'countersign-edge-tls'] as const

const secret = z.object({ data: z.record(z.string(), z.base64()) })

describe('certificates by cert-manager', { skip, timeout: 180_000 }, () => {
  const namespace = 'countersign'
  const values = { example: 'certificate', values: { certManager: { enabled: true } } }
  const started = new AsyncDisposableStack()
  let cluster: Cluster

  before(async () => {
    cluster = started.use(await startCluster())
    await addDefinitions(cluster)
    await cluster.createNamespace(namespace)
    started.use(await startCertManager(cluster, namespace))
    await onChart(['install', 'countersign'], values, cluster.kubeconfig)
  })
  after(() => started.disposeAsync())

  const secretOf = async (name: string): Promise<Readonly<Record<string, string>>> => {
    const options = [`--namespace=${namespace}`, '--output=json']
    const { output } = await cluster.kubectl(['get', `secret/${name}`, ...options])
    const { data } = secret.parse(JSON.parse(output))
    return Object.fromEntries(
      Object.entries(data).map(([key, text]) => [key, Buffer.from(text, 'base64').toString()]),
    )
  }

  it('are issued for authz, for Envoy and for callers', async () => {
    const { output, complaint } = await cluster.kubectl([
      'wait',
      '--for=condition=Ready',
      'certificates',
      '--all',
      `--namespace=${namespace}`,
      '--timeout=60s',
    ])
    assert.equal(complaint, '')
    assert.equal(output.trim().split('\n').length, SECRETS.length + 1)
    for (const name of SECRETS) {
      assert.deepEqual(Object.keys(await secretOf(name)).toSorted(), [
        'ca.crt',
        'tls.crt',
        'tls.key',
      ])
    }
  })

  it('are those by which Envoy serves callers and asks authz', async () => {
    const made = await usersObjects()
    const issued = await Promise.all(SECRETS.map(async (name) => [name, await secretOf(name)]))
    const secrets = { ...made.secrets, ...Object.fromEntries(issued) }
    await using chart = await startChart(values, { made: { ...made, secrets } })
    await using folder = await temporaryFolder()
    const ca = folder.file('ca.crt')
    await writeFile(ca, (await secretOf('countersign-edge-tls'))['ca.crt'] ?? '')
    const { status } = await http1({ port: chart.ports.envoy, serverName: HOST, ca })
    assert.equal(status, 401)
  })
})
