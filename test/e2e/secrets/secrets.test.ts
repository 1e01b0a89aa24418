// One rule refuses secrets, in front of a real API server where the caller may do everything: the value of
// the secret is in no answer, whatever the verb, and no other resource is touched. Steps are in README.md.

import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { after, before, describe, it } from 'node:test'
import { parse, stringify } from 'yaml'
import { z } from 'zod'
import { http1, http2, valuesOf, type Answer, type RequestOptions } from '../../servers/client.ts'
import { skipWithoutEnvoy } from '../../servers/envoy.ts'
import { kubectl, skipWithoutKubectl, type KubectlResult } from '../../servers/kubectl.ts'
import {
  skipWithoutApiServer,
  startKubeApiServer,
  type KubeApiServer,
} from '../../servers/kube-apiserver.ts'
import { temporaryFolder } from '../../servers/temporary.ts'
import { verdictOf } from '../asking.ts'
import { ALICE, eventually, HOST, PASSWORDS, startSite, type Site } from '../site.ts'
import { IN, READS, SHORT, TEXT, VALUE, WRITES } from './disguises.ts'

/** The rule of the documentation: the resource, whatever the verb. */
const NO_SECRETS = { deny: 'no-secrets', resources: ['secrets'] }
/** The same by its verbs: every one whose answer is the object. A secret can be made and replaced. */
const NO_READING = {
  ...NO_SECRETS,
  verbs: ['get', 'list', 'watch', 'patch', 'delete', 'deletecollection'],
}
const RBAC_DECIDES = { allow: 'rbac-decides' }

type Harmless = RequestOptions & { readonly name: string; readonly status: number }

/** Everything else that may be done, and what the API server says to it. */
const UNTOUCHED: readonly Harmless[] = [
  { name: 'a list of pods', path: `${IN}/pods`, status: 200 },
  { name: 'a watch of pods', path: `${IN}/pods?watch=1&${SHORT}`, status: 200 },
  { name: 'a list of config maps of all', path: '/api/v1/configmaps', status: 200 },
  { name: 'a pod that is called secrets', path: `${IN}/pods/secrets`, status: 404 },
  {
    name: 'a namespace that is called secrets',
    path: '/api/v1/namespaces/secrets/pods',
    status: 200,
  },
  { name: 'the version of the API server', path: '/version', status: 200 },
  { name: 'the readiness of the API server', path: '/readyz', status: 200 },
  { name: 'the discovery of API groups', path: '/apis', status: 200 },
  { name: 'the resources of the core group', path: '/api/v1', status: 200 },
  { name: 'the OpenAPI document', path: '/openapi/v3', status: 200 },
  {
    name: 'a list of config maps deleted',
    method: 'DELETE',
    path: `${IN}/configmaps?dryRun=All`,
    status: 200,
  },
]

const ANOTHER = JSON.stringify({ metadata: { name: 'another' } })

/** Writes of secrets whose answer holds nothing but what the caller sent. */
const WRITTEN: readonly Harmless[] = [
  {
    name: 'a secret that is made',
    method: 'POST',
    path: `${IN}/secrets?dryRun=All`,
    body: ANOTHER,
    status: 201,
  },
  {
    name: 'a secret that is replaced',
    method: 'PUT',
    path: `${IN}/secrets/launch?dryRun=All`,
    body: JSON.stringify({ metadata: { name: 'launch' } }),
    status: 200,
  },
]

const DISGUISES = [...READS, ...WRITES]

const SECRET = 'apiVersion: v1\nkind: Secret\nmetadata: { name: launch, namespace: default }\n'

/** Commands of kubectl that would print the secret, or have its value in an answer. */
const COMMANDS: readonly (readonly string[])[] = [
  ['get', 'secret', 'launch', '-o=yaml'],
  ['get', 'secrets', '-o=json'],
  ['apply', '--server-side', '--dry-run=server', '-o=yaml', '-f=FILE'],
  ['apply', '--dry-run=server', '-o=yaml', '-f=FILE'],
  ['patch', '--dry-run=server', '-o=yaml', '-p={}', '-f=FILE'],
  ['label', '--dry-run=server', '-o=yaml', '-f=FILE', 'a=b'],
  ['annotate', '--dry-run=server', '-o=yaml', '-f=FILE', 'a=b'],
  ['delete', '--dry-run=server', '--cascade=foreground', '-f=FILE'],
  ['delete', '--dry-run=server', '--raw=/api/v1/namespaces/default/secrets?dryRun=All'],
]

const tells = (answer: object): boolean =>
  [VALUE, TEXT].some((value) => JSON.stringify(answer).includes(value))

