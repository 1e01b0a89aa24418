// etcd, kube-apiserver and kube-controller-manager of a cluster for trials. Each writes its log to a file of the folder.

import { createWriteStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { request } from 'node:https'
import { text } from 'node:stream/consumers'
import { Child } from '../../src/runtime/child.ts'
import {
  API_SERVER,
  ETCD,
  KUBE_CONTROLLER_MANAGER,
} from '../../test/servers/kubernetes-programs.ts'
import type { ClusterFiles } from './files.ts'

/** What is started. */
export interface ClusterOptions {
  readonly files: ClusterFiles
  /** The port of kube-apiserver, on 127.0.0.1. */
  readonly port: number
  /** Further flags of kube-apiserver. */
  readonly flags: readonly string[]
  /** Called when the API server and the controllers have made what each cluster has. */
  readonly ready: () => void
}

const GRACE_MS = 10_000
const POLL_MS = 100
const CALL_MS = 5_000
const SHOWN_LINES = 15

/** Starts the servers into the stack; resolves with how the first of them ended. */
export const runServers = async (
  options: ClusterOptions,
  stack: AsyncDisposableStack,
): Promise<string> => {
  const { files, flags, ready } = options
  const start = (command: string, args: readonly string[]): Promise<string> => {
    const server = startServer(command, args, files)
    stack.use(server.child)
    return server.ended
  }
  const waiting = new AbortController()
  stack.defer(() => waiting.abort())
  const ended = Promise.race([
    start(ETCD, etcdFlags(files)),
    start(API_SERVER, [...apiServerFlags(options), ...flags]),
  ])
  const call = await administrator(options)
  const has = async (path: string, wanted: string): Promise<void> =>
    await eventually(async () => (await call(path)).includes(wanted), waiting.signal)
  const early = await Promise.race([ended, has('/readyz', 'ok')])
  if (early !== undefined || stack.disposed) return early ?? ''
  const controllers = start(KUBE_CONTROLLER_MANAGER, controllerFlags(files))
  // The controllers fill the role "view", and make the service account that pods of a namespace are given.
  const all = [
    has('/apis/rbac.authorization.k8s.io/v1/clusterroles/view', '"pods"'),
    has('/api/v1/namespaces/default/serviceaccounts/default', '"uid"'),
  ]
  const how = await Promise.race([ended, controllers, Promise.all(all).then(() => undefined)])
  if (how !== undefined) return how
  ready()
  return await Promise.race([ended, controllers])
}

/** Starts a program; `ended` has the end of its log, too. */
const startServer = (
  command: string,
  args: readonly string[],
  { path }: ClusterFiles,
): { readonly child: Child; readonly ended: Promise<string> } => {
  const name = command.slice(command.lastIndexOf('/') + 1)
  const log = createWriteStream(path(`${name}.log`))
  const last: string[] = []
  const onLine = (line: string): void => {
    log.write(`${line}\n`)
    last.push(line)
    if (last.length > SHOWN_LINES) last.shift()
  }
  const child = new Child({ name, command, args, ipc: false, grace: GRACE_MS, onLine })
  const ended = child.ended.then((how) => [...last, `${how}; its log is ${path(`${name}.log`)}`])
  return { child, ended: ended.then((lines) => lines.join('\n')) }
}

// A socket in a folder of this user alone: etcd without TLS on a port is open to every user of the machine.
const etcdUrl = ({ path }: ClusterFiles): string => `unix://${path('etcd.sock')}`

const etcdFlags = (files: ClusterFiles): readonly string[] => [
  '--name=etcd',
  `--data-dir=${files.path('etcd')}`,
  `--listen-client-urls=${etcdUrl(files)}`,
  `--advertise-client-urls=${etcdUrl(files)}`,
  '--listen-peer-urls=http://127.0.0.1:0',
  // It is the only member; no server listens there.
  '--initial-advertise-peer-urls=http://127.0.0.1:1',
  '--initial-cluster=etcd=http://127.0.0.1:1',
  '--unsafe-no-fsync',
]

const apiServerFlags = ({ files, port }: ClusterOptions): readonly string[] => [
  `--etcd-servers=${etcdUrl(files)}`,
  '--bind-address=127.0.0.1',
  `--secure-port=${port}`,
  '--advertise-address=127.0.0.1',
  '--endpoint-reconciler-type=none',
  `--tls-cert-file=${files.path('kube-apiserver.pem')}`,
  `--tls-private-key-file=${files.path('kube-apiserver.key')}`,
  `--client-ca-file=${files.path('client-ca.pem')}`,
  '--authorization-mode=RBAC',
  '--service-cluster-ip-range=10.96.0.0/16',
  '--service-account-issuer=https://kubernetes.default.svc',
  `--service-account-key-file=${files.path('service-accounts.pub')}`,
  `--service-account-signing-key-file=${files.path('service-accounts.key')}`,
  `--audit-policy-file=${files.path('audit-policy.yaml')}`,
  `--audit-log-path=${files.path('audit.jsonl')}`,
]

const controllerFlags = ({ path }: ClusterFiles): readonly string[] => [
  `--kubeconfig=${path('controllers.kubeconfig')}`,
  '--leader-elect=false',
  '--secure-port=0',
  `--service-account-private-key-file=${path('service-accounts.key')}`,
  `--root-ca-file=${path('ca.pem')}`,
]

/** Requests as the administrator; rejects unless the answer is 200. */
const administrator = async ({
  files: { path },
  port,
}: ClusterOptions): Promise<(target: string) => Promise<string>> => {
  const [ca, cert, key] = await Promise.all(
    ['ca.pem', 'admin.pem', 'admin.key'].map(async (name) => await readFile(path(name))),
  )
  return async (target) => {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
    const tls = { ca, cert, key, agent: false, signal: AbortSignal.timeout(CALL_MS) }
    request(new URL(target, `https://127.0.0.1:${port}`), tls, resolve)
      .on('error', reject)
      .end()
    const response = await promise
    if (response.statusCode !== 200) throw new Error(`${target}: ${response.statusCode}`)
    return await text(response)
  }
}

/** Waits until a probe resolves with `true`; a rejection is not yet. Ends with the signal, too. */
const eventually = async (probe: () => Promise<boolean>, signal: AbortSignal): Promise<void> => {
  while (!signal.aborted) {
    if (await probe().catch(() => false)) return
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
}
