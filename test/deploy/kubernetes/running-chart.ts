// What the chart renders, run on this machine: authz, a real Envoy and, where there is one, the signer, each with the files
// of its own container. Only addresses are those of this machine; names in certificates stay what they are.

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { countersign, startService, type RunningService } from '../../cli/run.ts'
import { startEnvoy } from '../../servers/envoy.ts'
import { freePort, freePorts } from '../../servers/ports.ts'
import { temporaryFolder } from '../../servers/temporary.ts'
import { below, mountFiles, usersObjects, type Namespace } from './files.ts'
import { containerOf, render, type Values } from './rendered.ts'

const CONFIG = '/etc/countersign/config/countersign.yaml'
const AUTHZ = 'countersign-authz.countersign.svc.cluster.local'

/** The chart, running. */
export interface RunningChart extends AsyncDisposable {
  readonly made: Namespace
  readonly authz: RunningService
  /** The folder in place of the root of the container of authz. */
  readonly authzRoot: string
  /** The same for the pod of Envoy. */
  readonly envoyRoot: string
  readonly ports: Readonly<Record<'envoy' | 'authz' | 'admin' | 'issuer', number>>
  readonly audit: string
}

/** What is around the chart. */
interface Surroundings {
  /** What the operator made. Default: what the examples need. */
  readonly made?: Namespace
  /** Maps every text that is mounted, such as addresses of upstreams. */
  readonly change?: (text: string) => string
}

/** Starts it. */
export const startChart = async (
  values: Values,
  { made: given, change = (text) => text }: Surroundings = {},
): Promise<RunningChart> => {
  await using stack = new AsyncDisposableStack()
  const [chart, made] = await Promise.all([render(values), given ?? usersObjects()])
  const { path: authzRoot } = stack.use(await temporaryFolder())
  const { path: envoyRoot } = stack.use(await temporaryFolder())
  // Two each: those of worker 1 follow those of worker 0.
  const [authzPort, admin, issuer] = await Promise.all([freePorts(2), freePort(), freePorts(2)])
  // One for each process.
  const auditIn = (root: string): string => join(root, 'audit.jsonl')
  const here = (root: string, text: string): string =>
    change(below(root, text))
      .replaceAll('0.0.0.0:9001', `127.0.0.1:${authzPort}`)
      .replaceAll('0.0.0.0:9090', `127.0.0.1:${admin}`)
      .replaceAll('0.0.0.0:8081', `127.0.0.1:${issuer}`)
      .replaceAll('0.0.0.0:8443', '127.0.0.1:0')
      .replaceAll(`${AUTHZ}:9001`, `127.0.0.1:${authzPort}`)
      .replaceAll(`${AUTHZ}:8081`, `127.0.0.1:${issuer}`)
      .replace(/^version: 1$/m, `version: 1\naudit: { file: ${auditIn(root)} }`)
  const namespace = { ...made, configMaps: { ...made.configMaps, ...chart.configMaps } }
  const mount = async (
    root: string,
    part: 'authz' | 'envoy',
    name: string,
    paths = root,
  ): Promise<void> => {
    const template = chart.pods(part)
    const container = containerOf(template, name)
    await mountFiles(root, template, container, namespace, (text) => here(paths, text))
  }
  await mount(authzRoot, 'authz', 'authz')
  await mount(envoyRoot, 'envoy', 'envoy')
  const authz = stack.use(await startService('authz', `${authzRoot}${CONFIG}`))
  if (chart.configMaps['countersign-signer'] !== undefined) {
    await mount(envoyRoot, 'envoy', 'signer')
    stack.use(await startService('signer', `${envoyRoot}/etc/countersign/config/signer.yaml`))
  }
  // The init container writes what Envoy reads, and has another configuration at the path where the signer has its own.
  const { path: initRoot } = stack.use(await temporaryFolder())
  await mount(initRoot, 'envoy', 'bootstrap', envoyRoot)
  const { args } = containerOf(chart.pods('envoy'), 'bootstrap')
  const { status, stderr } = await countersign(
    args.map((one) => below(initRoot, one).replace(/^\/etc\/envoy/, `${envoyRoot}$&`)),
  )
  assert.equal(status, 0, stderr)
  const bootstrap = await readFile(`${envoyRoot}/etc/envoy/envoy.yaml`, 'utf8')
  const envoy = stack.use(await startEnvoy({ bootstrap }))
  const ports = { envoy: await envoy.port(), authz: authzPort, admin, issuer }
  const owned = stack.move()
  return {
    made,
    authz,
    authzRoot,
    envoyRoot,
    ports,
    audit: auditIn(authzRoot),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}
