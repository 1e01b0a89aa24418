// API descriptions of well-known services, and a real API server's own: each loads, and each of its
// operations is found by a path made from its template.

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { readApiDescription, type ApiDescription } from '../../../src/request/openapi/document.ts'
import { OperationIndex } from '../../../src/request/openapi/operation-index.ts'
import { readPath } from '../../../src/request/path.ts'
import {
  skipWithoutApiServer,
  startKubeApiServer,
  type KubeApiServer,
} from '../../servers/kube-apiserver.ts'

const FOLDER = join(import.meta.dirname, '../../fixtures/openapi')

interface Known {
  readonly request: string
  /** The id of the operation, or the outcome. */
  readonly want: string
  readonly parameters?: Readonly<Record<string, string>>
}

interface Expected {
  readonly file: string
  readonly format: string
  readonly base: string
  readonly count: number
  readonly known: readonly Known[]
}

const DOCUMENTS: readonly Expected[] = [
  {
    file: 'docker-engine-1.53.yaml',
    format: '2.0',
    base: '/v1.53',
    count: 107,
    known: [
      { request: 'GET /v1.53/containers/json', want: 'ContainerList' },
      {
        request: 'POST /v1.53/containers/web/exec',
        want: 'ContainerExec',
        parameters: { id: 'web' },
      },
      { request: 'GET /containers/json', want: 'undefined' },
      { request: 'GET /v1.53/Containers/json', want: 'ambiguous' },
      { request: 'GET /v1.53/containers/json/', want: 'ambiguous' },
      { request: 'GET /v1.53/containers/%6Ason', want: 'ContainerList' },
    ],
  },
  {
    file: 'ory-hydra-2.3.0.json',
    format: '3.0',
    base: '',
    count: 47,
    known: [
      { request: 'GET /admin/clients/a-b', want: 'getOAuth2Client', parameters: { id: 'a-b' } },
      { request: 'POST /oauth2/token', want: 'oauth2TokenExchange' },
      { request: 'GET /admin/clients/a;b', want: 'ambiguous' },
      { request: 'GET /admin/client', want: 'undefined' },
    ],
  },
  {
    file: 'github-23.0.2-trimmed.json',
    format: '3.0',
    base: '',
    count: 1223,
    known: [
      { request: 'GET /', want: 'meta/root' },
      {
        request: 'GET /repos/Octo/Cat',
        want: 'repos/get',
        parameters: { owner: 'Octo', repo: 'Cat' },
      },
      { request: 'GET /user/repos', want: 'repos/list-for-authenticated-user' },
      {
        request: 'GET /orgs/o/projectsV2',
        want: 'projects/list-for-org',
        parameters: { org: 'o' },
      },
      { request: 'GET /orgs/o/projectsv2', want: 'ambiguous' },
      { request: 'GET /repos/o/r/issues/comments/7', want: 'issues/get-comment' },
      { request: 'GET /repos/o/r/issues/7/comments', want: 'issues/list-comments' },
      // Both of these fit, and neither is more specific.
      { request: 'GET /repos/o/r/issues/comments/comments', want: 'ambiguous' },
      { request: 'GET /repos/o/r/compare/main', want: 'repos/compare-commits-with-basehead' },
      {
        request: 'GET /repos/o/r/compare/a...b',
        want: 'repos/compare-commits',
        parameters: { owner: 'o', repo: 'r', base: 'a', head: 'b' },
      },
      { request: 'DELETE /repos/o', want: 'undefined' },
    ],
  },
  {
    file: 'scalar-galaxy-3.1.yaml',
    format: '3.1',
    base: '',
    count: 9,
    known: [
      { request: 'GET /planets/earth', want: 'getPlanet', parameters: { planetId: 'earth' } },
      { request: 'GET /Planets', want: 'ambiguous' },
    ],
  },
  {
    file: 'prometheus-3.13.yaml',
    format: '3.2',
    base: '/api/v1',
    count: 49,
    known: [
      {
        request: 'GET /api/v1/label/job/values',
        want: 'label-values',
        parameters: { name: 'job' },
      },
      { request: 'POST /api/v1/query', want: 'query-post' },
      { request: 'DELETE /api/v1/query', want: 'undefined' },
    ],
  },
]

const KUBERNETES: readonly Known[] = [
  {
    request: 'GET /api/v1/namespaces/default/pods',
    want: 'listCoreV1NamespacedPod',
    parameters: { namespace: 'default' },
  },
  {
    request: 'DELETE /api/v1/namespaces/a/secrets/b',
    want: 'deleteCoreV1NamespacedSecret',
    parameters: { namespace: 'a', name: 'b' },
  },
  { request: 'GET /apis/apps/v1/deployments', want: 'listAppsV1DeploymentForAllNamespaces' },
  {
    request: 'POST /api/v1/namespaces/a/pods/b/exec',
    want: 'connectCoreV1PostNamespacedPodExec',
    parameters: { namespace: 'a', name: 'b' },
  },
  {
    request: 'GET /api/v1/namespaces/a/services/https:b:/proxy/c/d/',
    want: 'connectCoreV1GetNamespacedServiceProxyWithPath',
    parameters: { namespace: 'a', name: 'https:b:', path: 'c/d/' },
  },
  {
    request: 'GET /api/v1/namespaces/a/services/b/proxy',
    want: 'connectCoreV1GetNamespacedServiceProxy',
  },
  { request: 'GET /api/v1/watch/namespaces/a/pods', want: 'watchCoreV1NamespacedPodList' },
  { request: 'GET /api/v1/', want: 'getCoreV1APIResources' },
  { request: 'GET /api/v1', want: 'ambiguous' },
  { request: 'GET /api/v1/namespaces/a/Secrets', want: 'ambiguous' },
  { request: 'GET /api/v1/namespaces/a/secrets;x', want: 'ambiguous' },
  { request: 'GET /api/v1/namespaces/a/secrets/b/', want: 'ambiguous' },
  { request: 'GET /api/v1/namespaces/a/pods/b/proxied', want: 'undefined' },
]

