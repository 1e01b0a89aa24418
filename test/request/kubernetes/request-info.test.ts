// What a request line asks of a Kubernetes API server, rule by rule.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { HeaderLine } from '../../../src/request/header-line.ts'
import { Headers } from '../../../src/request/headers.ts'
import { readKubernetes } from '../../../src/request/kubernetes/request-info.ts'
import { table } from './table.ts'

describe('a resource', () => {
  table([
    { name: 'one object', input: 'GET /api/v1/namespaces/x/pods/y', want: 'get api/v1 x pods y' },
    {
      name: 'one object, the body left out',
      input: 'HEAD /api/v1/namespaces/x/pods/y',
      want: 'get api/v1 x pods y',
    },
    { name: 'many', input: 'GET /api/v1/namespaces/x/pods', want: 'list api/v1 x pods -' },
    {
      name: 'many, the body left out',
      input: 'HEAD /api/v1/namespaces/x/pods',
      want: 'list api/v1 x pods -',
    },
    { name: 'many, of all namespaces', input: 'GET /api/v1/pods', want: 'list api/v1 - pods -' },
    {
      name: 'a slash at the end',
      input: 'GET /api/v1/namespaces/x/pods/y/',
      want: 'get api/v1 x pods y',
    },
    { name: 'a new one', input: 'POST /api/v1/namespaces/x/pods', want: 'create api/v1 x pods -' },
    {
      name: 'a changed one',
      input: 'PUT /api/v1/namespaces/x/pods/y',
      want: 'update api/v1 x pods y',
    },
    {
      name: 'a patched one',
      input: 'PATCH /api/v1/namespaces/x/pods/y?force=true',
      want: 'patch api/v1 x pods y',
    },
    {
      name: 'one to be deleted',
      input: 'DELETE /api/v1/namespaces/x/pods/y',
      want: 'delete api/v1 x pods y',
    },
    {
      name: 'many to be deleted',
      input: 'DELETE /api/v1/namespaces/x/pods',
      want: 'deletecollection api/v1 x pods -',
    },
    {
      name: 'many to be deleted, selected by a name, which is none of its attributes',
      input: 'DELETE /api/v1/namespaces/x/pods?fieldSelector=metadata.name=y&labelSelector=a',
      want: 'deletecollection api/v1 x pods - metadata.name=y a',
    },
    {
      name: 'a method of no verb',
      input: 'OPTIONS /api/v1/namespaces/x/pods/y',
      want: '- api/v1 x pods y',
    },
    {
      name: 'a method of no verb, of many',
      input: 'LIST /api/v1/namespaces/x/pods?watch=1',
      want: '- api/v1 x pods -',
    },
    {
      name: 'a subresource',
      input: 'POST /api/v1/namespaces/x/pods/y/exec?command=sh;',
      want: 'create api/v1 x pods/exec y',
    },
    {
      name: 'a path behind a subresource',
      input: 'GET /api/v1/namespaces/x/services/https:name:443/proxy/A/b?c=;',
      want: 'get api/v1 x services/proxy https:name:443',
    },
    {
      name: 'a group',
      input: 'PATCH /apis/apps/v1/namespaces/x/deployments/y/scale',
      want: 'patch apis/apps/v1 x deployments/scale y',
    },
    {
      name: 'a group with dots',
      input: 'GET /apis/cert-manager.io/v1/certificates',
      want: 'list apis/cert-manager.io/v1 - certificates -',
    },
    {
      name: 'a metric of every pod',
      input: 'GET /apis/custom.metrics.k8s.io/v1beta2/namespaces/x/pods/%2A/http_requests',
      want: 'get apis/custom.metrics.k8s.io/v1beta2 x pods/http_requests *',
    },
    {
      name: 'resources called like verbs',
      input: 'GET /api/v1/get/list',
      want: 'get api/v1 - get list',
    },
    { name: 'a name in upper case', input: 'GET /api/v1/nodes/A', want: 'get api/v1 - nodes A' },
  ])

  it('knows its parts', () => {
    const reading = readKubernetes({
      method: 'GET',
      path: '/api/v1/namespaces/x/pods/y/proxy/a/b/',
      query: '',
      headers: new Headers([]),
    })
    assert.ok(reading.outcome === 'read')
    assert.deepEqual(reading.kubernetes.parts, ['pods', 'y', 'proxy', 'a', 'b'])
  })
})

