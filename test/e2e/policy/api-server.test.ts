// A real API server, queried by rules for the decisions of its RBAC, and impersonated at with the real
// kubectl. Steps are in README.md.

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { z } from 'zod'
import type { DecisionEvent } from '../../../src/audit/event.ts'
import { http1, http2, type Answer, type HeaderLine } from '../../servers/client.ts'
import { skipWithoutEnvoy } from '../../servers/envoy.ts'
import {
  skipWithoutApiServer,
  startKubeApiServer,
  type KubeApiServer,
} from '../../servers/kube-apiserver.ts'
import { kubectl, skipWithoutKubectl, type KubectlResult } from '../../servers/kubectl.ts'
import { verdictOf } from '../asking.ts'
import { ALICE, basic, eventually, HOST, PASSWORDS, startSite, type Site } from '../site.ts'
import { assertExplained, assertReplayed } from './tools.ts'
import { reviewSchema } from '../self-subject-review.ts'

const BOB = basic('bob', PASSWORDS.bob)
const PODS = '/api/v1/namespaces/default/pods'
const WHO_AM_I = '/apis/authentication.k8s.io/v1/selfsubjectreviews'
const RBAC = '/apis/rbac.authorization.k8s.io/v1'

/** Rules that query an API server about pods, and rules that do not. */
const RULES = [
  { deny: 'closed', resources: ['nodes'] },
  { deny: 'not-by-rbac', resources: ['pods', 'configmaps'], subjectAccessReview: false },
  {
    allow: 'deputies',
    users: ['alice'],
    impersonate: { users: ['viewer-*'], groups: ['viewers'] },
  },
  { allow: 'rest' },
]

const A_START = 25_000 // of the API server, and what it learns by its own watches

const statusSchema = z.object({
  kind: z.literal('Status'),
  reason: z.string(),
  code: z.number(),
  message: z.string(),
})

const skip = skipWithoutEnvoy() || skipWithoutApiServer() || skipWithoutKubectl()

