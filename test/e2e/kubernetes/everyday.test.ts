// Everyday work: apply, get, watch, patch, wait, delete, and large lists. Steps are in README.md.

import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { stringify } from 'yaml'
import { http2On, openHttp2 } from '../../servers/client.ts'
import { basic, eventually } from '../site.ts'
import { ask, callerBy, outputOf, type Caller } from './asking.ts'
import { HOST, OUT, CREDENTIALS_OUT } from './configuration.ts'
import { skipWithoutServers, startKubeSite, type KubeSite } from './kube-site.ts'
import { PASSWORD, USERS } from './users.ts'
import { grant, NAMESPACE } from './roles.ts'
import { CREDENTIALS_IN } from './credentials-in.ts'

const RBAC_LIMIT = 10_000
const IN = ['--namespace', NAMESPACE]
const MAPS = `/api/v1/namespaces/${NAMESPACE}/configmaps`
/** Marks those of {@link MANY} and {@link LARGE}: each namespace has another that the cluster made. */
const MADE = { made: 'here' } as const
const THEM = `${MAPS}?labelSelector=made%3Dhere`

const JSON_BODY = ['content-type', 'application/json'] as const

/** So many objects, of so many bytes each. */
const MANY = { count: 2_000, bytes: 15_000 } as const
const LARGE = { count: 110, bytes: 950_000 } as const

