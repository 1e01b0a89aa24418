// One rule refuses secrets, in front of a real API server where the caller may do everything: no
// other way to ask for them gets round it, and nothing else is touched. Steps are in README.md.

import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { after, before, describe, it } from 'node:test'
import { parse, stringify } from 'yaml'
import { z } from 'zod'
import { http1, http2, valuesOf, type Answer, type RequestOptions } from '../../servers/client.ts'
import { skipWithoutEnvoy } from '../../servers/envoy.ts'
import {
  skipWithoutApiServer,
  startKubeApiServer,
  type KubeApiServer,
} from '../../servers/kube-apiserver.ts'
import { verdictOf } from '../asking.ts'
import { ALICE, eventually, HOST, startSite, type Site } from '../site.ts'

/** What stands in the secret, and must never be seen. */
const VALUE = Buffer.from('the launch code').toString('base64')

const NO_SECRETS = {
  deny: 'no-secrets',
  verbs: ['get', 'list', 'watch', 'deletecollection'],
  resources: ['secrets'],
}
const RBAC_DECIDES = { allow: 'rbac-decides' }

const IN = '/api/v1/namespaces/default'
// A watch would go on for ever.
const SHORT = 'timeoutSeconds=1'

interface Disguise extends RequestOptions {
  readonly name: string
  readonly path: string
  /** Whether the API server would tell the secret, were it asked like this. */
  readonly tells: boolean
  /** By which reason it is refused; default: by the rule. */
  readonly reason?: RegExp
}

const AMBIGUOUS = /^400 (ambiguous|malformed)-(path|query)$|^400 by Envoy$/
// Envoy puts them right before anybody looks, or sends them back to its own form (307).
const NORMALISED = /^403 rule-denied$|^30[17] by Envoy$|^400 /

const DISGUISES: readonly Disguise[] = [
  { name: 'a list', path: `${IN}/secrets`, tells: true },
  { name: 'a list with HEAD', method: 'HEAD', path: `${IN}/secrets`, tells: false },
  { name: 'a list of all namespaces', path: '/api/v1/secrets', tells: true },
  { name: 'a single one', path: `${IN}/secrets/launch`, tells: true },
  { name: 'a watch', path: `${IN}/secrets?watch=1&${SHORT}`, tells: true },
  { name: 'a watch in words', path: `${IN}/secrets?watch=true&${SHORT}`, tells: true },
  { name: 'a watch without a value', path: `${IN}/secrets?watch&${SHORT}`, tells: true },
  { name: 'a watch of all', path: `/api/v1/secrets?watch=1&${SHORT}`, tells: true },
  { name: 'the old watch of all', path: `/api/v1/watch/secrets?${SHORT}`, tells: true },
  {
    name: 'the old watch of a namespace',
    path: `/api/v1/watch/namespaces/default/secrets?${SHORT}`,
    tells: true,
  },
  {
    name: 'the old watch of one',
    path: `/api/v1/watch/namespaces/default/secrets/launch?${SHORT}`,
    tells: true,
  },
  {
    name: 'a list by its field',
    path: `${IN}/secrets?fieldSelector=metadata.name%3Dlaunch`,
    tells: true,
  },
  {
    name: 'a list by its field, not encoded',
    path: `${IN}/secrets?fieldSelector=metadata.name=launch`,
    tells: true,
  },
  {
    name: 'a watch by its field, of all namespaces',
    path: `/api/v1/secrets?fieldSelector=metadata.name%3Dlaunch&watch=1&${SHORT}`,
    tells: true,
  },
  { name: 'a page of a list', path: `${IN}/secrets?limit=1`, tells: true },
  { name: 'all of them deleted', method: 'DELETE', path: `${IN}/secrets?dryRun=All`, tells: true },
  { name: 'a slash at the end', path: `${IN}/secrets/`, tells: true },
  { name: 'a slash behind a single one', path: `${IN}/secrets/launch/`, tells: true },
  { name: 'a letter encoded', path: `${IN}/%73ecrets`, tells: true },
  { name: 'every letter encoded', path: `${IN}/%73%65%63%72%65%74%73/launch`, tells: true },
  { name: 'an encoded prefix', path: `/%61pi/v1/secrets`, tells: true },
  {
    name: 'encoded twice',
    path: `${IN}/%2573ecrets`,
    tells: false,
    reason: AMBIGUOUS,
  },
  { name: 'capitals', path: `${IN}/Secrets`, tells: false, reason: AMBIGUOUS },
  { name: 'a prefix in capitals', path: '/API/v1/secrets', tells: false, reason: AMBIGUOUS },
  { name: 'a doubled slash', path: '//api/v1/secrets', tells: true, reason: NORMALISED },
  { name: 'a doubled slash inside', path: '/api/v1//secrets', tells: true, reason: NORMALISED },
  { name: 'dot segments at the end', path: `${IN}/secrets/.`, tells: true, reason: NORMALISED },
  {
    name: 'a segment that is left again',
    path: `${IN}/pods/../secrets`,
    tells: true,
    reason: NORMALISED,
  },
  {
    name: 'dot segments behind one',
    path: `${IN}/secrets/x/../launch`,
    tells: true,
    reason: NORMALISED,
  },
  { name: 'encoded dots', path: `${IN}/pods/%2e%2e/secrets`, tells: true, reason: NORMALISED },
  { name: 'an encoded slash', path: `${IN}%2fsecrets`, tells: false, reason: NORMALISED },
  { name: 'a backslash', path: `${IN}\\secrets`, tells: true, reason: NORMALISED },
  { name: 'a path parameter', path: `${IN}/secrets;x=1`, tells: false, reason: AMBIGUOUS },
  { name: 'a subresource', path: `${IN}/secrets/launch/status`, tells: false },
  {
    name: 'a watch that is taken back',
    path: `${IN}/secrets?watch=true&watch=false&${SHORT}`,
    tells: true,
    reason: /^403 rule-denied$|^400 ambiguous-query$/,
  },
  {
    name: 'a query of semicolons',
    path: `${IN}/secrets?x;watch=1&${SHORT}`,
    tells: true,
    reason: /^403|^400/,
  },
]

