// A kubelet whose containers are processes of this machine (the Go program in the folder next to this
// file), and its node and pods at an API server. What kubectl sees of them is real: the API server's way to
// a kubelet, and the streaming code of container runtimes.

import { mkdir, readFile, writeFile } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { Daemon } from './daemon.ts'
import { freePort } from './ports.ts'
import { goProgram, skipWithoutGoProgram } from './go-program.ts'
import type { KubeApiServer } from './kube-apiserver.ts'
import { temporaryFolder } from './temporary.ts'

const PROGRAM = goProgram('kubelet')

/** For `skip` of node:test, as {@link skipWithoutGoProgram}. */
export const skipWithoutKubelet = (): string | false => skipWithoutGoProgram(PROGRAM)

/** A pod of one container. */
export interface PodSpec {
  readonly namespace: string
  readonly name: string
  /** The main process, which has a standard input. */
  readonly command: readonly string[]
  /** Whether it runs at a terminal. Default: no. */
  readonly tty?: boolean
}

/** A running kubelet. */
export interface Kubelet extends AsyncDisposable {
  /** The folder in which the processes of a pod run. */
  folderOf(pod: PodSpec): string
}

const NODE = 'node'
const CONTAINER = 'main'

/** Starts the pods' main processes and a kubelet; the API server has the pods as running then. */
export const startKubelet = async (
  server: KubeApiServer,
  pods: readonly PodSpec[],
): Promise<Kubelet> => {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await temporaryFolder())
  const port = await freePort()
  const nameOf = ({ namespace, name }: PodSpec): string => `${namespace}_${name}`
  const folderOf = (pod: PodSpec): string => folder.file(nameOf(pod))
  await Promise.all(pods.map((pod) => mkdir(folderOf(pod))))
  const configuration = folder.file('kubelet.json')
  const content = {
    address: `127.0.0.1:${port}`,
    ...server.kubelet,
    clientCa: server.ca,
    containers: pods.map((pod) => ({
      namespace: pod.namespace,
      pod: pod.name,
      name: CONTAINER,
      command: pod.command,
      tty: pod.tty ?? false,
      folder: folderOf(pod),
      log: folder.file(`${nameOf(pod)}.log`),
    })),
  }
  await writeFile(configuration, JSON.stringify(content))
  const daemon = stack.use(
    new Daemon({ command: PROGRAM, args: [configuration], probe: () => probe(server, port) }),
  )
  await daemon.start()
  await register(server, port)
  await Promise.all(pods.map((pod) => makePod(server, pod)))
  const running = stack.move()
  return { folderOf, [Symbol.asyncDispose]: () => running.disposeAsync() }
}

/** As the API server asks it: with a certificate. */
const probe = async ({ ca, administrator }: KubeApiServer, port: number): Promise<void> => {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  const tls = {
    ca: await readFile(ca),
    cert: await readFile(administrator.certificate),
    key: await readFile(administrator.key),
  }
  const options = { host: '127.0.0.1', port, path: '/healthz', agent: false, ...tls }
  httpsRequest(options, resolve).on('error', reject).end()
  const answer = await promise
  answer.resume()
  if (answer.statusCode !== 200) throw new Error(`it answers ${answer.statusCode}`)
}

const register = async (server: KubeApiServer, port: number): Promise<void> => {
  const status = {
    addresses: [{ type: 'InternalIP', address: '127.0.0.1' }],
    daemonEndpoints: { kubeletEndpoint: { Port: port } },
  }
  const body = { metadata: { name: NODE }, status }
  await server.call({ method: 'POST', path: '/api/v1/nodes', body })
}

const makePod = async (
  server: KubeApiServer,
  { namespace, name, command, tty = false }: PodSpec,
): Promise<void> => {
  const path = `/api/v1/namespaces/${namespace}/pods`
  const container = { name: CONTAINER, image: 'none', command, stdin: true, tty }
  const spec = { nodeName: NODE, containers: [container] }
  await server.call({ method: 'POST', path, body: { metadata: { name }, spec } })
  const conditions = [{ type: 'Ready', status: 'True' }]
  const status = { phase: 'Running', conditions, hostIP: '127.0.0.1', podIP: '127.0.0.1' }
  await server.call({ method: 'PATCH', path: `${path}/${name}/status`, body: { status } })
}
