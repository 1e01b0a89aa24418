// A real API server with an audit log, reached in each way that there is: identity headers,
// impersonation, tokens of our own and certificates of the signer, a host for each.

import { readFile, writeFile } from 'node:fs/promises'
import { stringify } from 'yaml'
import type { AuditEvent, DecisionEvent } from '../../../src/audit/event.ts'
import { ConfigurationFiles } from '../../../src/config/files.ts'
import { readConfig } from '../../../src/configuration/parse.ts'
import { renderBootstrap } from '../../../src/envoy/bootstrap.ts'
import { newGrantKeyLine } from '../../../src/keys/grant-keys.ts'
import { madeKey } from '../../fakes/signing-keys.ts'
import { http1, type Target } from '../../servers/client.ts'
import { freePort } from '../../servers/ports.ts'
import { startEnvoy } from '../../servers/envoy.ts'
import { startKubeApiServer, type KubeApiServer } from '../../servers/kube-apiserver.ts'
import { createAuthority, createPki, type Authority, type Pki } from '../../servers/pki.ts'
import { writeSigningKeys } from '../../servers/signing-keys.ts'
import { temporaryFolder, type TemporaryFolder } from '../../servers/temporary.ts'
import { CountersignProcess } from '../process.ts'
import { ALICE, eventually, usersFile } from '../site.ts'
import { auditEventsIn } from '../audit-events.ts'

/** The hosts, and what the API server gets on each. */
export const WAYS = {
  headers: 'headers.example.org',
  impersonation: 'impersonation.example.org',
  token: 'token.example.org',
  certificate: 'certificate.example.org',
} as const

/** A running site. */
export interface TracedSite extends AsyncDisposable {
  readonly server: KubeApiServer
  readonly pki: Pki
  /** The public listener, for a host. */
  target(host: string): Target
  /** The logs of authz and of the signer. */
  readonly logs: { readonly audit: string; readonly issuance: string }
  /** The token of the account that impersonates. */
  readonly accountToken: string
  /** The last decision. */
  lastDecision(): Promise<DecisionEvent>
  /** What the signer has issued, oldest first. */
  issuances(): Promise<readonly AuditEvent[]>
}

