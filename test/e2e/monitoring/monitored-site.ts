// A site that has a bit of everything that the dashboards show: authz with logins and a store, a signer, a real Envoy, and the
// servers that they call, of which some are down.

import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { stringify } from 'yaml'
import { formatAddress } from '../../../src/config/values.ts'
import { newGrantKeyLines } from '../../../src/keys/grant-keys.ts'
import { startMetricsExporter } from '../../../src/tools/metrics-exporter.ts'
import { cheapHash } from '../../fakes/hashes.ts'
import { memoryLogger } from '../../fakes/logger.ts'
import { FAKE_SECRET } from '../../fakes/radius-server.ts'
import { writeSigningKeys } from '../../fakes/signing-key-files.ts'
import { madeKey } from '../../fakes/signing-keys.ts'
import { SECRET } from '../../issuer/authorization-server.ts'
import { startCertificateUpstream } from '../../servers/certificate-upstream.ts'
import type { Target } from '../../servers/client.ts'
import { startEnvoy } from '../../servers/envoy.ts'
import { createAuthority, type Authority } from '../../servers/pki.ts'
import { freePort } from '../../servers/ports.ts'
import type { ScrapeTarget } from '../../servers/prometheus.ts'
import { startUpstream } from '../../servers/upstream.ts'
import { temporaryFolder, type TemporaryFolder } from '../../servers/temporary.ts'
import { CountersignProcess } from '../process.ts'
import { bootstrapOf } from '../site.ts'
import { startCalledServers, type CalledServers } from './called-servers.ts'
import { siteConfiguration } from './site-configuration.ts'

/** The password of every user of the users file. */
export const PASSWORD = 'open sesame'

const DAY_MS = 86_400_000

/** A running site. */
export interface MonitoredSite extends AsyncDisposable {
  readonly folder: TemporaryFolder
  /** The public listener of Envoy. */
  readonly target: Target
  readonly servers: CalledServers
  /** Names in place of addresses of this machine, for pictures. */
  readonly names: Readonly<Record<string, string>>
  /** What Prometheus reads. */
  readonly targets: readonly ScrapeTarget[]
  /** Writes the users file: names and groups. */
  writeUsers(users: Readonly<Record<string, readonly string[]>>): Promise<void>
}

/** Starts it. */
export const startMonitoredSite = async (): Promise<MonitoredSite> => {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await temporaryFolder())
  const servers = await startCalledServers(stack, folder)
  const minting = stack.use(await createAuthority('Minting CA'))
  const { pki } = servers
  const [application, cluster] = await Promise.all([
    startUpstream({ identity: pki.upstream, clientCa: pki.ca }),
    startCertificateUpstream({
      identity: pki.upstream,
      clientCas: await readFile(minting.ca, 'utf8'),
    }),
  ])
  for (const upstream of [application, cluster]) stack.use(upstream)
  const hash = await cheapHash(PASSWORD)
  const writeUsers: MonitoredSite['writeUsers'] = async (users) => {
    const entries = Object.entries(users).map(([name, groups]) => [
      name,
      { password: hash, groups },
    ])
    await writeFile(folder.file('users.yaml'), stringify({ users: Object.fromEntries(entries) }))
  }
  await writeUsers({ alice: ['dev'], carol: [], mallory: [] })
  await writeSecrets(folder)
  const admin = await freePort()
  const config = folder.file('countersign.yaml')
  const ports = { admin, application: application.port, cluster: cluster.port }
  await writeFile(config, stringify(siteConfiguration(servers, ports)))
  await writeFile(folder.file('signer.yaml'), stringify(signerConfiguration(minting)))
  const authz = stack.use(new CountersignProcess('authz', config))
  const signer = stack.use(new CountersignProcess('signer', folder.file('signer.yaml')))
  await Promise.all([authz.start(), signer.start()])
  const envoy = stack.use(
    await startEnvoy({ bootstrap: await bootstrapOf(config), concurrency: 1 }),
  )
  const target = { port: await envoy.port(), serverName: 'app.example.org', ca: pki.ca }
  const targets = await targetsOf(stack, folder, admin)
  const running = stack.move()
  return {
    folder,
    target,
    servers,
    names: namesOf(servers, folder, targets),
    targets,
    writeUsers,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  }
}

