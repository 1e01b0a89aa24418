// Upgrades of the chart on a real API server: from the chart before, to options and back. Immutable fields stay.

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { z } from 'zod'
import { helm } from '../../../scripts/helm.ts'
import { startCluster, type Cluster } from '../../servers/cluster.ts'
import { skipWithoutApiServer } from '../../servers/kube-apiserver.ts'
import { skipWithoutKubectl } from '../../servers/kubectl.ts'
import { onChart, skipWithoutHelm } from './rendered.ts'

/** The chart as of the commit ef068060, by `helm package`: a clone of CI may not have that commit. */
const BEFORE = join(import.meta.dirname, '../../fixtures/kubernetes/chart-at-ef068060.tgz')

// What an operator has: valid for both charts.
const OPERATOR = {
  config: {
    authenticators: {
      staff: { basic: { realm: 'Example', verify: [{ users: { file: '/users.yaml' } }] } },
    },
    routes: [
      {
        name: 'app',
        match: { hosts: ['app.example.org'] },
        authenticate: ['staff'],
        authorize: [{ allow: 'everyone' }],
        forward: { headers: 'kubernetes' },
      },
    ],
    envoy: { upstreams: { app: { address: 'app.shop.svc:8443', ca: '/ca.crt' } } },
  },
  authz: { replicas: 3, secrets: ['users'] },
  envoy: { service: { type: 'LoadBalancer' } },
}

const skip = skipWithoutHelm() || skipWithoutApiServer() || skipWithoutKubectl()

const live = z.object({
  spec: z.looseObject({ replicas: z.number(), strategy: z.object({ type: z.string() }) }),
})

describe('an upgrade of the chart', { skip, timeout: 180_000 }, () => {
  const namespace = 'upgrade'
  let cluster: Cluster
  before(async () => {
    cluster = await startCluster()
    await cluster.createNamespace(namespace)
    await cluster.server.call({
      method: 'POST',
      path: '/apis/storage.k8s.io/v1/storageclasses',
      body: {
        metadata: { name: 'fast' },
        provisioner: 'example.org/disk',
        allowVolumeExpansion: true,
      },
    })
  })
  after(() => cluster[Symbol.asyncDispose]())

  const upgrade = async (values: object, options: readonly string[] = []): Promise<void> => {
    await onChart(['upgrade', 'one', ...options], { namespace, values }, cluster.kubeconfig)
  }

  const authz = async (): Promise<z.output<typeof live>['spec']> => {
    const { output } = await cluster.kubectl([
      'get',
      'deployment/one-countersign-authz',
      `--namespace=${namespace}`,
      '--output=json',
    ])
    return live.parse(JSON.parse(output)).spec
  }

  const valueOf = async (kind: string, path: string): Promise<string> => {
    const options = [`--namespace=${namespace}`, `--output=jsonpath=${path}`]
    return (await cluster.kubectl(['get', kind, ...options])).output
  }
  const kindsOf = async (kind: string): Promise<string> =>
    await valueOf(kind, '{.items[*].metadata.name}')

  /** A deleted claim stays until no pod can use it, which a controller decides. */
  const claims = async (): Promise<string> =>
    await valueOf(
      'persistentvolumeclaims',
      '{.items[*].metadata.name}, deleted:{.items[*].metadata.deletionTimestamp}',
    )

  let old: z.output<typeof live>['spec']

  it('from the chart before takes the same values', async () => {
    const values = { namespace, values: OPERATOR }
    await onChart(['install', 'one'], values, cluster.kubeconfig, BEFORE)
    old = await authz()
    await upgrade(OPERATOR)
    assert.deepEqual(await authz(), old, 'no pod restarts')
  })

  it('takes the values of the release before, by --reset-then-reuse-values', async () => {
    await upgrade({}, ['--reset-then-reuse-values'])
    assert.deepEqual(await authz(), old)
  })

  it('to an autoscaler keeps the number of pods', async () => {
    await cluster.kubectl([
      'scale',
      'deployment/one-countersign-authz',
      '--replicas=5',
      `--namespace=${namespace}`,
    ])
    const values = { ...OPERATOR, authz: { ...OPERATOR.authz, autoscaling: { enabled: true } } }
    await upgrade(values)
    assert.equal((await authz()).replicas, 5)
    await upgrade(values)
    assert.equal((await authz()).replicas, 5)
    assert.equal(await kindsOf('horizontalpodautoscalers'), 'one-countersign-authz')
  })

  it('to a state file, and to a greater one', async () => {
    const withFile = (size: string): object => ({
      ...OPERATOR,
      authz: { ...OPERATOR.authz, replicas: 1 },
      state: { kind: 'sqlite', sqlite: { size, storageClass: 'fast' } },
    })
    await upgrade(withFile('2Gi'))
    assert.deepEqual((await authz()).strategy, { type: 'Recreate' })
    assert.equal(await kindsOf('horizontalpodautoscalers'), '')
    // A claim can grow when it is bound, which a controller does.
    const bound = { status: { phase: 'Bound', capacity: { storage: '2Gi' } } }
    const claim = `/api/v1/namespaces/${namespace}/persistentvolumeclaims/one-countersign-state`
    await cluster.server.call({ method: 'PATCH', path: `${claim}/status`, body: bound })
    await upgrade(withFile('4Gi'))
    const size = '{.items[*].spec.resources.requests.storage}'
    assert.equal(await valueOf('persistentvolumeclaims', size), '4Gi')
  })

  it('is undone by helm rollback, to the chart before, and leaves the volume', async () => {
    await helm(['rollback', 'one', '1', `--namespace=${namespace}`], cluster.kubeconfig)
    assert.deepEqual(await authz(), old)
    assert.equal(await claims(), 'one-countersign-state, deleted:')
    await upgrade(OPERATOR)
    assert.deepEqual(await authz(), old)
  })

  it('can be removed, and installed again around the volume that is left', async () => {
    await helm(['uninstall', 'one', `--namespace=${namespace}`], cluster.kubeconfig)
    assert.equal(await claims(), 'one-countersign-state, deleted:')
    const sqlite = { size: '4Gi', storageClass: 'fast' }
    const values = { authz: { replicas: 1 }, state: { kind: 'sqlite', sqlite } }
    await onChart(['install', 'one'], { namespace, values }, cluster.kubeconfig)
    assert.equal((await authz()).replicas, 1)
  })
})
