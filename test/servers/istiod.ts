// A real istiod, on free ports, which reads its objects from a real API server and signs with a CA that was
// made for it. Its settings leave out what only Istio's own build of Envoy knows.

import { copyFile, rename, writeFile } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Daemon } from './daemon.ts'
import { freePort } from './ports.ts'
import { createAuthority, type Authority } from './pki.ts'
import { temporaryFolder, type TemporaryFolder } from './temporary.ts'

const ROOT = resolve(import.meta.dirname, '../..')
const CACHE = process.env['COUNTERSIGN_CACHE'] ?? join(ROOT, '.cache')
const FOLDER = join(CACHE, 'istio', 'v1.31.0')
const PROGRAM = join(FOLDER, 'pilot-discovery')

/** The definitions of Istio's objects, a file for kubectl. */
export const ISTIO_DEFINITIONS = join(FOLDER, 'crds.yaml')

/** The version that proxies say they have. */
export const ISTIO_VERSION = '1.31.0'

const MISSING = `no istiod in ${FOLDER}: "sh scripts/istio.sh" builds it`

/**
 * For `skip` of node:test: the reason to skip tests that need istiod, or `false` where there is one.
 * Throws where `CI` is `true`: there a missing one is a fault and not a reason.
 */
export const skipWithoutIstiod = (): string | false => {
  if (existsSync(PROGRAM) && existsSync(ISTIO_DEFINITIONS)) return false
  if (process.env['CI'] === 'true') throw new Error(MISSING)
  return MISSING
}

/** A running istiod. */
export interface Istiod extends AsyncDisposable {
  /** Where proxies ask for their configuration, over mutual TLS. */
  readonly port: number
  /** Its CA, which also signs what proxies prove themselves with. */
  readonly authority: Authority
  /** Replaces the mesh configuration, which it watches. */
  configure(mesh: object): Promise<void>
  readonly log: string
}

/** The name in the certificate that it shows to proxies. */
export const ISTIOD_NAME = 'istiod.istio-system.svc'

/** What it has to know: its API server, and the mesh configuration. */
export interface IstiodOptions {
  /** Of an administrator. */
  readonly kubeconfig: string
  readonly mesh: object
}

const PROBE_LIMIT = 2_000

/** Starts one. The definitions of its objects have to be there. */
export const startIstiod = async ({ kubeconfig, mesh }: IstiodOptions): Promise<Istiod> => {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await temporaryFolder())
  const authority = stack.use(await createAuthority('cluster.local'))
  await plugIn(authority, folder)
  const meshFile = folder.file('mesh.yaml')
  const configure = async (next: object): Promise<void> => {
    // Not as YAML: Istio's reader takes OFF for a boolean.
    await writeFile(`${meshFile}.new`, JSON.stringify({ ...OWN_MESH, ...next }))
    await rename(`${meshFile}.new`, meshFile)
  }
  await configure(mesh)
  const [http, port] = [await freePort(), await freePort()]
  const daemon = stack.use(
    new Daemon({
      command: PROGRAM,
      args: [
        'discovery',
        `--kubeconfig=${kubeconfig}`,
        '--registries=Kubernetes',
        `--meshConfig=${meshFile}`,
        '--networksConfig=/nonexistent',
        `--httpAddr=127.0.0.1:${http}`,
        `--grpcAddr=127.0.0.1:${await freePort()}`,
        `--secureGRPCAddr=127.0.0.1:${port}`,
        `--httpsAddr=127.0.0.1:${await freePort()}`,
        `--monitoringAddr=127.0.0.1:${await freePort()}`,
        '--ctrlz_address=127.0.0.1',
        `--ctrlz_port=${await freePort()}`,
      ],
      environment: { ...ENVIRONMENT, HOME: folder.path, ROOT_CA_DIR: folder.path },
      probe: async () => {
        const url = `http://127.0.0.1:${http}/ready`
        const { ok } = await fetch(url, { signal: AbortSignal.timeout(PROBE_LIMIT) })
        if (!ok) throw new Error('not ready yet')
      },
    }),
  )
  await daemon.start()
  const owned = stack.move()
  return {
    port,
    authority,
    configure,
    get log() {
      return daemon.log
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

/** The CA where istiod looks for one of its operator's. */
const plugIn = async ({ ca, key }: Authority, folder: TemporaryFolder): Promise<void> => {
  for (const name of ['ca-cert.pem', 'cert-chain.pem', 'root-cert.pem']) {
    await copyFile(ca, folder.file(name))
  }
  await copyFile(key, folder.file('ca-key.pem'))
}

const OWN_MESH = {
  rootNamespace: 'istio-system',
  trustDomain: 'cluster.local',
  ingressControllerMode: 'OFF',
  enableTracing: false,
  enablePrometheusMerge: false,
  // Else clusters wait for secrets of pilot-agent, and there is no listener, nor an error.
  enableAutoMtls: false,
}

const ENVIRONMENT = {
  POD_NAME: 'istiod-0',
  POD_NAMESPACE: 'istio-system',
  SERVICE_ACCOUNT: 'istiod',
  REVISION: 'default',
  CLUSTER_ID: 'Kubernetes',
  INJECT_ENABLED: 'false',
  INJECTION_WEBHOOK_CONFIG_NAME: '',
  VALIDATION_WEBHOOK_CONFIG_NAME: '',
  PILOT_ENABLE_GATEWAY_API: 'false',
  // It waits as long for a further change before it tells proxies.
  PILOT_DEBOUNCE_AFTER: '10ms',
  // A stock Envoy refuses these filters.
  PILOT_ENABLE_METADATA_EXCHANGE: 'false',
  PILOT_ENABLE_ALPN_FILTER: 'false',
}
