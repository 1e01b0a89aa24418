// `npm run cluster -- [FOLDER] [--port PORT] [-- FLAG …]`: a Kubernetes API server on this machine for trials, with etcd
// and its controllers, in the foreground until Ctrl-C. There are no nodes, so pods stay pending. Everything is in FOLDER
// (default: cluster), and a later start continues with it. FLAGs are added to those of kube-apiserver.

import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { endSignal } from '../src/cli/signals.ts'
import { describeError } from '../src/runtime/errors.ts'
import {
  API_SERVER,
  ETCD,
  KUBE_CONTROLLER_MANAGER,
  KUBECTL,
} from '../test/servers/kubernetes-programs.ts'
import { prepareFolder, type ClusterFiles } from './cluster/files.ts'
import { runServers } from './cluster/servers.ts'
import { run } from './run.ts'

const DEFAULT_FOLDER = 'cluster'
const DEFAULT_PORT = '6443'

const main = async (): Promise<void> => {
  const end = endSignal()
  const { folder, port, flags } = readArguments(process.argv.slice(2))
  await requirePrograms()
  const files = await prepareFolder(folder, port)
  await using stack = new AsyncDisposableStack()
  const ready = (): void => console.log(readyText(folder, port, files))
  const ended = runServers({ files, port, flags, ready }, stack)
  const how = await Promise.race([end, ended])
  if (how === 'SIGTERM' || how === 'SIGINT') return
  throw new Error(how)
}

const readArguments = (
  all: readonly string[],
): { readonly folder: string; readonly port: number; readonly flags: readonly string[] } => {
  const end = all.includes('--') ? all.indexOf('--') : all.length
  const { values, positionals } = parseArgs({
    args: all.slice(0, end),
    options: { port: { type: 'string', default: DEFAULT_PORT } },
    allowPositionals: true,
  })
  const [folder = DEFAULT_FOLDER, ...more] = positionals
  const port = Number(values.port)
  if (more.length > 0 || !Number.isInteger(port) || port < 1 || port > 65_535) {
    throw new Error('usage: npm run cluster -- [FOLDER] [--port PORT] [-- FLAG …]')
  }
  return { folder, port, flags: all.slice(end + 1) }
}

/** Builds the programs unless all are there. */
const requirePrograms = async (): Promise<void> => {
  if ([API_SERVER, ETCD, KUBE_CONTROLLER_MANAGER, KUBECTL].every((file) => existsSync(file))) return
  console.log(
    'cluster: building Kubernetes from Go modules, about 10 minutes, once; needs Go 1.21 or later',
  )
  const status = await run('sh', [resolve(import.meta.dirname, 'kubernetes.sh')])
  if (status !== 0) throw new Error('Kubernetes was not built: sh scripts/kubernetes.sh')
}

const readyText = (folder: string, port: number, { path }: ClusterFiles): string =>
  [
    `cluster: ready, listening on https://127.0.0.1:${port}`,
    `  kubeconfig of the administrator  ${folder}/admin.kubeconfig`,
    `  CA of the API server             ${folder}/ca.pem`,
    `  CAs of client certificates       ${folder}/client-ca.pem (append yours)`,
    `  audit log                        ${folder}/audit.jsonl`,
    `  kubectl                          export PATH="${path('bin')}:$PATH"`,
  ].join('\n')

await main().catch((cause: unknown) => {
  console.error(`cluster: ${describeError(cause)}`)
  process.exitCode = 1
})
if (process.connected) process.disconnect() // or the channel would keep the process alive