const statusSchema = z.object({
  kind: z.literal('Status'),
  status: z.literal('Failure'),
  reason: z.literal('Forbidden'),
  code: z.literal(403),
  message: z.string(),
})

describe(
  'a rule against reading secrets, in front of an API server',
  {
    skip: skipWithoutEnvoy() || skipWithoutApiServer() || skipWithoutKubectl(),
    timeout: 180_000,
  },
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
        route: {
          kind: 'kubernetes',
          match: { hosts: [HOST, '127.0.0.1'] },
          authorize: [NO_SECRETS, RBAC_DECIDES],
        },
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

    const answerTo = (options: RequestOptions, over = http1): Promise<Answer> => {
      const { headers = [], body } = options
      const json = body === undefined || headers.length > 0 ? [] : JSON_BODY
      return over(site.target, {
        ...options,
        host: HOST,
        headers: [ALICE, ...headers, ...json],
      })
    }

    /** The answer, which must not hold the value of the secret. */
    const ask = async (options: RequestOptions, over = http1): Promise<Answer> => {
      const answer = await answerTo(options, over)
      assert.ok(!tells(answer), `${options.method} ${options.path}: the answer tells the secret`)
      return answer
    }

    /** kubectl as alice, through Envoy; `-v=9` also prints every answer. */
    const run = async (...args: readonly string[]): Promise<KubectlResult> => {
      const { port, ca } = site.target
      return await kubectl([
        `--server=https://127.0.0.1:${port}`,
        `--tls-server-name=${HOST}`,
        `--certificate-authority=${ca}`,
        '--username=alice',
        `--password=${PASSWORDS.alice}`,
        '-v=9',
        ...args,
      ])
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
        it(`1. refuses ${name}, over ${version}`, async () => {
          assert.match(await verdictOf(site, await ask(options, over)), reason)
        })
      }

      for (const { name, status, ...options } of UNTOUCHED) {
        it(`2. allows ${name}, over ${version}`, async () => {
          const answer = await ask(options, over)
          assert.equal(answer.status, status, answer.body)
          assert.equal(await verdictOf(site, answer), `${status} permitted`)
        })
      }
    }

    it('3. refuses with operation, user and rule, as kubectl prints it', async () => {
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

    it('4. refuses every command of kubectl that prints secrets', async () => {
      await using folder = await temporaryFolder()
      await writeFile(folder.file('secret.yaml'), SECRET)
      for (const command of COMMANDS) {
        const args = command.map((word) => word.replace('FILE', folder.file('secret.yaml')))
        const result = await run(...args)
        assert.ok(!tells(result), `kubectl ${args.join(' ')} tells the secret`)
        assert.notEqual(result.code, 0, args.join(' '))
        assert.match(result.complaint, /no-secrets/, args.join(' '))
      }
    })

    it('5. by every verb whose answer is the object: still allows secrets to be created and replaced', async () => {
      await change([NO_READING, RBAC_DECIDES])
      await eventually(
        () => ask({ method: 'POST', path: `${IN}/secrets?dryRun=All`, body: ANOTHER }),
        ({ status }) => status === 201,
      )
      for (const { name, reason = /^403 rule-denied$/, tells: _, ...options } of DISGUISES) {
        assert.match(await verdictOf(site, await ask(options)), reason, name)
      }
      for (const { name, status, ...options } of WRITTEN) {
        assert.equal((await ask(options)).status, status, name)
      }
    })

    it('6. without it the same requests and commands reveal the secret (the control)', async () => {
      await change([RBAC_DECIDES])
      const plain = { path: `${IN}/secrets/launch` }
      await eventually(
        () => answerTo(plain),
        ({ status }) => status === 200,
      )
      for (const { name, tells: want, ...options } of DISGUISES) {
        const answer = await answerTo(options)
        const { body, status } = answer
        const isDisclosed = tells(answer)
        // What has two readings is refused whatever the rules say.
        if (!isDisclosed && want && status === 400) continue
        assert.equal(isDisclosed, want, `${name}: ${status} ${body.slice(0, 200)}`)
      }
      await using folder = await temporaryFolder()
      await writeFile(folder.file('secret.yaml'), SECRET)
      for (const command of COMMANDS) {
        const args = command.map((word) => word.replace('FILE', folder.file('secret.yaml')))
        const result = await run(...args)
        assert.ok(tells(result), `kubectl ${args.join(' ')}: ${result.complaint.slice(-500)}`)
      }
    })
  },
)

const JSON_BODY: NonNullable<RequestOptions['headers']> = [['content-type', 'application/json']]
