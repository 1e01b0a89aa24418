// Which requests only ask what a Kubernetes API server is.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isDiscovery } from '../../../src/request/kubernetes/discovery.ts'
import { readKubernetes } from '../../../src/request/kubernetes/request-info.ts'
import { Headers } from '../../../src/request/headers.ts'

const isDiscoveryOf = (method: string, path: string, query = ''): boolean => {
  const reading = readKubernetes({ method, path, query, headers: new Headers([]) })
  return reading.outcome === 'read' && isDiscovery(reading.kubernetes)
}

describe('discovery of a Kubernetes API server', () => {
  for (const path of [
    '/api',
    '/api/',
    '/api/v1',
    '/apis',
    '/apis/apps',
    '/apis/apps/v1',
    '/openapi/v2',
    '/openapi/v3',
    '/openapi/v3/apis/apps/v1',
    '/version',
    '/version/',
    '/healthz',
    '/livez',
    '/readyz',
  ]) {
    it(`is GET ${path}`, () => assert.equal(isDiscoveryOf('GET', path), true))
  }

  for (const path of [
    '/',
    '/api/v1/secrets',
    '/api/v1/watch/secrets',
    '/apis/apps/v1/deployments',
    '/openapiv2',
    '/openapi-v2',
    '/OPENAPI/v2',
    '/versions',
    '/version/x',
    '/readyz/',
    '/livez/ping',
    '/metrics',
    '/debug/pprof/',
    '/logs/',
  ]) {
    it(`is not GET ${path}`, () => assert.equal(isDiscoveryOf('GET', path), false))
  }

  for (const method of ['HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'CONNECT']) {
    it(`is not ${method} /openapi/v2`, () =>
      assert.equal(isDiscoveryOf(method, '/openapi/v2'), false))
  }
})
