// A real Kubernetes API server with its etcd, on free ports, with data and certificates in a
// temporary folder; with kube-controller-manager where a test asks for it.

import { generateKeyPairSync } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { text } from 'node:stream/consumers'
import { z } from 'zod'
import { Daemon } from './daemon.ts'
import { freePort } from './ports.ts'
import { startKubeControllerManager } from './kube-controller-manager.ts'
import {
  API_SERVER,
  ETCD,
  KUBE_CONTROLLER_MANAGER,
  KUBERNETES_FOLDER,
} from './kubernetes-programs.ts'
import { createAuthority, type KeyPair } from './pki.ts'
import { temporaryFolder, type TemporaryFolder } from './temporary.ts'

const MISSING = `no Kubernetes API server in ${KUBERNETES_FOLDER}: "sh scripts/kubernetes.sh" builds it`

/**
 * For `skip` of node:test: the reason to skip tests that need an API server, or `false` where there
 * is one. Throws where `CI` is `true`: there a missing server is a fault and not a reason.
 */
export const skipWithoutApiServer = (): string | false => {
  if ([API_SERVER, ETCD, KUBE_CONTROLLER_MANAGER].every((file) => existsSync(file))) return false
  if (process.env['CI'] === 'true') throw new Error(MISSING)
  return MISSING
}

/** What to do at the API. */
interface ApiCall {
  /** With `PATCH`, the body is a merge patch. */
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly path: string
  readonly body?: unknown
}

/** A running API server. */
export interface KubeApiServer extends AsyncDisposable {
  /** `https://127.0.0.1:PORT`. */
  readonly url: string
  readonly ca: string
  /** Of `system:masters`. */
  readonly administrator: KeyPair
  /** Proves a proxy that names users in headers (`--requestheader-*`). */
  readonly frontProxy: KeyPair
  /** By what it knows a kubelet of this machine; it shows the administrator's to one. */
  readonly kubelet: KeyPair
  /** The `iss` of its tokens, and, where none is requested, their audience. */
  readonly issuer: string
  /** Does something as the administrator; throws unless the answer is a success. */
  call(call: ApiCall): Promise<unknown>
  /** Makes a service account. */
  createServiceAccount(namespace: string, name: string): Promise<void>
  /** A token of a service account, by the TokenRequest API. */
  tokenOf(
    namespace: string,
    name: string,
    options?: { readonly audiences?: readonly string[]; readonly seconds?: number },
  ): Promise<string>
  start(): Promise<void>
  /** Ends the API server at once, without a word to its clients; etcd still runs. */
  kill(): Promise<void>
  /** Suspends it, and resumes it: its port stays open and nothing answers. */
  pause(): void
  resume(): void
  /** Its audit log, oldest first; empty unless it keeps one. */
  audited(): Promise<readonly AuditedRequest[]>
  /** The file that it writes it to. */
  readonly auditLog: string
}

/** A line of its audit log (audit.k8s.io/v1, Event), as far as tests look at it. */
type AuditedRequest = z.output<typeof auditedSchema>

const auditedUserSchema = z.object({
  username: z.string().default(''),
  uid: z.string().default(''),
  groups: z.array(z.string()).default([]),
  extra: z.record(z.string(), z.array(z.string())).default({}),
})

const auditedSchema = z.object({
  auditID: z.string(),
  verb: z.string(),
  requestURI: z.string(),
  user: auditedUserSchema,
  /** The impersonated user. */
  impersonatedUser: auditedUserSchema.optional(),
})

const CALL_LIMIT = 10_000
const ISSUER = 'https://kubernetes.default.svc'
// The shortest that the API server gives (TokenRequestSpec.expirationSeconds).
const SHORTEST_TOKEN = 600

/** Settings of an API server. */
export interface KubeApiServerOptions {
  /** An AuthenticationConfiguration, a file: whose tokens it takes in addition to its own. */
  readonly authentication?: string
  /** Whether it keeps an audit log. */
  readonly audit?: boolean
  /** Further CAs of client certificates, PEM files. */
  readonly clientCas?: readonly string[]
  /**
   * Whether kube-controller-manager runs with it: then deployments have pods, namespaces end when they are
   * deleted, and each has the service account that pods are given.
   */
  readonly controllers?: boolean
}