const indexOf = ({ operations, base }: ApiDescription): OperationIndex =>
  new OperationIndex(operations, base)

const find = (index: OperationIndex, request: string): ReturnType<OperationIndex['find']> => {
  const [method = '', target = ''] = request.split(' ')
  const reading = readPath(target)
  assert.equal(reading.outcome, 'read')
  return index.find(method, reading.path)
}

const checkKnown = (index: OperationIndex, { request, want, parameters }: Known): void => {
  const found = find(index, request)
  assert.equal(found.outcome === 'matched' ? found.operation.id : found.outcome, want, request)
  if (parameters === undefined) return
  assert.ok(found.outcome === 'matched')
  assert.deepEqual({ ...found.parameters }, parameters)
}

/** Values that are in no template, in lower case and not. */
const VALUES: readonly ((name: string) => string)[] = [
  (name) => `v-${name.toLowerCase().replaceAll(/[^a-z]/g, '')}0`,
  () => encodeURIComponent('Ünï cøde'),
  () => '7',
]

const filled = (template: string, value: (name: string) => string): string =>
  template.replaceAll(/\{([^{}]*)\}/g, (_whole, name: string) => value(name))

/** Every operation is found by its own paths, and by nothing that only looks like them. */
const checkEvery = ({ operations, base }: ApiDescription, index: OperationIndex): void => {
  const places = new Set(operations.map(({ method, template }) => `${method} ${template}`))
  for (const operation of operations) {
    const { method, template, openEnded } = operation
    const names = [...template.matchAll(/\{([^{}]*)\}/g)].map(([, name]) => name)
    for (const value of VALUES) {
      const request = `${method} ${base}${filled(template, value)}`
      const found = find(index, request)
      assert.equal(found.outcome, 'matched', request)
      assert.equal(found.operation, operation, request)
      assert.deepEqual(Object.keys(found.parameters), names)
    }
    for (const twisted of twist(template)) {
      if (places.has(`${method} ${twisted}`) || (openEnded === true && twisted.endsWith('/')))
        continue
      const request = `${method} ${base}${filled(twisted, () => 'v')}`
      assert.equal(find(index, request).outcome, 'ambiguous', request)
    }
    const path = `${base}${filled(template, () => 'v')}`
    assert.equal(find(index, `MKCOL ${path}`).outcome, 'undefined')
  }
}

/** What a careless reader takes for the template. */
const twist = (template: string): readonly string[] =>
  [
    template.endsWith('/') ? template.slice(0, -1) : `${template}/`,
    template.replaceAll(/(^|\})[^{]*/g, (literal) => literal.toUpperCase()),
    `${template};a=b`,
    template.replace(/^\/([^/]+)/, '/$1;a'),
  ].filter((twisted) => twisted !== template && twisted !== '')

describe('API descriptions of well-known services', () => {
  for (const { file, format, base, count, known } of DOCUMENTS) {
    describe(file, () => {
      let description: ApiDescription
      let index: OperationIndex

      before(async () => {
        description = await readApiDescription(await readFile(join(FOLDER, file), 'utf8'))
        index = indexOf(description)
      })

      it('loads without a problem', () => {
        const { operations } = description
        assert.deepEqual(
          [description.format, description.base, operations.length],
          [format, base, count],
        )
      })

      it('has known operations at known paths', () => {
        for (const one of known) checkKnown(index, one)
      })

      it('has every operation at its own paths and at no other paths', () => {
        checkEvery(description, index)
      })
    })
  }

  it('Scalar Galaxy: scopes', async () => {
    const { operations } = await readApiDescription(
      await readFile(join(FOLDER, 'scalar-galaxy-3.1.yaml'), 'utf8'),
    )
    const me = operations.find(({ id }) => id === 'getMe')
    assert.deepEqual(me?.scopes, [[], ['read:account']])
  })
})

describe('the API description of a Kubernetes API server', { skip: skipWithoutApiServer() }, () => {
  let server: KubeApiServer
  let description: ApiDescription
  let index: OperationIndex

  before(async () => {
    server = await startKubeApiServer()
    const document = await server.call({ method: 'GET', path: '/openapi/v2' })
    description = await readApiDescription(JSON.stringify(document))
    index = indexOf(description)
  })

  after(async () => {
    await server[Symbol.asyncDispose]()
  })

  it('loads without a problem', () => {
    const { format, base, operations } = description
    assert.deepEqual([format, base], ['2.0', ''])
    // Those that are enabled by default; in the repository of Kubernetes it has 1,202.
    assert.ok(operations.length > 800, `${operations.length} operations`)
    assert.equal(operations.filter(({ openEnded }) => openEnded === true).length, 21)
  })

  it('has known operations at known paths', () => {
    for (const one of KUBERNETES) checkKnown(index, one)
  })

  it('has every operation at its own paths and at no other paths', () => {
    checkEvery(description, index)
  })
})
