// The options of the chart: what the objects have by each, and what they do not have without.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parse } from 'yaml'
import { OPTIONS } from './options.ts'
import { render, skipWithoutHelm } from './rendered.ts'

const skip = skipWithoutHelm()

describe('the chart renders', { skip }, () => {
  for (const { name, values, has } of OPTIONS) {
    it(name, async () => {
      const { objects } = await render({ values })
      for (const part of has) {
        const found = objects.find(
          ({ kind, metadata }) => kind === part.kind && metadata.name === part.metadata.name,
        )
        assert.partialDeepStrictEqual(found, part)
      }
    })
  }

  it('the key of each audit log into the configuration of its process alone', async () => {
    const authz = { auditKey: { secret: 'authz-audit', every: '5m' } }
    const signer = {
      enabled: true,
      auditKey: { secret: 'signer-audit', file: 'signing.pem' },
      config: { authorities: { kube: { certificate: '/ca.crt', key: 'file:/ca.key' } } },
    }
    const { configMaps } = await render({ values: { authz, signer } })
    const auditOf = (map: string, file: string): unknown =>
      parse(configMaps[map]?.[file] ?? '')['audit']
    assert.deepEqual(auditOf('countersign-config', 'countersign.yaml'), {
      checkpoints: { key: 'file:/etc/countersign/secrets/authz-audit/audit.key', every: '5m' },
    })
    assert.deepEqual(auditOf('countersign-signer', 'signer.yaml'), {
      checkpoints: { key: 'file:/etc/countersign/secrets/signer-audit/signing.pem', every: '1m' },
    })
  })

  it('no way to a collector where no request is traced', async () => {
    const { objects } = await render({ values: { networkPolicy: { tracing: { ports: [4999] } } } })
    assert.doesNotMatch(JSON.stringify(objects), /4999/)
  })

  it('no option unless it is set', async () => {
    const { objects } = await render({})
    const kinds = [...new Set(objects.map(({ kind }) => kind))].toSorted()
    assert.deepEqual(kinds, [
      'ConfigMap',
      'Deployment',
      'NetworkPolicy',
      'PodDisruptionBudget',
      'Service',
      'ServiceAccount',
    ])
  })

  it('no number of pods with an autoscaler, which decides it', async () => {
    const values = { authz: { autoscaling: { enabled: true } } }
    const { objects } = await render({ values })
    const replicas = objects
      .filter(({ kind }) => kind === 'Deployment')
      .map((one) => [one.metadata.name, 'replicas' in Object(one['spec'])])
    assert.deepEqual(Object.fromEntries(replicas), {
      'countersign-authz': false,
      'countersign-envoy': true,
    })
  })

  it('a disruption budget if there are always two pods or more, and it is not disabled', async () => {
    const budgets = async (minReplicas: number): Promise<readonly string[]> => {
      const values = {
        authz: { replicas: 1, autoscaling: { enabled: true, minReplicas } },
        envoy: { replicas: 1 },
      }
      const { objects } = await render({ values })
      return objects
        .filter(({ kind }) => kind === 'PodDisruptionBudget')
        .map(({ metadata }) => metadata.name)
    }
    assert.deepEqual(await budgets(2), ['countersign-authz'])
    assert.deepEqual(await budgets(1), [])
    const off = { authz: { podDisruptionBudget: { enabled: false } } }
    const { objects } = await render({ values: off })
    const left = objects.filter(({ kind }) => kind === 'PodDisruptionBudget')
    assert.deepEqual(
      left.map(({ metadata }) => metadata.name),
      ['countersign-envoy'],
    )
  })

  it('a spread over the pods that its own labelSelector finds alone', async () => {
    const spread = { topologyKey: 'rack', maxSkew: 1, whenUnsatisfiable: 'DoNotSchedule' }
    const own = { ...spread, labelSelector: { matchLabels: { tier: 'edge' } } }
    const { pods } = await render({ values: { authz: { topologySpreadConstraints: [own] } } })
    assert.deepEqual(pods('authz').spec['topologySpreadConstraints'], [own])
  })

  it('certificates for what there is alone', async () => {
    const certificates = async (values: object): Promise<readonly string[]> => {
      const { objects } = await render({ values: { certManager: { enabled: true }, ...values } })
      return objects
        .filter(({ kind }) => kind === 'Certificate')
        .map(({ metadata }) => metadata.name.replace('countersign-', ''))
        .toSorted()
    }
    const external = { enabled: true, internal: { issuerRef: { name: 'mesh' } } }
    assert.deepEqual(await certificates({ envoy: { enabled: false } }), ['authz', 'internal-ca'])
    assert.deepEqual(await certificates({ authz: { tls: { enabled: false } } }), [
      'edge',
      'internal-ca',
    ])
    assert.deepEqual(
      await certificates({ certManager: { ...external, edge: { enabled: false } } }),
      ['authz', 'envoy'],
    )
  })

  it('no volume of its own where a claim exists, and no service account', async () => {
    const values = {
      authz: { replicas: 1, serviceAccount: { create: false, name: 'identity' } },
      state: { kind: 'sqlite', sqlite: { existingClaim: 'mine' } },
    }
    const { objects } = await render({ values })
    const made = objects
      .filter(({ kind }) => ['PersistentVolumeClaim', 'ServiceAccount'].includes(kind))
      .map(({ metadata }) => metadata.name)
    assert.deepEqual(made, ['countersign-envoy'])
  })
})
