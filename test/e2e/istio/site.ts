// A mesh with one gateway: a real API server, a real istiod, the stock Envoy as ingress gateway, authz and
// the signer as separate processes, two applications, and an issuer of another operator.

import { readFile } from 'node:fs/promises'
import type { DecisionEvent } from '../../../src/audit/event.ts'
import { newGrantKeyLine } from '../../../src/keys/grant-keys.ts'
import { madeKey, type MadeKey } from '../../fakes/signing-keys.ts'
import type { Target } from '../../servers/client.ts'
import { startCluster, type Cluster } from '../../servers/cluster.ts'
import { freePort } from '../../servers/ports.ts'
import { skipWithoutEnvoy } from '../../servers/envoy.ts'
import { NAMESPACE, startIstioGateway, type IstioGateway } from '../../servers/istio-gateway.ts'
import { skipWithoutIstiod, startIstiod, type Istiod } from '../../servers/istiod.ts'
import { skipWithoutApiServer } from '../../servers/kube-apiserver.ts'
import { skipWithoutKubectl } from '../../servers/kubectl.ts'
import {
  createAuthority,
  createPki,
  type Authority,
  type KeyPair,
  type Pki,
} from '../../servers/pki.ts'
import { writeSigningKeys } from '../../servers/signing-keys.ts'
import { temporaryFolder, type TemporaryFolder } from '../../servers/temporary.ts'
import { startUpstream, type Upstream } from '../../servers/upstream.ts'
import { reloaded, replaceFile } from '../client-certificates/changing.ts'
import { CountersignProcess } from '../process.ts'
import { startPlainApplication, type PlainApplication } from './applications.ts'
import {
  configuration,
  startTokenIssuer,
  usersFile,
  writeFiles,
  type TokenIssuer,
} from './configuration.ts'
import { istioFile, meshConfig, objectsOf, placed, serviceAt, type Places } from './files.ts'
import { apply, defineIstio, secretOf, succeed } from './mesh.ts'
import { decisionsIn } from '../audit-events.ts'

/** Why the scenario cannot be run here, or `false`. */
export const skipWithoutServers = (): string | false =>
  skipWithoutEnvoy() || skipWithoutApiServer() || skipWithoutKubectl() || skipWithoutIstiod()

/** The hosts that the gateway publishes. */
export const HOSTS = {
  api: 'api.example.org',
  reports: 'reports.example.org',
  kubernetes: 'kube.example.org',
} as const

/** All of it, running. */
export interface IstioSite extends AsyncDisposable {
  readonly cluster: Cluster
  readonly istiod: Istiod
  readonly gateway: IstioGateway
  readonly pki: Pki
  /** Whose client certificates count. */
  readonly callers: Authority
  /** A caller of the groups dev and ops. */
  readonly alice: KeyPair
  readonly otherIssuer: TokenIssuer
  /** The key of our tokens. */
  readonly signing: MadeKey
  /** The application that gets headers, and takes the front-proxy certificate alone. */
  readonly api: Upstream
  /** The application that gets tokens, and accepts every client. */
  readonly reports: PlainApplication
  readonly authz: CountersignProcess
  readonly signer: CountersignProcess
  readonly folder: TemporaryFolder
  readonly places: Places
  /** A host at the gateway. */
  target(host: string, client?: KeyPair): Target
  /** Applies a file of deploy/istio. */
  apply(...files: readonly string[]): Promise<void>
  /** Takes an object of the gateway's namespace away. */
  remove(kind: string, name: string): Promise<void>
  /** Changes the text of authz's configuration, and waits until it is in force. */
  reconfigure(change: (text: string) => string): Promise<void>
  /** Decisions so far, oldest first. */
  decisions(): Promise<readonly DecisionEvent[]>
}

/**
 * Starts it, with the policies and without an EnvoyFilter.
 *
 * @param options.authzTls whether authz asks the gateway for a client certificate
 */
