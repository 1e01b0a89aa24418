// A rule for secrets in all disguises of a request for them: it is read as one, or refused.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Headers } from '../../../src/request/headers.ts'
import { readKubernetes } from '../../../src/request/kubernetes/request-info.ts'
import { table } from './table.ts'

describe('secrets in all disguises', () => {
  table([
    { name: 'a list', input: 'GET /api/v1/namespaces/x/secrets', want: 'list api/v1 x secrets -' },
    {
      name: 'of all namespaces',
      input: 'GET /api/v1/secrets?limit=500',
      want: 'list api/v1 - secrets -',
    },
    { name: 'one', input: 'GET /api/v1/namespaces/x/secrets/y', want: 'get api/v1 x secrets y' },
    {
      name: 'one, said to be watched',
      input: 'GET /api/v1/namespaces/x/secrets/y?watch=1',
      want: 'get api/v1 x secrets y',
    },
    { name: 'a watch', input: 'GET /api/v1/secrets?watch=1', want: 'watch api/v1 - secrets -' },
    {
      name: 'a watch in words',
      input: 'GET /api/v1/secrets?watch=true',
      want: 'watch api/v1 - secrets -',
    },
    {
      name: 'a watch without a value',
      input: 'GET /api/v1/secrets?watch',
      want: 'watch api/v1 - secrets -',
    },
    { name: 'no watch', input: 'GET /api/v1/secrets?watch=0', want: 'list api/v1 - secrets -' },
    { name: 'both', input: 'GET /api/v1/secrets?watch=0&watch=1', want: 'ambiguous-query' },
    {
      name: 'a deletion of all',
      input: 'DELETE /api/v1/namespaces/x/secrets',
      want: 'deletecollection api/v1 x secrets -',
    },
    {
      name: 'a watch in the path',
      input: 'GET /api/v1/watch/secrets',
      want: 'watch api/v1 - secrets -',
    },
    {
      name: 'a watch of one in the path',
      input: 'GET /api/v1/watch/namespaces/x/secrets/y',
      want: 'watch api/v1 x secrets y',
    },
    {
      name: 'a proxy in the path',
      input: 'GET /api/v1/proxy/namespaces/x/secrets/y',
      want: 'proxy api/v1 x secrets y',
    },
    { name: 'an encoded letter', input: 'GET /api/v1/%73ecrets', want: 'list api/v1 - secrets -' },
    {
      name: 'encoded letters everywhere',
      input: 'GET /%61pi/%76%31/%73%65%63%72%65%74%73',
      want: 'list api/v1 - secrets -',
    },
    {
      name: 'an encoded verb in the path',
      input: 'GET /api/v1/w%61tch/secrets',
      want: 'watch api/v1 - secrets -',
    },
    { name: 'a doubly encoded letter', input: 'GET /api/v1/%2573ecrets', want: 'ambiguous-path' },
    { name: 'mixed case', input: 'GET /api/v1/Secrets', want: 'ambiguous-path' },
    {
      name: 'mixed case in a namespace',
      input: 'GET /api/v1/namespaces/x/sEcrets',
      want: 'ambiguous-path',
    },
    {
      name: 'namespaces in mixed case',
      input: 'GET /api/v1/Namespaces/x/secrets',
      want: 'ambiguous-path',
    },
    { name: 'a version in upper case', input: 'GET /api/V1/secrets', want: 'ambiguous-path' },
    { name: 'a group in mixed case', input: 'GET /apis/Apps/v1/secrets', want: 'ambiguous-path' },
    { name: 'a long s', input: 'GET /api/v1/%C5%BFecrets', want: 'ambiguous-path' },
    { name: 'a double slash', input: 'GET /api/v1//secrets', want: 'ambiguous-path' },
    { name: 'a double slash in front', input: 'GET //api/v1/secrets', want: 'ambiguous-path' },
    { name: 'an encoded slash', input: 'GET /api/v1%2Fsecrets', want: 'ambiguous-path' },
    { name: 'a trailing slash', input: 'GET /api/v1/secrets/', want: 'list api/v1 - secrets -' },
    { name: 'a trailing dot segment', input: 'GET /api/v1/secrets/.', want: 'ambiguous-path' },
    { name: 'an encoded dot segment', input: 'GET /api/v1/secrets/%2e', want: 'ambiguous-path' },
    {
      name: 'dots that lead to them',
      input: 'GET /api/v1/pods/../secrets',
      want: 'ambiguous-path',
    },
    { name: 'a path parameter', input: 'GET /api/v1/secrets;v=1', want: 'ambiguous-path' },
    { name: 'a blank', input: 'GET /api/v1/secrets%20', want: 'ambiguous-path' },
    { name: 'a star', input: 'GET /api/v1/*', want: 'ambiguous-path' },
    { name: 'an encoded star', input: 'GET /api/v1/%2A', want: 'ambiguous-path' },
    {
      name: 'a subresource',
      input: 'GET /api/v1/namespaces/x/secrets/y/status',
      want: 'get api/v1 x secrets/status y',
    },
    {
      name: 'a subresource in upper case',
      input: 'GET /api/v1/namespaces/x/secrets/y/Status',
      want: 'ambiguous-path',
    },
    {
      name: 'a star as a subresource',
      input: 'GET /api/v1/namespaces/x/secrets/y/*',
      want: 'ambiguous-path',
    },
    {
      name: 'one by a field selector',
      input: 'GET /api/v1/namespaces/x/secrets?fieldSelector=metadata.name%3Dy',
      want: 'list api/v1 x secrets y metadata.name=y',
    },
    {
      name: 'a watch of one by a field selector',
      input: 'GET /api/v1/namespaces/x/secrets?watch=1&fieldSelector=metadata.name=y',
      want: 'watch api/v1 x secrets y metadata.name=y',
    },
    {
      name: 'a field selector that names none to the server, since it cannot be decoded with the rest',
      input: 'GET /api/v1/secrets?fieldSelector=metadata.name%3Dy&limit=x',
      want: 'list api/v1 - secrets - metadata.name=y',
    },
    {
      name: 'a field selector of two names',
      input: 'GET /api/v1/secrets?fieldSelector=metadata.name=y,metadata.name=z',
      want: 'ambiguous-query',
    },
    {
      name: 'a watch behind a semicolon',
      input: 'GET /api/v1/secrets?a=b;watch=1',
      want: 'ambiguous-query',
    },
    { name: 'a stray %', input: 'GET /api/v1/secrets?watch=%zz', want: 'ambiguous-query' },
  ])

  it('refuses what readPath would not have let through', () => {
    for (const path of ['/api/v1//secrets', '/api/v1/./secrets', '/api/v1/x/../secrets', '//']) {
      assert.deepEqual(
        readKubernetes({ method: 'GET', path, query: '', headers: new Headers([]) }),
        { outcome: 'refused', code: 'ambiguous-path' },
        path,
      )
    }
  })
})