describe('rules with access reviews by a real API server', { skip, timeout: 180_000 }, () => {
  const started = new AsyncDisposableStack()
  let server: KubeApiServer
  let site: Site
  before(async () => {
    server = started.use(await startKubeApiServer())
    const running = await startSite({
      route: {
        kind: 'kubernetes',
        match: { hosts: [HOST, '127.0.0.1'] },
        apiServer: {
          server: server.url,
          ca: server.ca,
          client: {
            certificate: server.administrator.certificate,
            key: `file:${server.administrator.key}`,
          },
          cacheTtl: '0s',
          timeout: '1s',
          coolDown: '200ms',
        },
        authorize: RULES,
      },
      upstream: {
        address: new URL(server.url).host,
        ca: server.ca,
        serverName: 'kubernetes',
        ...server.frontProxy,
      },
    })
    site = started.use(running)
    // This API server has no controller that aggregates roles, such as `view`.
    await server.call({
      method: 'POST',
      path: `${RBAC}/clusterroles`,
      body: {
        metadata: { name: 'pod-reader' },
        rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get', 'list', 'watch'] }],
      },
    })
    await until(() => ask(WHO_AM_I, { body: SELF }), 201)
  })
  after(() => started.disposeAsync())

  const SELF = JSON.stringify({
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'SelfSubjectReview',
  })

  interface RequestParts {
    readonly who?: HeaderLine
    readonly headers?: readonly HeaderLine[]
    readonly body?: string
    readonly over?: typeof http1
  }

  const ask = (path: string, options: RequestParts = {}): Promise<Answer> => {
    const { who = ALICE, headers = [], body, over = http1 } = options
    const request = { host: HOST, path, headers: [who, ...headers] }
    const json: HeaderLine = ['content-type', 'application/json']
    return body === undefined
      ? over(site.target, request)
      : over(site.target, { ...request, method: 'POST', body, headers: [...request.headers, json] })
  }

  const until = async (asking: () => Promise<Answer>, wanted: number): Promise<Answer> =>
    await eventually(asking, ({ status }) => status === wanted, A_START)

  /** Gives a ClusterRole to a user, or to a group. */
  const bind = async (name: string, role: string, kind: 'User' | 'Group'): Promise<void> => {
    const apiGroup = 'rbac.authorization.k8s.io'
    await server.call({
      method: 'POST',
      path: `${RBAC}/clusterrolebindings`,
      body: {
        metadata: { name: `${name}-${role}` },
        roleRef: { apiGroup, kind: 'ClusterRole', name: role },
        subjects: [{ apiGroup, kind, name }],
      },
    })
  }

  const unbind = async (name: string, role: string): Promise<void> => {
    const path = `${RBAC}/clusterrolebindings/${name}-${role}`
    await server.call({ method: 'DELETE', path })
  }

  const statusIn = ({ body }: Answer): z.output<typeof statusSchema> =>
    statusSchema.parse(JSON.parse(body))

  for (const [version, over] of [
    ['HTTP/1.1', http1],
    ['HTTP/2', http2],
  ] as const) {
    it(`13. refuse what RBAC does not grant, over ${version}`, async () => {
      const answer = await ask(PODS, { over })
      assert.equal(await verdictOf(site, answer), '403 rule-denied')
      const { reason, code, message } = statusIn(answer)
      assert.deepEqual([reason, code], ['Forbidden', 403])
      assert.match(
        message,
        /^pods is forbidden: User "alice" cannot list resource "pods".*denied by rule "not-by-rbac"/,
      )
    })
  }

  it('13. allow what a role binding grants, until it is deleted', async () => {
    await bind('alice', 'pod-reader', 'User')
    const answer = await until(() => ask(PODS), 200)
    assert.equal(await verdictOf(site, answer), '200 permitted')
    assert.match(answer.body, /"kind":"PodList"/)
    // A role that is bound to one user says nothing of other users, nor of which resources exist.
    assert.equal(await verdictOf(site, await ask(PODS, { who: BOB })), '403 rule-denied')
    assert.equal(await verdictOf(site, await ask('/api/v1/nodes')), '403 rule-denied')
    await unbind('alice', 'pod-reader')
    assert.equal(await verdictOf(site, await until(() => ask(PODS), 403)), '403 rule-denied')
  })

  it('13. allow what a binding of a group grants its members', async () => {
    await bind('ops', 'pod-reader', 'Group')
    await until(() => ask(PODS), 200)
    assert.equal((await ask(PODS, { who: BOB })).status, 403)
    await unbind('ops', 'pod-reader')
    await until(() => ask(PODS), 403)
  })

  it('14. are 503 where the API server is down, only for requests that depend on it', async () => {
    server.pause()
    try {
      const answer = await ask(PODS)
      assert.equal(await verdictOf(site, answer), '503 authorizer-unavailable')
      const { reason, code } = statusIn(answer)
      assert.deepEqual([reason, code], ['ServiceUnavailable', 503])
      // Decided by a rule before the ones that ask.
      assert.equal(await verdictOf(site, await ask('/api/v1/nodes')), '403 rule-denied')
    } finally {
      server.resume()
    }
    assert.equal(await verdictOf(site, await until(() => ask(PODS), 403)), '403 rule-denied')
  })

  /** The real kubectl, as a user. */
  const run = async (user: 'alice' | 'bob', args: readonly string[]): Promise<KubectlResult> =>
    await kubectl([
      `--server=https://127.0.0.1:${site.target.port}`,
      `--tls-server-name=${HOST}`,
      `--certificate-authority=${site.target.ca}`,
      `--username=${user}`,
      `--password=${PASSWORDS[user]}`,
      ...args,
    ])

  const AS_VIEWER = ['--as=viewer-1', '--as-group=viewers'] as const
  const AS_VIEWER_LINES: readonly HeaderLine[] = [
    ['Impersonate-User', 'viewer-1'],
    ['Impersonate-Group', 'viewers'],
  ]
  /** What does not hide why it is refused. */
  const VERSION = ['get', '--raw', '/version'] as const
  const WHOAMI = ['auth', 'whoami', '-o', 'json'] as const

  const userIn = (json: string): readonly string[] => {
    const { username, groups } = reviewSchema.parse(JSON.parse(json)).status.userInfo
    return [username, ...groups.toSorted()]
  }

  it('15. may allow --as where RBAC does not: the API server refuses it then', async () => {
    const { code, complaint } = await run('alice', [...AS_VIEWER, ...VERSION])
    assert.equal(code, 1)
    assert.match(complaint, /User "alice" cannot impersonate/)
    assert.equal((await site.events()).at(-1)?.decision, 'allow')
  })

  it('15. and RBAC allow --as: the API server has the impersonated user and groups', async () => {
    await bind('alice', 'cluster-admin', 'User')
    await until(() => ask('/api/v1/namespaces'), 200)
    const { code, output, complaint } = await run('alice', [...AS_VIEWER, ...WHOAMI])
    assert.deepEqual([code, complaint], [0, ''])
    assert.deepEqual(userIn(output), ['viewer-1', 'system:authenticated', 'viewers'])
    const event = (await site.events()).at(-1)
    assert.equal(event?.rule, 'deputies')
    assert.equal(event.user, 'alice')
    assert.deepEqual(event.kubernetes?.impersonation, { user: 'viewer-1', groups: ['viewers'] })
    for (const over of [http1, http2]) {
      const answer = await ask(WHO_AM_I, { body: SELF, headers: AS_VIEWER_LINES, over })
      assert.deepEqual(userIn(answer.body), ['viewer-1', 'system:authenticated', 'viewers'])
    }
    const own = await run('alice', WHOAMI)
    assert.equal(userIn(own.output)[0], 'alice')
  })

  it('15. apply RBAC to the impersonated user, who may do less', async () => {
    for (const resource of ['namespaces', 'pods']) {
      // Of pods, our own rule asks too, and about alice.
      const answer = await ask(`/api/v1/${resource}`, { headers: AS_VIEWER_LINES })
      assert.equal(await verdictOf(site, answer), '403 permitted')
      assert.match(
        statusIn(answer).message,
        new RegExp(`User "viewer-1" cannot list resource "${resource}"`),
      )
    }
  })

  const REFUSED: readonly {
    readonly name: string
    readonly user: 'alice' | 'bob'
    readonly as: readonly string[]
  }[] = [
    { name: 'a caller without permission', user: 'bob', as: ['--as=viewer-1'] },
    { name: 'an impersonated user that no rule lists', user: 'alice', as: ['--as=root'] },
    {
      name: 'an impersonated group that no rule lists',
      user: 'alice',
      as: ['--as=viewer-1', '--as-group=viewers', '--as-group=system:masters'],
    },
    { name: 'an impersonated uid', user: 'alice', as: ['--as=viewer-1', '--as-uid=7'] },
  ]
  for (const { name, user, as } of REFUSED) {
    it(`15. refuse ${name} with a Status that kubectl prints`, async () => {
      const { code, complaint } = await run(user, [...as, ...VERSION])
      assert.equal(code, 1)
      assert.match(complaint, /Forbidden.*no rule allows it as "/s)
      assert.equal((await site.events()).at(-1)?.reason, 'impersonation')
    })
  }

  // Whether RBAC grants it is not in the log.
  const isUndetermined = ({ kubernetes }: DecisionEvent): boolean => kubernetes?.resource === 'pods'

  it('16. are explained by countersign explain, which is right or undetermined', async () => {
    await assertExplained(site, await site.events(), isUndetermined)
  })

  it('16. are replayed by countersign replay, which claims no undetermined change', async () => {
    await assertReplayed(site, isUndetermined)
  })
})