/** Everything else that may be done, and what the API server says to it. */
const UNTOUCHED: readonly (RequestOptions & { readonly name: string; readonly status: number })[] =
  [
    { name: 'a list of pods', path: `${IN}/pods`, status: 200 },
    { name: 'a watch of pods', path: `${IN}/pods?watch=1&${SHORT}`, status: 200 },
    { name: 'a list of config maps of all', path: '/api/v1/configmaps', status: 200 },
    { name: 'a pod that is called secrets', path: `${IN}/pods/secrets`, status: 404 },
    {
      name: 'a namespace that is called secrets',
      path: '/api/v1/namespaces/secrets/pods',
      status: 200,
    },
    { name: 'the version', path: '/version', status: 200 },
    { name: 'the health', path: '/readyz', status: 200 },
    { name: 'discovery', path: '/apis', status: 200 },
    { name: 'the resources of the core group', path: '/api/v1', status: 200 },
    { name: 'the OpenAPI document', path: '/openapi/v3', status: 200 },
    {
      name: 'a secret, made',
      method: 'POST',
      path: `${IN}/secrets?dryRun=All`,
      body: JSON.stringify({ metadata: { name: 'another' } }),
      status: 201,
    },
    {
      name: 'a secret, changed',
      method: 'PATCH',
      path: `${IN}/secrets/launch?dryRun=All`,
      headers: [['content-type', 'application/merge-patch+json']],
      body: JSON.stringify({ metadata: { labels: { a: 'b' } } }),
      status: 200,
    },
    {
      name: 'a secret, deleted',
      method: 'DELETE',
      path: `${IN}/secrets/launch?dryRun=All`,
      status: 200,
    },
    {
      name: 'a list of config maps deleted',
      method: 'DELETE',
      path: `${IN}/configmaps?dryRun=All`,
      status: 200,
    },
  ]

const statusSchema = z.object({
  kind: z.literal('Status'),
  status: z.literal('Failure'),
  reason: z.literal('Forbidden'),
  code: z.literal(403),
  message: z.string(),
})

