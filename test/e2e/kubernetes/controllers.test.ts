// What the controllers of the cluster make from users' requests: pods of deployments, and the end of what
// is deleted. Steps are in README.md.

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { eventually } from '../site.ts'
import { ask, callerBy, outputOf, type Caller } from './asking.ts'
import { OUT } from './configuration.ts'
import { skipWithoutServers, startKubeSite, type KubeSite } from './kube-site.ts'
import { USERS } from './users.ts'
import { grantEverything } from './roles.ts'
import { CREDENTIALS_IN } from './credentials-in.ts'

const LIMIT = 20_000

describe('controllers of the cluster', { skip: skipWithoutServers(), timeout: 240_000 }, () => {
  let site: KubeSite
  let root: Caller
  before(async () => {
    site = await startKubeSite()
    root = await callerBy(site, CREDENTIALS_IN['a password (users file)'], USERS.root)
    await grantEverything(site.server, 'admins')
    const list = ['get', 'namespaces']
    await eventually(
      () => ask(site, root, list),
      ({ code }) => code === 0,
      LIMIT,
    )
  })
  after(() => site[Symbol.asyncDispose]())

  for (const [index, [out, address]] of OUT.entries()) {
    it(`27. → ${out}: create, scale and delete a namespace, a deployment and its pods`, async () => {
      const namespace = `shop-${index}`
      const run = (...args: readonly string[]): Promise<string> =>
        outputOf(site, root, args, address)
      const within = (...args: readonly string[]): Promise<string> =>
        run(...args, '--namespace', namespace)
      const pods = async (): Promise<number> =>
        (await within('get', 'pods', '-o', 'name')).split('\n').length - 1

      await run('create', 'namespace', namespace)
      await within('wait', '--for=create', 'serviceaccount/default', '--timeout=20s')
      await within('create', 'deployment', 'till', '--image=till:1', '--replicas=2')
      await eventually(pods, (count) => count === 2, LIMIT)
      await within('scale', 'deployment/till', '--replicas=5')
      await eventually(pods, (count) => count === 5, LIMIT)
      await within('set', 'image', 'deployment/till', '*=till:2')
      const revisions = /^2\s/m
      const history = () => within('rollout', 'history', 'deployment/till')
      await eventually(history, (lines) => revisions.test(lines), LIMIT)
      await within('delete', 'deployment/till', '--cascade=foreground')
      assert.equal(await pods(), 0)
      await run('delete', 'namespace', namespace, '--timeout=40s')
      const gone = await ask(site, root, ['get', 'namespace', namespace], address)
      assert.match(gone.complaint, /not found/)
    })
  }
})
