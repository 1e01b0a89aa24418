// The recipe of the dashboards, unchanged, in front of a real API server and of the dashboards that show
// it, and users with real browsers.

import { stringify } from 'yaml'
import { makeHash } from '../../../src/authenticate/password/hash.ts'
import { madeKey } from '../../fakes/signing-keys.ts'
import { startChromium } from '../../servers/chromium.ts'
import { startGrafana, type Grafana } from '../../servers/grafana.ts'
import { startHeadlamp } from '../../servers/headlamp.ts'
import { startKubernetesDashboard } from '../../servers/kubernetes-dashboard.ts'
import { basic, eventually } from '../site.ts'
import { startCluster, type Cluster } from '../recipes/cluster.ts'
import { runRecipe, type Running } from '../recipes/running.ts'
import { PASSWORDS, visitorIn, type Visitor } from './visitor.ts'

/** Host of each dashboard. */
export const HOSTS = {
  headlamp: 'headlamp.example.org',
  dashboard: 'dashboard.example.org',
  grafana: 'grafana.example.org',
} as const

/** Everything that runs. */
export interface Dashboards extends AsyncDisposable {
  readonly cluster: Cluster
  readonly recipe: Running
  readonly grafana: Grafana
  readonly issuer: string
  /** `https://HOST:PORT`. */
  originOf(host: string): string
  /** A browser without a session. */
  open(): Promise<Visitor>
}

/** Starts all of it. Members of `dev` and `developers` may look at namespaces. */
export const startDashboards = async (): Promise<Dashboards> => {
  await using stack = new AsyncDisposableStack()
  const cluster = stack.use(await startCluster({ audit: true }))
  const { pki, port, server } = cluster
  const headlamp = stack.use(await startHeadlamp(pki.upstream, server))
  const dashboard = stack.use(await startKubernetesDashboard(pki.upstream, server))
  const grafana = stack.use(await startGrafana(pki.upstream))
  const place = (at: number) => ({ address: `localhost:${at}`, ca: pki.ca })
  const recipe = stack.use(
    await runRecipe('dashboards', {
      pki,
      port,
      upstreams: {
        'headlamp.internal:4466': place(headlamp.port),
        'dashboard.internal:8443': place(dashboard.port),
        'grafana.internal:3000': place(grafana.port),
      },
      signingKeys: [await madeKey('ES256')],
      secrets: { 'users.yaml': await users() },
      changes: {
        ...cluster.changes,
        'audiences: [https://dashboards.example.org]': `audiences: [https://dashboards.example.org]\n      keys: { ca: ${pki.ca} }`,
      },
    }),
  )
  await allowToLook(cluster)
  await knowingTheIssuer(recipe)
  const chromium = await startChromium([`--host-resolver-rules=MAP *.example.org 127.0.0.1`])
  stack.defer(() => chromium.close())
  const owned = stack.move()
  return {
    cluster,
    recipe,
    grafana,
    issuer: `https://localhost:${port}`,
    originOf: (host) => `https://${host}:${port}`,
    async open() {
      const context = await chromium.newContext({ ignoreHTTPSErrors: true })
      return visitorIn(context, await context.newPage())
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

const users = async (): Promise<string> =>
  stringify({
    users: {
      alice: { password: await makeHash('bcrypt', PASSWORDS.alice), groups: ['dev', 'ops'] },
      bob: { password: await makeHash('bcrypt', PASSWORDS.bob) },
    },
  })

const RBAC = '/apis/rbac.authorization.k8s.io/v1'

const allowToLook = async ({ server }: Cluster): Promise<void> => {
  const metadata = { name: 'looks-at-namespaces' }
  const rules = [{ apiGroups: [''], resources: ['namespaces'], verbs: ['get', 'list', 'watch'] }]
  await server.call({
    method: 'POST',
    path: `${RBAC}/clusterroles`,
    body: { metadata, rules },
  })
  const subjects = ['dev', 'developers'].map((name) => ({
    kind: 'Group',
    name,
    apiGroup: 'rbac.authorization.k8s.io',
  }))
  const roleRef = {
    kind: 'ClusterRole',
    name: metadata.name,
    apiGroup: 'rbac.authorization.k8s.io',
  }
  await server.call({
    method: 'POST',
    path: `${RBAC}/clusterrolebindings`,
    body: { metadata, roleRef, subjects },
  })
}

// It looks for the issuer every ten seconds until it has found it.
const DISCOVERY_LIMIT = 30_000

const knowingTheIssuer = async (recipe: Running): Promise<void> => {
  const headers = [basic('alice', PASSWORDS.alice)]
  await eventually(
    () => recipe.ask(HOSTS.headlamp, { path: '/clusters/main/api/v1/namespaces', headers }),
    ({ status }) => status === 200,
    DISCOVERY_LIMIT,
  )
}