/** Starts etcd and an API server. */
export const startKubeApiServer = async ({
  authentication,
  audit = false,
  clientCas = [],
  controllers = false,
}: KubeApiServerOptions = {}): Promise<KubeApiServer> => {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await temporaryFolder())
  const authority = stack.use(await createAuthority('Countersign Kubernetes test CA'))
  const names = ['localhost', 'kubernetes', '127.0.0.1']
  const identity = await authority.issue({ commonName: 'kube-apiserver', names, usage: 'server' })
  const administrator = await authority.issue({
    commonName: 'admin',
    organizations: ['system:masters'],
    usage: 'client',
  })
  const frontProxy = await authority.issue({ commonName: 'front-proxy', usage: 'client' })
  const kubelet = await authority.issue({ commonName: 'kubelet', names, usage: 'server' })
  const log = folder.file('audit.jsonl')
  const trusted = folder.file('client-cas.pem')
  const authorities = [authority.ca, ...clientCas].map((file) => readFile(file, 'utf8'))
  await writeFile(trusted, (await Promise.all(authorities)).join('\n'))
  const accounts = await serviceAccountKeys(folder)
  const [port, etcd] = [await freePort(), await startEtcd(folder, stack)]
  const url = `https://127.0.0.1:${port}`
  const tls = {
    ca: await readFile(authority.ca),
    cert: await readFile(administrator.certificate),
    key: await readFile(administrator.key),
  }
  const call = async ({ method, path, body }: ApiCall): Promise<unknown> => {
    const { promise, resolve: answered, reject } = Promise.withResolvers<IncomingMessage>()
    const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json'
    const headers = { 'content-type': type }
    const options = { method, headers, agent: false, timeout: CALL_LIMIT, ...tls }
    httpsRequest(new URL(path, url), options, answered)
      .on('error', reject)
      .on('timeout', () => reject(new Error(`${path} is not answered`)))
      .end(body === undefined ? undefined : JSON.stringify(body))
    const response = await promise
    const answer = await text(response)
    if ((response.statusCode ?? 0) >= 300) throw new Error(`${path} answered ${answer}`)
    return answer.startsWith('{') ? JSON.parse(answer) : answer
  }
  const server = stack.use(
    new Daemon({
      command: API_SERVER,
      args: [
        `--etcd-servers=${etcd}`,
        '--bind-address=127.0.0.1',
        `--secure-port=${port}`,
        '--advertise-address=127.0.0.1',
        '--endpoint-reconciler-type=none',
        `--tls-cert-file=${identity.certificate}`,
        `--tls-private-key-file=${identity.key}`,
        `--client-ca-file=${trusted}`,
        `--requestheader-client-ca-file=${authority.ca}`,
        '--requestheader-allowed-names=front-proxy',
        '--requestheader-username-headers=X-Remote-User',
        '--requestheader-uid-headers=X-Remote-Uid',
        '--requestheader-group-headers=X-Remote-Group',
        '--requestheader-extra-headers-prefix=X-Remote-Extra-',
        `--kubelet-certificate-authority=${authority.ca}`,
        `--kubelet-client-certificate=${administrator.certificate}`,
        `--kubelet-client-key=${administrator.key}`,
        '--kubelet-preferred-address-types=InternalIP',
        '--authorization-mode=RBAC',
        '--service-cluster-ip-range=10.96.0.0/16',
        // Without its controller no namespace has a service account by itself.
        ...(controllers ? [] : ['--disable-admission-plugins=ServiceAccount']),
        `--service-account-issuer=${ISSUER}`,
        `--service-account-key-file=${accounts.verifying}`,
        `--service-account-signing-key-file=${accounts.signing}`,
        ...(authentication === undefined ? [] : [`--authentication-config=${authentication}`]),
        ...(audit ? await auditTo(log, folder) : []),
      ],
      probe: async () => {
        await call({ method: 'GET', path: '/readyz' })
      },
    }),
  )
  await server.start()
  if (controllers) {
    const to = { url, ca: authority.ca, administrator, accountsKey: accounts.signing, call }
    stack.use(await startKubeControllerManager(to, folder))
  }
  const owned = stack.move()
  return {
    url,
    ca: authority.ca,
    administrator,
    frontProxy,
    kubelet,
    issuer: ISSUER,
    call,
    async createServiceAccount(namespace, name) {
      const path = `/api/v1/namespaces/${namespace}/serviceaccounts`
      await call({ method: 'POST', path, body: { metadata: { name } } })
    },
    async tokenOf(namespace, name, { audiences, seconds = SHORTEST_TOKEN } = {}) {
      const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`
      const spec = { audiences, expirationSeconds: seconds }
      return tokenSchema.parse(await call({ method: 'POST', path, body: { spec } })).status.token
    },
    start: () => server.start(),
    kill: () => server.kill(),
    pause: () => server.signal('SIGSTOP'),
    resume: () => server.signal('SIGCONT'),
    async audited() {
      const lines = audit ? (await readFile(log, 'utf8')).trimEnd().split('\n') : []
      return lines.map((line) => auditedSchema.parse(JSON.parse(line)))
    },
    auditLog: log,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

const tokenSchema = z.object({ status: z.object({ token: z.string() }) })

/** Its URL. */
const startEtcd = async (folder: TemporaryFolder, stack: AsyncDisposableStack): Promise<string> => {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const peer = 'http://127.0.0.1:1' // no server ever listens there
  const daemon = stack.use(
    new Daemon({
      command: ETCD,
      args: [
        '--name=etcd',
        `--data-dir=${folder.file('etcd')}`,
        `--listen-client-urls=${url}`,
        `--advertise-client-urls=${url}`,
        '--listen-peer-urls=http://127.0.0.1:0',
        `--initial-advertise-peer-urls=${peer}`,
        `--initial-cluster=etcd=${peer}`,
        '--unsafe-no-fsync',
      ],
      probe: async () => {
        const answer = await fetch(`${url}/health`, { signal: AbortSignal.timeout(CALL_LIMIT) })
        if (!(await answer.text()).includes('true')) throw new Error('not healthy yet')
      },
    }),
  )
  await daemon.start()
  return url
}

/** Everything, without bodies, once it is answered. */
const auditTo = async (log: string, folder: TemporaryFolder): Promise<readonly string[]> => {
  const policy = folder.file('audit-policy.json')
  await writeFile(
    policy,
    JSON.stringify({
      apiVersion: 'audit.k8s.io/v1',
      kind: 'Policy',
      omitStages: ['RequestReceived'],
      rules: [{ level: 'Metadata' }],
    }),
  )
  return [`--audit-policy-file=${policy}`, `--audit-log-path=${log}`]
}

/** The keys that service accounts' tokens are signed and verified with. */
const serviceAccountKeys = async (
  folder: TemporaryFolder,
): Promise<{ readonly signing: string; readonly verifying: string }> => {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 2_048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  })
  const [signing, verifying] = [folder.file('accounts.key'), folder.file('accounts.pub')]
  await writeFile(signing, privateKey, { mode: 0o600 })
  await writeFile(verifying, publicKey)
  return { signing, verifying }
}
