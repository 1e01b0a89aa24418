// RBAC of the cluster applies to the user's own identity, whatever the way out; and Countersign's rules
// apply to every user. Steps are in README.md.

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { eventually } from '../site.ts'
import { ask, callerBy, outputOf, type Caller } from './asking.ts'
import { DESCRIBED, OUT, CREDENTIALS_OUT } from './configuration.ts'
import { skipWithoutServers, startKubeSite, type KubeSite } from './kube-site.ts'
import { USERS, type User } from './users.ts'
import { grant, grantEverything, NAMESPACE } from './roles.ts'
import { CREDENTIALS_IN } from './credentials-in.ts'

const RBAC_LIMIT = 10_000

/** The config maps that exist: one that these tests make, and one that each namespace has. */
const MAPS = 'configmap/kube-root-ca.crt\nconfigmap/launch\n'

describe('RBAC behind Countersign', { skip: skipWithoutServers(), timeout: 240_000 }, () => {
  let site: KubeSite
  let alice: Caller
  let bob: Caller
  let root: Caller
  before(async () => {
    site = await startKubeSite()
    const password = (user: User): Promise<Caller> =>
      callerBy(site, CREDENTIALS_IN['a password (users file)'], user)
    alice = await password(USERS.alice)
    bob = await password(USERS.bob)
    root = await password(USERS.root)
    const read = ['get', 'list', 'watch']
    const { server } = site
    const maps = { resources: ['configmaps'], verbs: read }
    await grant(server, 'maps-for-alice', maps, { kind: 'User', name: 'alice' })
    const services = { resources: ['services'], verbs: read }
    await grant(server, 'services-for-a-group', services, { kind: 'Group', name: 'with, comma' })
    await grantEverything(server, 'admins')
    const metadata = { name: 'launch', namespace: NAMESPACE }
    for (const [kind, content] of [
      ['secrets', { stringData: { code: 'the launch code' } }],
      ['configmaps', { data: { colour: 'blue' } }],
    ] as const) {
      const path = `/api/v1/namespaces/${NAMESPACE}/${kind}`
      await server.call({ method: 'POST', path, body: { metadata, ...content } })
    }
    // The API server learns of bindings by its own watches.
    const nodes = ['get', 'nodes']
    await eventually(
      () => ask(site, root, nodes),
      ({ code }) => code === 0,
      RBAC_LIMIT,
    )
  })
  after(() => site[Symbol.asyncDispose]())

  const IN = ['--namespace', NAMESPACE]

  for (const [out, address] of OUT) {
    describe(`→ ${out}`, () => {
      it('3. alice may do what RBAC grants, and bob may not', async () => {
        const get = ['get', 'configmaps', ...IN, '-o', 'name']
        assert.equal(await outputOf(site, alice, get, address), MAPS)
        const { code, output, complaint } = await ask(site, bob, get, address)
        assert.deepEqual([code, output], [1, ''])
        assert.equal(
          complaint,
          'Error from server (Forbidden): configmaps is forbidden: User "bob" cannot list resource "configmaps" in API group "" in the namespace "team-a"\n',
        )
      })

      it('3. a group’s members may do what RBAC grants the group', async () => {
        const get = ['get', 'services', ...IN, '-o', 'name']
        assert.equal(await outputOf(site, alice, get, address), '')
        assert.match((await ask(site, bob, get, address)).complaint, /User "bob" cannot list/)
        // Nothing is given to alice by herself.
        const nodes = await ask(site, alice, ['get', 'nodes'], address)
        assert.match(nodes.complaint, /User "alice" cannot list resource "nodes"/)
      })

      it('3. kubectl auth can-i reports the same', async () => {
        const canI = async (who: Caller, ...what: readonly string[]): Promise<string> =>
          (await ask(site, who, ['auth', 'can-i', ...what, ...IN], address)).output.trim()
        assert.equal(await canI(alice, 'list', 'configmaps'), 'yes')
        assert.equal(await canI(alice, 'delete', 'configmaps'), 'no')
        assert.equal(await canI(bob, 'list', 'configmaps'), 'no')
        assert.equal(await canI(root, 'get', 'secrets'), 'yes') // to RBAC
      })

      it('4. no user reads secrets: the rule applies to cluster administrators, too', async () => {
        assert.match(await outputOf(site, root, ['get', 'namespaces'], address), /team-a/)
        for (const what of [['secrets'], ['secret/launch', '-o', 'yaml']]) {
          const { code, output, complaint } = await ask(
            site,
            root,
            ['get', ...what, ...IN],
            address,
          )
          assert.deepEqual([code, output], [1, ''])
          assert.match(
            complaint,
            /^Error from server \(Forbidden\): secrets .*is forbidden: User "root" cannot (list|get) resource "secrets" .*: denied by rule "no-secrets" \(decision /,
          )
        }
        // …and one can be made: `create` is answered with what the caller sent.
        const make = ['create', 'secret', 'generic', `by-${address}`, '--from-literal=a=b', ...IN]
        assert.match(await outputOf(site, root, make, address), /created/)
      })
    })
  }

  it('4. without Countersign RBAC lets the administrator read them (the control)', async () => {
    const path = `/api/v1/namespaces/${NAMESPACE}/secrets/launch`
    const secret = JSON.stringify(await site.server.call({ method: 'GET', path }))
    assert.ok(secret.includes(Buffer.from('the launch code').toString('base64')))
  })

  describe('rules by the cluster’s own OpenAPI document', () => {
    it('5. allow one operation', async () => {
      const get = ['get', 'configmaps', ...IN, '-o', 'name']
      assert.equal(await outputOf(site, alice, get, DESCRIBED), MAPS)
      const { operation, rule } = (await site.decisions()).at(-1) ?? {}
      assert.deepEqual([operation, rule], ['listCoreV1NamespacedConfigMap', 'read-config-maps'])
    })

    it('5. …to users with permission by RBAC', async () => {
      const { complaint } = await ask(site, bob, ['get', 'configmaps', ...IN], DESCRIBED)
      assert.match(complaint, /User "bob" cannot list resource "configmaps".*"team-a"\n$/)
    })

    for (const [what, args, operation] of [
      ['one object', ['get', 'configmap/launch', ...IN], 'readCoreV1NamespacedConfigMap'],
      ['another resource', ['get', 'services', ...IN], 'listCoreV1NamespacedService'],
      [
        'all namespaces',
        ['get', 'configmaps', '--all-namespaces'],
        'listCoreV1ConfigMapForAllNamespaces',
      ],
      [
        'a deletion',
        ['delete', '--raw', `/api/v1/namespaces/${NAMESPACE}/configmaps/launch`],
        'deleteCoreV1NamespacedConfigMap',
      ],
    ] as const) {
      it(`5. refuse every other operation of every user: ${what}`, async () => {
        const { code, complaint } = await ask(site, root, args, DESCRIBED)
        assert.equal(code, 1)
        assert.match(complaint, /no rule allows it \(decision /)
        assert.equal((await site.decisions()).at(-1)?.operation, operation)
      })
    }

    it('5. refuse an operation that the document lacks', async () => {
      const { complaint } = await ask(site, root, ['get', '--raw', '/metrics/cadvisor'], DESCRIBED)
      assert.match(complaint, /has no such operation/)
      assert.equal((await site.decisions()).at(-1)?.reason, 'operation-undefined')
      await outputOf(site, root, ['get', 'nodes'], CREDENTIALS_OUT['X-Remote-*'])
    })
  })
})
