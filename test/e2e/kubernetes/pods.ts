// The pods of the scenario, who may do something with them, and the two protocols by which kubectl
// speaks to them.

import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import type { DecisionEvent } from '../../../src/audit/event.ts'
import { startKubelet, type Kubelet, type PodSpec } from '../../servers/kubelet.ts'
import { eventually } from '../site.ts'
import { ask, type Caller } from './asking.ts'
import { SEALED } from './configuration.ts'
import type { KubeSite } from './kube-site.ts'
import { grant, NAMESPACE } from './roles.ts'

/** The arguments of kubectl for the namespace of the pods. */
export const IN = ['--namespace', NAMESPACE]

/** Each for something. */
export const PODS = {
  shell: { namespace: NAMESPACE, name: 'shell', command: ['sleep', '100000'] },
  clock: {
    namespace: NAMESPACE,
    name: 'clock',
    command: ['sh', '-c', 'i=0; while :; do echo "tick $i"; i=$((i+1)); sleep 0.2; done'],
  },
  /** Says what it hears. */
  echo: {
    namespace: NAMESPACE,
    name: 'echo',
    command: ['sh', '-c', 'while read -r line; do echo "heard $line"; done'],
  },
  /** Ends with the first line that it hears. */
  mortal: {
    namespace: NAMESPACE,
    name: 'mortal',
    command: ['sh', '-c', 'echo begun; read -r line; echo "heard $line"'],
  },
  terminal: { namespace: NAMESPACE, name: 'terminal', command: ['sh'], tty: true },
  sealed: { namespace: SEALED, name: 'shell', command: ['sleep', '100000'] },
} as const satisfies Readonly<Record<string, PodSpec>>

/** Each protocol: what makes kubectl speak it, and the method by which it then begins. */
export const PROTOCOLS = [
  ['WebSocket', { method: 'GET', environment: {} }],
  [
    'SPDY',
    {
      method: 'POST',
      environment: {
        KUBECTL_REMOTE_COMMAND_WEBSOCKETS: 'false',
        KUBECTL_PORT_FORWARD_WEBSOCKETS: 'false',
      },
    },
  ],
] as const

/** What is sent there and back. */
export const BLOB = randomBytes(20_000_000)

/** By which it is known again. */
export const hashOf = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')

const RBAC_LIMIT = 10_000

/** What is to be done with pods: everything that needs a kubelet. */
const RULE = {
  resources: ['pods', 'pods/log', 'pods/exec', 'pods/attach', 'pods/portforward'],
  verbs: ['get', 'list', 'watch', 'create'],
}

/** Starts the pods; a group may do everything with them, once it is known to be alice's. */
export const startPods = async (
  site: KubeSite,
  alice: Caller,
  further: readonly PodSpec[] = [],
): Promise<Kubelet> => {
  const body = { metadata: { name: SEALED } }
  await site.server.call({ method: 'POST', path: '/api/v1/namespaces', body })
  // A controller makes it, and there is no pod without.
  const path = `/api/v1/namespaces/${SEALED}/serviceaccounts/default`
  const isThere = async (): Promise<boolean> =>
    await site.server.call({ method: 'GET', path }).then(Boolean, () => false)
  await eventually(isThere, Boolean)
  const kubelet = await startKubelet(site.server, [...Object.values<PodSpec>(PODS), ...further])
  await grant(site.server, 'pods-for-dev', RULE, { kind: 'Group', name: 'dev' })
  const get = ['get', 'pods', ...IN]
  await eventually(
    () => ask(site, alice, get),
    ({ code }) => code === 0,
    RBAC_LIMIT,
  )
  return kubelet
}

const isAbout = (path: string | undefined, subresource: string): boolean =>
  path?.split('?')[0]?.endsWith(`/${subresource}`) ?? false

/** The decisions at an address about a subresource of pods that some action causes. */
export const decisionsOf = async (
  site: KubeSite,
  address: string,
  subresource: string,
  doing: () => Promise<unknown>,
): Promise<readonly DecisionEvent[]> => {
  const earlier = (await site.decisions()).length
  await doing()
  const later = (await site.decisions()).slice(earlier)
  return later.filter(({ host, path }) => host === address && isAbout(path, subresource))
}

/** Asserts that the API server took one request for it, by this method, as a request of alice. */
export const assertRequested = async (
  site: KubeSite,
  decisions: readonly DecisionEvent[],
  method: string,
): Promise<void> => {
  assert.deepEqual(
    decisions.map((event) => [event.method, event.decision]),
    [[method, 'allow']],
  )
  const audited = await site.server.audited()
  const entry = audited.find(({ auditID }) => auditID === decisions[0]?.id)
  assert.equal((entry?.impersonatedUser ?? entry?.user)?.username, 'alice')
  assert.equal(entry?.verb, method === 'GET' ? 'get' : 'create')
}

const METRICS = {
  exec: 'apiserver_stream_translator_requests_total',
  attach: 'apiserver_stream_translator_requests_total',
  portforward: 'apiserver_stream_tunnel_requests_total',
} as const

/**
 * Asserts that everything of alice's that has begun with GET was a WebSocket to the API server, and nothing else
 * was: it counts those that it translates to SPDY, or tunnels.
 */
export const assertWebSockets = async (
  site: KubeSite,
  subresources: readonly (keyof typeof METRICS)[],
): Promise<void> => {
  const begun = (await site.decisions()).filter(
    ({ user, method, path }) =>
      user === 'alice' && method === 'GET' && subresources.some((name) => isAbout(path, name)),
  )
  assert.notEqual(begun.length, 0)
  const names: ReadonlySet<string> = new Set(subresources.map((name) => METRICS[name]))
  const count = async (): Promise<number> => {
    const metrics = String(await site.server.call({ method: 'GET', path: '/metrics' }))
    const lines = metrics.split('\n').filter((line) => names.has(line.split('{')[0] ?? ''))
    return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)
  }
  // They are counted when they end.
  assert.equal(await eventually(count, (counted) => counted === begun.length), begun.length)
}
