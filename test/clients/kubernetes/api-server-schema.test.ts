// `apiServer` of a route: what it must have, and what it may not.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { apiServerSchema } from '../../../src/clients/kubernetes/api-server-schema.ts'
import { checkAll } from '../../configuration/sections.ts'

const route = (apiServer: string, rule = '{ allow: all, subjectAccessReview: true }') => ({
  routes: `routes: [{ name: app, authenticate: [staff], authorize: [${rule}] ${apiServer} }]`,
})

describe('an API server of a route', () => {
  it('is remembered for ten seconds, waited for five, and left alone after five failures', () => {
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
    { name: 'our own', input: route(', apiServer: { inCluster: true }'), want: [] },
    { name: 'by a token', input: route(`, apiServer: { ${server}, ${token} }`), want: [] },
    {
      name: 'that is missing',
      input: route(''),
      want: [/^routes\[0\]\.authorize\[0\]\.subjectAccessReview: needs to know whom to ask/],
    },
    {
      name: 'that is missing for a rule in a list',
      input: route('', '{ list: l, rules: [{ allow: all, subjectAccessReview: true }] }'),
      want: [/^routes\[0\]\.authorize\[0\]\.rules\[0\]\.subjectAccessReview: needs to know/],
    },
    {
      name: 'that nobody asks',
      input: route(', apiServer: { inCluster: true }', '{ allow: all }'),
      want: [],
    },
    {
      name: 'that is not there',
      input: route(`, apiServer: { ${token} }`),
      want: [/^routes\[0\]\.apiServer: must have "server" or "inCluster: true"/],
    },
    {
      name: 'and our own',
      input: route(`, apiServer: { inCluster: true, ${server}, ${token} }`),
      want: [/^routes\[0\]\.apiServer: must have "server" or "inCluster: true", and not both/],
    },
    {
      name: 'our own, with a token',
      input: route(`, apiServer: { inCluster: true, ${token} }`),
      want: [/^routes\[0\]\.apiServer: "inCluster" brings a token/],
    },
    {
      name: 'to which nothing proves us',
      input: route(`, apiServer: { ${server} }`),
      want: [/^routes\[0\]\.apiServer: must have exactly one of "token" and "client"/],
    },
    {
      name: 'to which two things prove us',
      input: route(
        `, apiServer: { ${server}, ${token}, client: { certificate: c.pem, key: env:KEY } }`,
      ),
      want: [/^routes\[0\]\.apiServer: must have exactly one of "token" and "client"/],
    },
    {
      name: 'with a secret in the clear',
      input: route(`, apiServer: { ${server}, token: abc }`),
      want: [/^routes\[0\]\.apiServer\.token: /],
    },
    {
      name: 'that answers for ever',
      input: route(', apiServer: { inCluster: true, cacheTtl: forever, concurrency: 0 }'),
      want: [/^routes\[0\]\.apiServer\.cacheTtl: /, /^routes\[0\]\.apiServer\.concurrency: /],
    },
    {
      name: 'with a key of an authenticator',
      input: route(', apiServer: { inCluster: true, audiences: [a] }'),
      want: [/^routes\[0\]\.apiServer/],
    },
  ])
})
