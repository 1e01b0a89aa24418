// What runs for minutes: watches, informers and a controller, while tokens end and are renewed. Steps are
// in README.md.

import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { Daemon } from '../../servers/daemon.ts'
import { KUBE_CONTROLLER_MANAGER } from '../../servers/kubernetes-programs.ts'
import { eventually } from '../site.ts'
import { ask, callerBy, outputOf } from './asking.ts'
import { OUT, CREDENTIALS_OUT } from './configuration.ts'
import { follow, renewing, Ticker, TOKEN } from './following.ts'
import { skipWithoutServers, startKubeSite, type KubeSite } from './kube-site.ts'
import { USERS } from './users.ts'
import { grant, grantEverything, NAMESPACE } from './roles.ts'
import { startWatch } from './watching.ts'
import { CREDENTIALS_IN } from './credentials-in.ts'

const LIMIT = 20_000
const SECONDS = 105
const DEPLOYMENTS = `/apis/apps/v1/namespaces/${NAMESPACE}/deployments`

const podsSchema = z.object({ items: z.array(z.unknown()) })

const options = { skip: skipWithoutServers(), concurrency: true, timeout: 400_000 }

describe('connections over minutes', options, () => {
  let site: KubeSite
  let ticker: Ticker
  before(async () => {
    // Without controllers of its own: the ones that come through Envoy do the work.
    site = await startKubeSite({ controllers: false })
    await grantEverything(site.server, 'admins')
    const everything = { resources: ['configmaps'], verbs: ['*'] }
    await grant(site.server, 'maps-for-alice', everything, { kind: 'User', name: 'alice' })
    const root = await callerBy(site, CREDENTIALS_IN['a password (users file)'], USERS.root)
    const list = ['get', 'configmaps', '--namespace', NAMESPACE]
    await eventually(
      () => ask(site, root, list),
      ({ code }) => code === 0,
      LIMIT,
    )
    ticker = new Ticker(site)
    await ticker.create()
  })
  after(() => site[Symbol.asyncDispose]())

  it('29. with each upstream credential watches and informers report every change, in order', async (t) => {
    await using stack = new AsyncDisposableStack()
    const certified = await callerBy(site, CREDENTIALS_IN['a client certificate'], USERS.alice)
    const renewed = stack.use(await renewing(site, USERS.alice))
    const what = ['configmap', 'ticker', '-o', 'jsonpath={.data.turn}{"\\n"}']
    const watches = OUT.map(([, address]) => stack.use(startWatch(site, certified, address, what)))
    const informers = await Promise.all(OUT.map(([, address]) => follow(site, renewed, address)))
    for (const informer of informers) stack.use(informer)
    const seen = (): readonly (readonly string[])[] => [
      ...watches.map(({ lines }) => lines),
      ...informers.map(({ turns }) => turns),
    ]
    const begun = async () => seen().every(({ length }) => length === 1)
    await eventually(begun, Boolean, LIMIT)
    for (let second = 0; second < SECONDS; second += 1) {
      await ticker.change()
      await sleep(1_000)
    }
    const { turns: expected } = ticker
    const complete = async () => seen().every((turns) => turns.at(-1) === expected.at(-1))
    await eventually(complete, Boolean, LIMIT)
    for (const turns of seen()) assert.deepEqual(turns, expected)
    const restarts = informers.map((informer) => informer.restarts)
    t.diagnostic(`tokens ended: informers began again ${restarts.join(', ')} times`)
    assert.ok(restarts.every((count) => count > 0))
  })

  it('30. kube-controller-manager works through Envoy, and continues when its token has expired', async () => {
    await using stack = new AsyncDisposableStack()
    const root = stack.use(await renewing(site, USERS.root))
    const minify = ['config', 'view', '--minify', '--raw']
    const kubeconfig = site.folder.file('controllers.kubeconfig')
    const text = await outputOf(site, root, minify, CREDENTIALS_OUT.certificate)
    const elsewhere = text.replace(CREDENTIALS_OUT['X-Remote-*'], CREDENTIALS_OUT.certificate)
    await writeFile(kubeconfig, elsewhere, { mode: 0o600 })
    const controllers = '--controllers=deployment-controller,replicaset-controller'
    const flags = ['--leader-elect=false', '--secure-port=0', controllers]
    const manager = stack.use(
      new Daemon({
        command: KUBE_CONTROLLER_MANAGER,
        args: [`--kubeconfig=${kubeconfig}`, ...flags],
        probe: () => Promise.resolve(),
      }),
    )
    await manager.start()
    for (const [index, seconds] of [0, TOKEN.lives + 10, 10].entries()) {
      await sleep(seconds * 1_000)
      await deploy(`deployed-${index}`, 3)
    }
    const watches = (await site.decisions()).filter(
      ({ host, user, kubernetes }) =>
        host === CREDENTIALS_OUT.certificate &&
        user === USERS.root.name &&
        kubernetes?.resource === 'replicasets' &&
        kubernetes.verb === 'watch',
    )
    // The first ended with the token.
    assert.ok(watches.length > 1)
  })

  /** Makes a deployment, and waits for its pods. */
  const deploy = async (name: string, replicas: number): Promise<void> => {
    const labels = { app: name }
    const containers = [{ name: 'main', image: 'x:1' }]
    const template = { metadata: { labels }, spec: { containers } }
    const spec = { replicas, selector: { matchLabels: labels }, template }
    const body = { metadata: { name }, spec }
    await site.server.call({ method: 'POST', path: DEPLOYMENTS, body })
    const path = `/api/v1/namespaces/${NAMESPACE}/pods?labelSelector=app%3D${name}`
    const pods = async (): Promise<number> =>
      podsSchema.parse(await site.server.call({ method: 'GET', path })).items.length
    await eventually(pods, (count) => count === replicas, LIMIT)
  }
})