/** Starts it all. */
export const startTracedSite = async (): Promise<TracedSite> => {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await temporaryFolder())
  const pki = stack.use(await createPki())
  const minting = stack.use(await createAuthority('Minting CA'))
  const port = await freePort()
  const issuer = `https://localhost:${port}`
  const authentication = folder.file('authentication.json')
  await writeFile(authentication, JSON.stringify(await trusting(issuer, pki)))
  const server = stack.use(
    await startKubeApiServer({ authentication, audit: true, clientCas: [minting.ca] }),
  )
  const accountToken = await writeFiles(folder, server)
  const file = folder.file('countersign.yaml')
  await writeFile(file, stringify(configuration(issuer, port, pki, server)))
  await writeFile(folder.file('signer.yaml'), stringify(signerConfiguration(minting)))
  const authz = stack.use(new CountersignProcess('authz', file))
  const signer = stack.use(new CountersignProcess('signer', folder.file('signer.yaml')))
  await Promise.all([authz.start(), signer.start()])
  const { config } = await readConfig(file, new ConfigurationFiles())
  const envoy = stack.use(await startEnvoy({ bootstrap: renderBootstrap(config) }))
  await envoy.port()
  const logs = { audit: folder.file('audit.jsonl'), issuance: folder.file('issued.jsonl') }
  const owned = stack.move()
  return {
    server,
    pki,
    target: (serverName) => ({ port, serverName, ca: pki.ca }),
    logs,
    accountToken,
    async lastDecision() {
      const decisions = (await auditEventsIn(logs.audit)).filter(
        ({ event }) => event === 'decision',
      )
      const last = decisions.at(-1)
      if (last?.event !== 'decision') throw new Error('no decision yet')
      return last
    },
    issuances: () => auditEventsIn(logs.issuance),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

/** The token of the account. */
const writeFiles = async (folder: TemporaryFolder, server: KubeApiServer): Promise<string> => {
  await server.createServiceAccount('kube-system', 'countersign')
  // The account may impersonate any user, which is not what is tested here.
  await server.call({
    method: 'POST',
    path: '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings',
    body: {
      metadata: { name: 'countersign' },
      roleRef: {
        apiGroup: 'rbac.authorization.k8s.io',
        kind: 'ClusterRole',
        name: 'cluster-admin',
      },
      subjects: [{ kind: 'ServiceAccount', name: 'countersign', namespace: 'kube-system' }],
    },
  })
  const token = await server.tokenOf('kube-system', 'countersign')
  await writeFile(folder.file('account.token'), token, { mode: 0o600 })
  await writeFile(folder.file('grant.keys'), `${newGrantKeyLine()}\n`, { mode: 0o600 })
  await writeFile(folder.file('users.yaml'), await usersFile())
  await writeSigningKeys(folder.file('signing-keys'), [await madeKey('ES256')])
  return token
}

const trusting = async (url: string, pki: Pki): Promise<object> => ({
  apiVersion: 'apiserver.config.k8s.io/v1',
  kind: 'AuthenticationConfiguration',
  jwt: [
    {
      issuer: {
        url,
        audiences: ['kubernetes'],
        certificateAuthority: await readFile(pki.ca, 'utf8'),
      },
      claimMappings: {
        username: { claim: 'sub', prefix: '' },
        groups: { claim: 'groups', prefix: '' },
      },
    },
  ],
})

const configuration = (url: string, port: number, pki: Pki, server: KubeApiServer): object => {
  const upstream = {
    address: new URL(server.url).host,
    ca: server.ca,
    serverName: 'kubernetes',
  }
  const route = (name: keyof typeof WAYS, forward: object): object => ({
    name,
    // kubectl, which sends no host of its own, to be given a token.
    match: { hosts: [WAYS[name], ...(name === 'token' ? ['127.0.0.1'] : [])] },
    kind: 'kubernetes',
    authenticate: ['staff'],
    authorize: [{ deny: 'no-secrets', resources: ['secrets'] }, { allow: 'rbac-decides' }],
    forward,
  })
  return {
    version: 1,
    listen: { authz: 'unix:authz.sock', issuer: 'unix:issuer.sock' },
    issuer: { url, keys: 'signing-keys' },
    certificateGrants: { keyring: 'file:grant.keys' },
    authenticators: { staff: { basic: { verify: [{ users: { file: 'users.yaml' } }] } } },
    routes: [
      route('headers', { headers: 'kubernetes' }),
      route('impersonation', { headers: 'impersonation', bearer: { token: 'file:account.token' } }),
      route('token', { bearer: { mint: { audience: 'kubernetes' } } }),
      route('certificate', {
        certificate: { ca: 'kube', subject: { CN: 'identity.user', O: 'identity.groups' } },
      }),
    ],
    audit: { file: 'audit.jsonl' },
    envoy: {
      listener: { address: `127.0.0.1:${port}`, ...pki.edge },
      admin: 'unix:admin.sock',
      signerAddress: 'unix:signer.sock',
      upstreams: {
        headers: { ...upstream, ...server.frontProxy },
        impersonation: upstream,
        token: upstream,
        certificate: upstream,
      },
    },
  }
}

const signerConfiguration = (minting: Authority): object => ({
  version: 1,
  listen: 'unix:signer.sock',
  keyring: 'file:grant.keys',
  authorities: { kube: { certificate: minting.ca, key: `file:${minting.key}` } },
  audit: { file: 'issued.jsonl' },
})

// The API server looks for the issuer every ten seconds until it has found it.
const DISCOVERY_LIMIT = 30_000

/** Waits until the API server has found the issuer of tokens, and accepts them. */
export const untilIssuerFound = async (site: TracedSite): Promise<void> => {
  await eventually(
    () =>
      http1(site.target(WAYS.token), { path: '/api/v1/namespaces/default/pods', headers: [ALICE] }),
    ({ status }) => status !== 401,
    DISCOVERY_LIMIT,
  )
}