describe('everyday work with kubectl', { skip: skipWithoutServers(), timeout: 240_000 }, () => {
  let site: KubeSite
  let alice: Caller
  before(async () => {
    site = await startKubeSite()
    alice = await callerBy(site, CREDENTIALS_IN['a client certificate'], USERS.alice)
    const everything = { resources: ['configmaps'], verbs: ['*'] }
    const dev = { kind: 'Group', name: 'dev' } as const
    await grant(site.server, 'maps-for-dev', everything, dev)
    const list = ['get', 'configmaps', ...IN]
    await eventually(
      () => ask(site, alice, list),
      ({ code }) => code === 0,
      RBAC_LIMIT,
    )
  })
  after(() => site[Symbol.asyncDispose]())

  const manifest = async (name: string, colour: string): Promise<string> => {
    const file = site.folder.file(`${name}.yaml`)
    const metadata = { name, namespace: NAMESPACE }
    const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { colour } }
    await writeFile(file, stringify(object))
    return file
  }

  /** Makes them by password, over one connection. */
  const makeMaps = async ({ count, bytes }: Readonly<Record<'count' | 'bytes', number>>) => {
    const data = { text: 'x'.repeat(bytes) }
    const session = await openHttp2({ port: site.port, serverName: HOST, ca: site.pki.ca })
    const headers = [basic(USERS.alice.name, PASSWORD), JSON_BODY]
    const names = Array.from({ length: count }, (_, index) => `many-${index}`)
    const make = async (): Promise<void> => {
      for (let name = names.pop(); name !== undefined; name = names.pop()) {
        const body = JSON.stringify({ metadata: { name, labels: MADE }, data })
        const host = CREDENTIALS_OUT['X-Remote-*']
        const answer = await http2On(session, { method: 'POST', host, path: MAPS, headers, body })
        assert.equal(answer.status, 201, answer.body)
      }
    }
    await Promise.all(Array.from({ length: 32 }, make))
    session.destroy()
  }

  for (const [index, [out, address]] of OUT.entries()) {
    describe(`→ ${out}`, () => {
      const name = `paint-${index}`
      const run = (...args: readonly string[]): Promise<string> =>
        outputOf(site, alice, [...args, ...IN], address)
      const colour = (): Promise<string> =>
        run('get', 'configmap', name, '-o', 'jsonpath={.data.colour}')

      it('6. apply, on the client and on the server, with a conflict that kubectl reports', async () => {
        assert.match(await run('apply', '-f', await manifest(name, 'blue')), /created/)
        assert.match(await run('apply', '-f', await manifest(name, 'red')), /configured/)
        const byServer = ['apply', '--server-side', '--field-manager', 'painter', '-f']
        const file = await manifest(name, 'green')
        const conflict = await ask(site, alice, [...byServer, file, ...IN], address)
        assert.equal(conflict.code, 1)
        assert.match(conflict.complaint, /conflict with "kubectl-client-side-apply"/)
        assert.match(await run(...byServer, file, '--force-conflicts'), /serverside-applied/)
        assert.equal(await colour(), 'green')
        assert.match(await run('diff', '-f', file), /^$/)
      })

      it('6. patch, in each form, label and annotate', async () => {
        await run('patch', 'configmap', name, '-p', '{"data":{"colour":"grey"}}')
        await run('patch', 'configmap', name, '--type=merge', '-p', '{"data":{"shade":"light"}}')
        const replace = '[{"op":"replace","path":"/data/colour","value":"white"}]'
        await run('patch', 'configmap', name, '--type=json', '-p', replace)
        await run('label', 'configmap', name, 'kind=paint')
        await run('annotate', 'configmap', name, 'note=ünïcode, with a comma')
        assert.equal(await colour(), 'white')
        const selected = ['get', 'configmaps', '-l', 'kind in (paint),kind!=wall']
        assert.equal(await run(...selected, '-o', 'jsonpath={.items[*].data.shade}'), 'light')
        await run('label', 'configmap', name, 'kind-')
      })

      it('6. wait for a change by another user, and delete', async () => {
        const wait = ['wait', `configmap/${name}`, '--timeout=20s']
        const done = run(...wait, '--for=jsonpath={.data.done}=yes')
        await sleep(300)
        await run('patch', 'configmap', name, '-p', '{"data":{"done":"yes"}}')
        assert.match(await done, /condition met/)
        const gone = run(...wait, '--for=delete')
        await sleep(300)
        assert.match(await run('delete', 'configmap', name), /deleted/)
        assert.match(await gone, /condition met/)
      })
    })
  }

  describe('kubectl with thousands of objects', () => {
    before(() => makeMaps(MANY))

    it('7. lists in chunks of 500', async () => {
      const earlier = (await site.decisions()).length
      const get = ['get', 'configmaps', ...IN, '-l', 'made=here', '--chunk-size=500', '-o', 'name']
      const names = (await outputOf(site, alice, get, CREDENTIALS_OUT.certificate))
        .trim()
        .split('\n')
      assert.equal(new Set(names).size, MANY.count)
      const paths = (await site.decisions()).slice(earlier).map(({ path = '' }) => path)
      assert.equal(paths.filter((path) => path.startsWith(`${MAPS}?`)).length, MANY.count / 500)
    })

    for (const [out, address] of OUT) {
      it(`7. → ${out}: a list of ${(MANY.count * MANY.bytes) / 1e6} MB in one answer`, async () => {
        const list = await outputOf(site, alice, ['get', '--raw', THEM], address)
        assert.ok(list.length > MANY.count * MANY.bytes)
        assert.equal(JSON.parse(list).items.length, MANY.count)
      })
    }

    it('7. deletes thousands at once by one request', async () => {
      const raw = ['delete', '--raw', THEM]
      await outputOf(site, alice, raw, CREDENTIALS_OUT.certificate)
      const get = ['get', 'configmaps', ...IN, '-l', 'made=here', '-o', 'name']
      assert.equal(await outputOf(site, alice, get, CREDENTIALS_OUT.certificate), '')
    })
  })

  describe('kubectl with objects of the maximal size', () => {
    before(() => makeMaps(LARGE))

    for (const [out, address] of OUT) {
      it(`7. → ${out}: a list of more than 100 MB in one answer`, async () => {
        const list = await outputOf(site, alice, ['get', '--raw', THEM], address)
        assert.ok(list.length > 100_000_000)
        assert.equal(JSON.parse(list).items.length, LARGE.count)
      })
    }
  })
})
