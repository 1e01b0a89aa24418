// `apiServer` of a route: what it must have, and what it may not.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { apiServerSchema } from '../../../src/clients/kubernetes/api-server-schema.ts'
import { checkAll } from '../../configuration/sections.ts'

const route = (apiServer: string, rule = '{ allow: all, subjectAccessReview: true }') => ({
  routes: `routes: [{ name: app, authenticate: [staff], authorize: [${rule}] ${apiServer} }]`,
})

describe('the section `apiServer` of a route', () => {
  it('has defaults for caching, deadline, circuit breaker and limits', () => {
    assert.deepEqual(apiServerSchema.parse({ inCluster: true }), {
      inCluster: true,
      cacheTtl: 10_000,
      timeout: 5_000,
      failureThreshold: 5,
      coolDown: 5_000,
      concurrency: 256,
      perCaller: { concurrency: 20, perSecond: 50 },
    })
  })

  const token = 'token: env:TOKEN'
  const server = 'server: https://10.0.0.1:6443'
  checkAll([
    {
      name: 'accepts the setting `inCluster`',
      input: route(', apiServer: { inCluster: true }'),
      want: [],
    },
    {
      name: 'accepts a server with a token',
      input: route(`, apiServer: { ${server}, ${token} }`),
      want: [],
    },
    {
      name: 'refuses a rule with subjectAccessReview where it is missing',
      input: route(''),
      want: [/^routes\[0\]\.authorize\[0\]\.subjectAccessReview: needs "apiServer"/],
    },
    {
      name: 'refuses a rule in a list with subjectAccessReview where it is missing',
      input: route('', '{ list: l, rules: [{ allow: all, subjectAccessReview: true }] }'),
      want: [/^routes\[0\]\.authorize\[0\]\.rules\[0\]\.subjectAccessReview: needs "apiServer"/],
    },
    {
      name: 'is accepted where no rule uses it',
      input: route(', apiServer: { inCluster: true }', '{ allow: all }'),
      want: [],
    },
    {
      name: 'refuses a section without `server` and `inCluster`',
      input: route(`, apiServer: { ${token} }`),
      want: [/^routes\[0\]\.apiServer: must have "server" or "inCluster: true"/],
    },
    {
      name: 'refuses both `server` and `inCluster`',
      input: route(`, apiServer: { inCluster: true, ${server}, ${token} }`),
      want: [/^routes\[0\]\.apiServer: must have "server" or "inCluster: true", and not both/],
    },
    {
      name: 'refuses `inCluster` with a token',
      input: route(`, apiServer: { inCluster: true, ${token} }`),
      want: [/^routes\[0\]\.apiServer: "inCluster" brings a token/],
    },
    {
      name: 'refuses a server without a token or client certificate',
      input: route(`, apiServer: { ${server} }`),
      want: [/^routes\[0\]\.apiServer: must have exactly one of "token" and "client"/],
    },
    {
      name: 'refuses a server with both a token and a client certificate',
      input: route(
        `, apiServer: { ${server}, ${token}, client: { certificate: c.pem, key: env:KEY } }`,
      ),
      want: [/^routes\[0\]\.apiServer: must have exactly one of "token" and "client"/],
    },
    {
      name: 'refuses a secret in the configuration itself',
      input: route(`, apiServer: { ${server}, token: abc }`),
      want: [/^routes\[0\]\.apiServer\.token: /],
    },
    {
      name: 'refuses an unlimited cacheTtl and a concurrency of 0',
      input: route(', apiServer: { inCluster: true, cacheTtl: forever, concurrency: 0 }'),
      want: [/^routes\[0\]\.apiServer\.cacheTtl: /, /^routes\[0\]\.apiServer\.concurrency: /],
    },
    {
      name: 'refuses a key of the section tokenReview',
      input: route(', apiServer: { inCluster: true, audiences: [a] }'),
      want: [/^routes\[0\]\.apiServer/],
    },
  ])
})