describe('a namespace', () => {
  table([
    { name: 'all', input: 'GET /api/v1/namespaces', want: 'list api/v1 - namespaces -' },
    {
      name: 'one, which is its own namespace',
      input: 'GET /api/v1/namespaces/x',
      want: 'get api/v1 x namespaces x',
    },
    {
      name: 'its status',
      input: 'PUT /api/v1/namespaces/x/status',
      want: 'update api/v1 x namespaces/status x',
    },
    {
      name: 'its end',
      input: 'PUT /api/v1/namespaces/x/finalize',
      want: 'update api/v1 x namespaces/finalize x',
    },
    {
      name: 'no other subresource',
      input: 'PUT /api/v1/namespaces/x/scale',
      want: 'update api/v1 x scale -',
    },
    {
      name: 'a resource called namespaces in it',
      input: 'GET /api/v1/namespaces/x/namespaces/y',
      want: 'get api/v1 x namespaces y',
    },
    {
      name: 'one called status',
      input: 'GET /api/v1/namespaces/status',
      want: 'get api/v1 status namespaces status',
    },
  ])
})

describe('a verb in the path', () => {
  table([
    { name: 'a watch of many', input: 'GET /api/v1/watch/pods', want: 'watch api/v1 - pods -' },
    {
      name: 'a watch of one',
      input: 'GET /api/v1/watch/namespaces/x/pods/y',
      want: 'watch api/v1 x pods y',
    },
    {
      name: 'selectors are not honoured',
      input: 'GET /api/v1/watch/pods?labelSelector=a&fieldSelector=metadata.name%3Dx',
      want: 'watch api/v1 - pods -',
    },
    {
      name: 'whatever the method',
      input: 'DELETE /api/v1/watch/pods',
      want: 'watch api/v1 - pods -',
    },
    {
      name: 'a watch of what is called watch',
      input: 'GET /api/v1/watch/watch',
      want: 'watch api/v1 - watch -',
    },
    {
      name: 'a proxy has no subresource',
      input: 'GET /api/v1/proxy/namespaces/x/pods/y/Exec/z',
      want: 'proxy api/v1 x pods y',
    },
    {
      name: 'a proxy that is a subresource',
      input: 'GET /api/v1/namespaces/x/pods/y/proxy',
      want: 'get api/v1 x pods/proxy y',
    },
    { name: 'of nothing', input: 'GET /api/v1/watch', want: 'ambiguous-path' },
    { name: 'of nothing, with a slash', input: 'GET /apis/apps/v1/proxy/', want: 'ambiguous-path' },
    { name: 'in upper case', input: 'GET /api/v1/Watch/pods', want: 'ambiguous-path' },
  ])
})

describe('a path without a resource', () => {
  table([
    { name: 'the root', input: 'GET /', want: 'get' },
    { name: 'versions', input: 'GET /api', want: 'get' },
    { name: 'resources of the core group', input: 'GET /api/v1/', want: 'get' },
    { name: 'groups', input: 'GET /apis/', want: 'get' },
    { name: 'a group', input: 'GET /apis/apps', want: 'get' },
    { name: 'resources of a group', input: 'GET /apis/apps/v1', want: 'get apis' },
    { name: 'its verb is the method', input: 'POST /logs/x', want: 'post' },
    { name: 'a query that a list could not have', input: 'GET /livez?verbose;a=%zz', want: 'get' },
    { name: 'API discovery documents', input: 'GET /openapi/v3/apis/apps/v1', want: 'get' },
    { name: 'a well-known document', input: 'GET /.well-known/openid-configuration', want: 'get' },
    { name: 'a prefix that is only the beginning', input: 'GET /apiserver/v1/pods', want: 'get' },
    { name: 'a prefix in upper case', input: 'GET /API/v1/pods', want: 'ambiguous-path' },
    { name: 'a prefix in mixed case, alone', input: 'GET /Apis', want: 'ambiguous-path' },
    { name: 'a dotless i', input: 'GET /ap%C4%B1/v1/pods', want: 'ambiguous-path' },
    { name: 'a long s', input: 'GET /api%C5%BF/apps/v1/pods', want: 'ambiguous-path' },
  ])
})

describe('impersonation', () => {
  const withHeader = (name: string, value: string) =>
    readKubernetes({
      method: 'GET',
      path: '/api/v1/nodes',
      query: '',
      headers: new Headers([HeaderLine.of(name, Buffer.from(value))]),
    })

  it('is part of the request', () => {
    const reading = withHeader('impersonate-user', 'alice')
    assert.ok(reading.outcome === 'read')
    assert.deepEqual(reading.kubernetes.impersonation, {
      user: 'alice',
      groups: [],
      extra: new Map(),
    })
  })

  it('is refused where it is malformed', () => {
    assert.deepEqual(withHeader('impersonate-group', 'system:masters'), {
      outcome: 'refused',
      code: 'impersonation-malformed',
    })
  })
})