describe(
  'a rule against secrets, in front of an API server',
  { skip: skipWithoutEnvoy() || skipWithoutApiServer(), timeout: 180_000 },
  () => {
    let server: KubeApiServer
    let site: Site
    before(async () => {
      server = await startKubeApiServer()
      await server.call({
        method: 'POST',
        path: `${IN}/secrets`,
        body: { metadata: { name: 'launch' }, data: { code: VALUE } },
      })
      await server.call({
        method: 'POST',
        path: '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings',
        body: {
          metadata: { name: 'alice' },
          roleRef: {
            apiGroup: 'rbac.authorization.k8s.io',
            kind: 'ClusterRole',
            name: 'cluster-admin',
          },
          subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'alice' }],
        },
      })
      site = await startSite({
        route: { kind: 'kubernetes', authorize: [NO_SECRETS, RBAC_DECIDES] },
        upstream: {
          address: new URL(server.url).host,
          ca: server.ca,
          serverName: 'kubernetes',
          ...server.frontProxy,
        },
      })
      await eventually(
        () => ask({ path: '/api/v1/nodes' }),
        ({ status }) => status === 200,
        25_000,
      )
    })
    after(async () => {
      await site[Symbol.asyncDispose]()
      await server[Symbol.asyncDispose]()
    })

    const ask = (options: RequestOptions, over = http1): Promise<Answer> => {
      const { headers = [], body } = options
      const json = body === undefined || headers.length > 0 ? [] : JSON_BODY
      return over(site.target, {
        ...options,
        host: HOST,
        headers: [ALICE, ...headers, ...json],
      })
    }

    const change = async (authorize: readonly unknown[]): Promise<void> => {
      const file = site.files.config
      const config = z
        .looseObject({ routes: z.array(z.looseObject({})) })
        .parse(parse(await readFile(file, 'utf8')))
      config.routes = config.routes.map((route) => ({ ...route, authorize }))
      await writeFile(file, stringify(config))
    }

    for (const [version, over] of [
      ['HTTP/1.1', http1],
      ['HTTP/2', http2],
    ] as const) {
      for (const { name, reason = /^403 rule-denied$/, tells: _, ...options } of DISGUISES) {
        it(`1. ${name}, over ${version}: refused`, async () => {
          const answer = await ask(options, over)
          assert.ok(!answer.body.includes(VALUE), 'the secret was told')
          assert.match(await verdictOf(site, answer), reason)
        })
      }

      for (const { name, status, ...options } of UNTOUCHED) {
        it(`2. ${name}, over ${version}: untouched`, async () => {
          const answer = await ask(options, over)
          assert.equal(answer.status, status, answer.body)
          assert.equal(await verdictOf(site, answer), `${status} permitted`)
        })
      }
    }

    it('3. the refusal is one that kubectl prints: what, of whom, by which rule', async () => {
      const answer = await ask({ path: `${IN}/secrets` })
      const { message } = statusSchema.parse(JSON.parse(answer.body))
      assert.match(message, /^secrets is forbidden: User "alice" cannot list resource "secrets"/)
      assert.match(message, /no-secrets/)
      const [event] = (await site.events()).slice(-1)
      assert.equal(event?.rule, 'no-secrets')
      assert.deepEqual(event?.kubernetes, {
        verb: 'list',
        apiVersion: 'v1',
        namespace: 'default',
        resource: 'secrets',
      })
      assert.deepEqual(valuesOf(answer, 'x-countersign-decision'), [event?.id])
    })

    it('4. without the rule the same disguises tell the secret, so they are none of straw', async () => {
      await change([RBAC_DECIDES])
      const plain = { path: `${IN}/secrets/launch` }
      await eventually(
        () => ask(plain),
        ({ status }) => status === 200,
      )
      for (const { name, tells, ...options } of DISGUISES) {
        // oxlint-disable-next-line no-await-in-loop -- one after another
        const { body, status } = await ask(options)
        const told = body.includes(VALUE)
        // What has two readings is refused whatever the rules say.
        if (!told && tells && status === 400) continue
        assert.equal(told, tells, `${name}: ${status} ${body.slice(0, 200)}`)
      }
    })
  },
)

const JSON_BODY: NonNullable<RequestOptions['headers']> = [['content-type', 'application/json']]
