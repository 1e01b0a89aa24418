// APIs to which a slash at the end of a path means nothing, as to a Kubernetes API server.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { OperationIndex } from '../../../src/request/openapi/operation-index.ts'
import { findIn, operation } from './operation.ts'

describe('OperationIndex where a slash at the end means nothing', () => {
  const TEMPLATES = ['/', '/api/', '/api/v1/pods', '/api/v1/pods/{name}', '/apis/{group}/']
  const index = new OperationIndex(
    TEMPLATES.map((template) => operation(`GET ${template}`)),
    '',
    { ignoreTrailingSlash: true },
  )
  const CASES: readonly { path: string; want: string }[] = [
    { path: '/', want: '/' },
    { path: '/api', want: '/api/' },
    { path: '/api/', want: '/api/' },
    { path: '/apis/apps', want: '/apis/{group}/ group=apps' },
    { path: '/apis/apps/', want: '/apis/{group}/ group=apps' },
    { path: '/api/v1/pods/', want: '/api/v1/pods' },
    { path: '/api/v1/pods/a/', want: '/api/v1/pods/{name} name=a' },
    { path: '/API/v1/pods', want: 'ambiguous' },
    { path: '/api/v1/pods;x', want: 'ambiguous' },
    { path: '/api/v1', want: 'undefined' },
  ]
  for (const { path, want } of CASES) {
    it(`${path} → ${want}`, () => assert.equal(findIn(index, path), want))
  }
})
