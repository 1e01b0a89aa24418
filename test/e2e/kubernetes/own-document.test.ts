// kubectl at a route that knows the operations of the cluster's own OpenAPI document alone. Steps are in
// README.md.

import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { after, before, describe, it } from 'node:test'
import { stringify } from 'yaml'
import { DISCOVERY_URLS } from '../../../src/request/kubernetes/discovery.ts'
import { eventually } from '../site.ts'
import { ask, callerBy, outputOf, type Caller } from './asking.ts'
import { BLOCKING, DESCRIBED } from './configuration.ts'
import { CREDENTIALS_IN } from './credentials-in.ts'
import { skipWithoutServers, startKubeSite, type KubeSite } from './kube-site.ts'
import { grantEverything, NAMESPACE } from './roles.ts'
import { USERS } from './users.ts'

const IN = ['--namespace', NAMESPACE]
const RBAC_LIMIT = 10_000

describe(
  'kubectl by the cluster’s own OpenAPI document',
  {
    skip: skipWithoutServers(),
    timeout: 240_000,
  },
  () => {
    let site: KubeSite
    let root: Caller
    before(async () => {
      site = await startKubeSite({ controllers: false })
      root = await callerBy(site, CREDENTIALS_IN['a password (users file)'], USERS.root)
      await grantEverything(site.server, 'admins')
      await eventually(
        () => ask(site, root, ['get', 'nodes'], BLOCKING),
        ({ code }) => code === 0,
        RBAC_LIMIT,
      )
    })
    after(() => site[Symbol.asyncDispose]())

    const run = (...args: readonly string[]): Promise<string> =>
      outputOf(site, root, args, BLOCKING)

    const manifest = async (colour: string): Promise<string> => {
      const file = site.folder.file('paint.yaml')
      const metadata = { name: 'paint', namespace: NAMESPACE }
      const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { colour } }
      await writeFile(file, stringify(object))
      return file
    }

    it('31. apply validates by the schema of the server, and changes what has changed', async () => {
      assert.match(await run('apply', '-f', await manifest('blue')), /created/)
      assert.match(await run('apply', '-f', await manifest('blue')), /unchanged/)
      assert.match(await run('apply', '-f', await manifest('red')), /configured/)
      assert.match(
        await run('apply', '--server-side', '--force-conflicts', '-f', await manifest('green')),
        /applied/,
      )
      assert.match(await run('diff', '-f', await manifest('green')), /^$/)
      assert.match(await run('delete', '-f', await manifest('green')), /deleted/)
    })

    it('31. apply reports a misspelt field by that schema', async () => {
      const file = site.folder.file('misspelt.yaml')
      const metadata = { name: 'misspelt', namespace: NAMESPACE }
      await writeFile(file, stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata, dta: {} }))
      const { complaint } = await ask(site, root, ['apply', '-f', file], BLOCKING)
      assert.match(complaint, /unknown field "dta"/)
    })

    for (const flags of [[], ['--output=plaintext-openapiv2']]) {
      it(`31. explain ${flags.join(' ')}`, async () => {
        const text = await run('explain', 'deployment.spec.replicas', ...flags)
        assert.match(text, /Number of desired pods/)
      })
    }

    it('31. api-resources, api-versions, version, auth can-i and the health of the server', async () => {
      assert.match(await run('api-resources'), /^deployments /m)
      assert.match(await run('api-versions'), /^apps\/v1$/m)
      assert.match(await run('version'), /^Server Version: v1\./m)
      assert.match(await run('auth', 'can-i', 'list', 'pods', ...IN), /^yes$/m)
      for (const path of ['/healthz', '/livez', '/readyz', '/readyz?verbose=true']) {
        assert.match(await run('get', '--raw', path), /ok/)
      }
    })

    it('31. where every rule names operations, a rule for discovery is enough for explain and api-resources', async () => {
      assert.match(
        await outputOf(site, root, ['explain', 'configmap.data'], DESCRIBED),
        /configuration data/,
      )
      assert.match(await outputOf(site, root, ['api-resources'], DESCRIBED), /^configmaps /m)
      const { complaint } = await ask(site, root, ['get', 'secrets', ...IN], DESCRIBED)
      assert.match(complaint, /no rule allows it/)
    })

    it('31. these requests are those of the ClusterRole system:discovery', async () => {
      const path = '/apis/rbac.authorization.k8s.io/v1/clusterroles/system:discovery'
      const role = JSON.parse(await run('get', '--raw', path))
      assert.deepEqual(role.rules, [{ nonResourceURLs: DISCOVERY_URLS, verbs: ['get'] }])
    })

    it('31. one operation is blocked, and kubectl prints the rule', async () => {
      const path = `/api/v1/namespaces/${NAMESPACE}/pods/none/eviction`
      const body = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'none' } }
      const file = site.folder.file('eviction.json')
      await writeFile(file, JSON.stringify(body))
      const { complaint } = await ask(site, root, ['create', '--raw', path, '-f', file], BLOCKING)
      assert.match(complaint, /denied by rule "no-evictions"/)
    })

    for (const path of [
      '/metrics',
      '/debug/pprof/',
      '/logs/',
      '/livez/ping',
      '/apis/made.up/v1/things',
    ]) {
      it(`31. ${path} is not in the document: refused`, async () => {
        const { complaint } = await ask(site, root, ['get', '--raw', path], BLOCKING)
        assert.match(complaint, /has no such operation|denied|forbidden/)
        assert.equal((await site.decisions()).at(-1)?.reason, 'operation-undefined')
      })
    }
  },
)