const writeSecrets = async (folder: TemporaryFolder): Promise<void> => {
  const secrets = {
    'grant.keys': newGrantKeyLines(Date.now()).join('\n'),
    'client.secret': SECRET,
    'radius.secret': FAKE_SECRET,
  }
  for (const [name, text] of Object.entries(secrets)) {
    await writeFile(folder.file(name), `${text}\n`, { mode: 0o600 })
  }
  await mkdir(folder.file('keys'))
  // One that signs for 20 days, and the next one, made today.
  const now = Date.now()
  const signing = await madeKey('ES256', now - 20 * DAY_MS)
  const next = await madeKey('ES256', now + 7 * DAY_MS)
  const created = new Date(now).toISOString()
  const keys = [signing, { ...next, entry: { ...next.entry, created } }]
  await writeSigningKeys(folder.file('keys'), keys)
}

const signerConfiguration = (minting: Authority) => ({
  version: 1,
  listen: 'unix:signer.sock',
  admin: 'unix:signer-admin.sock',
  keyring: 'file:grant.keys',
  authorities: {
    kube: {
      certificate: minting.ca,
      key: `file:${minting.key}`,
      keys: 'rsa2048', // of this kind, some are generated in advance
      limits: { rate: { perSecond: 50, burst: 100 } },
    },
  },
  audit: { file: 'issued.jsonl' },
  log: { level: 'error' },
})

const namesOf = (
  servers: CalledServers,
  folder: TemporaryFolder,
  targets: readonly ScrapeTarget[],
): Readonly<Record<string, string>> => ({
  [`127.0.0.1:${servers.ldap.tlsPort}`]: 'ldap.example.org',
  [`127.0.0.1:${servers.radiusPort}`]: 'radius.example.org',
  [`ldaps://127.0.0.1:${servers.nowhere}`]: 'ldaps://old-ldap.example.org',
  [`https://127.0.0.1:${servers.nowhere}`]: 'https://partners.example.com',
  [`http://127.0.0.1:${servers.nowhere}`]: 'https://partners.example.net',
  [servers.provider.issuer]: 'https://login.example.com',
  [servers.introspection]: 'https://login.example.net/introspect',
  [servers.tokenEndpoint]: 'https://login.example.net/token',
  [folder.path]: '/etc/countersign',
  [servers.pki.folder]: '/etc/countersign',
  [dirname(servers.clientCa)]: '/etc/countersign',
  [dirname(servers.ldap.authority.ca)]: '/etc/countersign',
  ...Object.fromEntries(
    targets.map(({ target, labels }) => [
      target,
      labels?.['pod'] === 'authz-0' ? '10.0.0.7:9090' : '10.0.0.8:9091',
    ]),
  ),
})

/** The labels are those that a PodMonitor gives. */
const targetsOf = async (
  stack: AsyncDisposableStack,
  folder: TemporaryFolder,
  admin: number,
): Promise<readonly ScrapeTarget[]> => {
  const exporter = stack.use(
    await startMetricsExporter({
      address: { kind: 'tcp', host: '127.0.0.1', port: 0 },
      signer: folder.file('signer-admin.sock'),
      envoy: folder.file('envoy.sock'),
      logger: memoryLogger().logger,
    }),
  )
  const edge = formatAddress(exporter.address)
  const labels = (pod: string) => ({ namespace: 'edge', pod })
  return [
    {
      job: 'countersign-authz',
      target: `127.0.0.1:${admin}`,
      path: '/metrics',
      labels: labels('authz-0'),
    },
    { job: 'countersign-signer', target: edge, path: '/metrics', labels: labels('envoy-0') },
    {
      job: 'countersign-envoy',
      target: edge,
      path: '/stats/prometheus',
      labels: labels('envoy-0'),
    },
  ]
}