export const startIstioSite = async ({
  authzTls = false,
}: { readonly authzTls?: boolean } = {}): Promise<IstioSite> => {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await temporaryFolder())
  const pki = stack.use(await createPki())
  const callers = stack.use(await createAuthority('People CA'))
  const minting = stack.use(await createAuthority('Minting CA'))
  const cluster = stack.use(await startCluster({ audit: true, clientCas: [minting.ca] }))
  const api = stack.use(await startUpstream({ identity: pki.upstream, clientCa: pki.ca }))
  const reports = stack.use(await startPlainApplication())
  const otherIssuer = await startTokenIssuer(pki)
  stack.use(otherIssuer.server)
  const signing = await madeKey('ES256')
  const here = { folder: folder.path }
  const port = await freePort()
  const config = folder.file('countersign.yaml')
  const authzPair = await pki.issue({ commonName: AUTHZ, names: [AUTHZ], usage: 'server' })
  const tls = {
    certificate: authzPair.certificate,
    key: `file:${authzPair.key}`,
    clientCa: pki.ca,
  }
  const listen = { address: `127.0.0.1:${port}`, ...(authzTls ? { tls } : {}) }
  await writeFiles(here, {
    'configmaps/staff-ca/ca.crt': await readFile(callers.ca, 'utf8'),
    'configmaps/kube-root-ca.crt/ca.crt': await readFile(cluster.server.ca, 'utf8'),
    'secrets/countersign-users/users.yaml': await usersFile(),
    'secrets/countersign-grants/grant.keys': `${newGrantKeyLine()}\n`,
    'secrets/countersign-ca/tls.crt': await readFile(minting.ca, 'utf8'),
    'secrets/countersign-ca/tls.key': await readFile(minting.key, 'utf8'),
    'countersign.yaml': await configuration(here, listen, otherIssuer, pki.ca),
    'signer.yaml': `${placed(await istioFile('signer.yaml'), here)}audit: { file: issued.jsonl }\n`,
  })
  await writeSigningKeys(folder.file('secrets/countersign-signing-keys'), [signing])
  const authz = stack.use(new CountersignProcess('authz', config))
  const signer = stack.use(new CountersignProcess('signer', folder.file('signer.yaml')))
  await Promise.all([authz.start(), signer.start(), defineIstio(cluster)])
  await apply(cluster, [
    ...(await Promise.all([
      secretOf('countersign-edge', callers.ca, pki.edge),
      secretOf('countersign-front-proxy', pki.ca, pki.frontProxy),
      secretOf('countersign-hop-client', pki.ca, await gatewayCertificate(pki)),
      secretOf('countersign-gateway-tls', pki.ca, pki.frontProxy),
      secretOf('kube-apiserver', cluster.server.ca),
    ])),
    serviceAt('countersign-authz.countersign.svc.cluster.local', 9_001, 'GRPC', port),
    serviceAt('api.apps.svc.cluster.local', 8_443, 'HTTPS', api.port),
    serviceAt('reports.apps.svc.cluster.local', 8_080, 'HTTP', reports.port),
  ])
  const { kubeconfig } = cluster
  const istiod = stack.use(await startIstiod({ kubeconfig, mesh: await meshConfig() }))
  const places = await placesOf(folder, cluster)
  const applyFiles = async (...names: readonly string[]): Promise<void> => {
    const lists = await Promise.all(names.map((name) => objectsOf(name, places)))
    await apply(cluster, lists.flat())
  }
  await applyFiles('gateway.yaml', 'authorization-policy.yaml', 'apps.yaml')
  const gateway = stack.use(await startIstioGateway(istiod))
  await gateway.until((text) =>
    [places.https, places.http].every((one) => text.includes(`_${one}"`)),
  )
  const alice = await callers.issue({
    commonName: 'alice',
    organizations: ['dev', 'ops'],
    usage: 'client',
  })
  const audit = folder.file('audit.jsonl')
  const running = stack.move()
  return {
    cluster,
    istiod,
    gateway,
    pki,
    callers,
    alice,
    otherIssuer,
    signing,
    api,
    reports,
    authz,
    signer,
    folder,
    places,
    target: (host, client) => ({
      port: places.https,
      serverName: host,
      ca: pki.ca,
      ...(client === undefined ? {} : { client }),
    }),
    apply: applyFiles,
    remove: async (kind, name) => {
      await succeed(cluster, ['delete', kind, name, '--namespace', NAMESPACE])
    },
    reconfigure: async (change) => {
      const text = change(await readFile(config, 'utf8'))
      await reloaded({ files: { config, audit, users: '' } }, () => replaceFile(config, text))
    },
    decisions: () => decisionsIn(audit),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  }
}

/** The name in the certificate of authz. */
const AUTHZ = 'countersign-authz.countersign.svc'

/** Ports that were free a moment ago: Envoy has to be quick. */
const placesOf = async ({ path }: TemporaryFolder, { server }: Cluster): Promise<Places> => ({
  folder: path,
  https: await freePort(),
  http: await freePort(),
  apiServer: Number(new URL(server.url).port),
})

/** By which the gateway proves itself to the delegation hop. */
const gatewayCertificate = (pki: Pki): Promise<KeyPair> =>
  pki.issue({
    commonName: 'gateway',
    names: ['gateway.istio-ingress.svc'],
    usage: 'client',
  })
