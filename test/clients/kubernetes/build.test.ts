// Which API server gets the reviews.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { inCluster } from '../../../src/clients/kubernetes/build.ts'

describe('the API server of the own cluster', () => {
  it('is found by the pod’s environment and service account', () => {
    const environment = { KUBERNETES_SERVICE_HOST: '10.96.0.1', KUBERNETES_SERVICE_PORT: '443' }
    assert.deepEqual(inCluster(environment, '/sa'), {
      server: 'https://10.96.0.1:443',
      ca: '/sa/ca.crt',
      token: { kind: 'file', path: '/sa/token' },
      client: undefined,
    })
    const six = { ...environment, KUBERNETES_SERVICE_HOST: 'fd00::1' }
    assert.equal(inCluster(six).server, 'https://[fd00::1]:443')
    assert.equal(inCluster(six).ca, '/var/run/secrets/kubernetes.io/serviceaccount/ca.crt')
  })

  it('is refused outside of a pod', () => {
    for (const environment of [
      {},
      { KUBERNETES_SERVICE_HOST: '10.96.0.1' },
      { KUBERNETES_SERVICE_HOST: '', KUBERNETES_SERVICE_PORT: '443' },
    ]) {
      assert.throws(() => inCluster(environment), { code: 'configuration-invalid' })
    }
  })
})
