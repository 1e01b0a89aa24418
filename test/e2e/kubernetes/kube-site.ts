// Everything at once: a real API server with its etcd and controllers, a real slapd, an issuer of another
// operator, authz and the signer as separate processes, and a real Envoy with the generated bootstrap.

import { readFile, writeFile } from 'node:fs/promises'
import { parseAllDocuments, stringify } from 'yaml'
import { z } from 'zod'
import type { DecisionEvent } from '../../../src/audit/event.ts'
import { ConfigurationFiles } from '../../../src/config/files.ts'
import { readConfig } from '../../../src/configuration/parse.ts'
import { renderBootstrap } from '../../../src/envoy/bootstrap.ts'
import { newGrantKeyLine } from '../../../src/keys/grant-keys.ts'
import type { IssuerKey } from '../../authenticate/bearer/issuing.ts'
import { madeKey } from '../../fakes/signing-keys.ts'
import { http1 } from '../../servers/client.ts'
import { freePort } from '../../servers/ports.ts'
import { skipWithoutEnvoy, startEnvoy, type Envoy } from '../../servers/envoy.ts'
import {
  skipWithoutApiServer,
  startKubeApiServer,
  type KubeApiServer,
} from '../../servers/kube-apiserver.ts'
import { skipWithoutKubectl } from '../../servers/kubectl.ts'
import { skipWithoutSlapd, startOpenLdap } from '../../servers/openldap.ts'
import { SERVICE } from '../../servers/openldap-data.ts'
import { createAuthority, createPki, type Authority, type Pki } from '../../servers/pki.ts'
import { writeSigningKeys } from '../../servers/signing-keys.ts'
import { temporaryFolder, type TemporaryFolder } from '../../servers/temporary.ts'
import { startOtherIssuer } from '../other-issuer.ts'
import { CountersignProcess } from '../process.ts'
import { recipeFile } from '../recipes/running.ts'
import { basic, eventually } from '../site.ts'
import {
  BUILDER,
  configuration,
  HOST,
  signerConfiguration,
  structuredAuthentication,
  CREDENTIALS_OUT,
} from './configuration.ts'
import { directoryEntries, PASSWORD, USERS, usersFile } from './users.ts'
import { decisionsIn } from '../audit-events.ts'

/** Why the scenario cannot be run here, or `false`. */
export const skipWithoutServers = (): string | false =>
  skipWithoutEnvoy() || skipWithoutApiServer() || skipWithoutKubectl() || skipWithoutSlapd()

/** All of it, running. */
export interface KubeSite extends AsyncDisposable {
  readonly server: KubeApiServer
  readonly pki: Pki
  /** Whose client certificates count. */
  readonly callers: Authority
  /** The key of the other operator's issuer, and its URL. */
  readonly otherIssuer: { readonly key: IssuerKey; readonly issuer: string }
  readonly envoy: Envoy
  readonly port: number
  /** All files are in it: countersign.yaml, signer.yaml, and what they name. */
  readonly folder: TemporaryFolder
  readonly authz: CountersignProcess
  readonly signer: CountersignProcess
  /** The CAs of which the API server takes certificates; the signer has the first. */
  readonly minting: readonly [Authority, Authority]
  /** Decisions of authz so far, oldest first. */
  decisions(): Promise<readonly DecisionEvent[]>
}

/** What may differ. */
export interface KubeSiteOptions {
  /** Whether the cluster has its controllers. Default: it has. */
  readonly controllers?: boolean
  /** How long what is minted lives. Default: as the configuration has it without a word. */
  readonly lifetime?: string
}

/** Starts it. */
export const startKubeSite = async ({
  controllers = true,
  lifetime,
}: KubeSiteOptions = {}): Promise<KubeSite> => {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await temporaryFolder())
  const pki = stack.use(await createPki())
  const callers = stack.use(await createAuthority('People CA'))
  const minting = [
    stack.use(await createAuthority('Minting CA')),
    stack.use(await createAuthority('Next minting CA')),
  ] as const
  const port = await freePort()
  const authentication = folder.file('authentication.yaml')
  const edgeCa = await readFile(pki.ca, 'utf8')
  await writeFile(authentication, stringify(structuredAuthentication(port, edgeCa)))
  const [server, ldap, otherIssuer] = await Promise.all([
    startKubeApiServer({
      authentication,
      audit: true,
      clientCas: minting.map(({ ca }) => ca),
      controllers,
    }),
    startOpenLdap(),
    startOtherIssuer(pki),
  ])
  for (const part of [server, ldap, otherIssuer.server]) stack.use(part)
  await Promise.all([ldap.modify(directoryEntries()), makeAccounts(server)])
  const { issuer: otherIssuerUrl } = otherIssuer
  const parts = { pki, callers, server, ldap, otherIssuerUrl, port, lifetime }
  const files = await writeFiles(folder, server, {
    'countersign.yaml': stringify(configuration(parts)),
    'signer.yaml': stringify(signerConfiguration(minting[0])),
  })
  const authz = stack.use(new CountersignProcess('authz', files['countersign.yaml']))
  const signer = stack.use(new CountersignProcess('signer', files['signer.yaml']))
  await Promise.all([authz.start(), signer.start()])
  const { config } = await readConfig(files['countersign.yaml'], new ConfigurationFiles())
  const envoy = stack.use(await startEnvoy({ bootstrap: renderBootstrap(config) }))
  await untilIssuerIsKnown({ port, pki })
  const running = stack.move()
  return {
    server,
    pki,
    callers,
    otherIssuer,
    envoy,
    port,
    folder,
    authz,
    signer,
    minting,
    decisions: () => decisionsIn(folder.file('audit.jsonl')),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  }
}

// It looks for the issuer every ten seconds until it has found it.
const DISCOVERY_LIMIT = 30_000

/** Until the API server has found our issuer, which Envoy publishes. */
const untilIssuerIsKnown = async ({ port, pki }: Pick<KubeSite, 'port' | 'pki'>): Promise<void> => {
  const headers = [basic(USERS.root.name, PASSWORD)]
  const ask = () =>
    http1(
      { port, serverName: HOST, ca: pki.ca },
      { host: CREDENTIALS_OUT['ID token'], path: '/version', headers },
    )
  await eventually(ask, ({ status }) => status === 200, DISCOVERY_LIMIT)
}

/** The configurations, and what they name. */
const writeFiles = async <Name extends string>(
  folder: TemporaryFolder,
  server: KubeApiServer,
  configurations: Readonly<Record<Name, string>>,
): Promise<Readonly<Record<Name, string>>> => {
  const key = await madeKey('ES256')
  await writeSigningKeys(folder.file('signing-keys'), [key])
  const texts = {
    ...configurations,
    'users.yaml': await usersFile(),
    'grant.keys': `${newGrantKeyLine()}\n`,
    'ldap.password': SERVICE.password,
    'account.token': await server.tokenOf('kube-system', 'countersign'),
    'reviewer.token': await server.tokenOf('kube-system', 'reviewer'),
    'openapi.json': JSON.stringify(await server.call({ method: 'GET', path: '/openapi/v2' })),
  }
  for (const [name, text] of Object.entries(texts)) {
    await writeFile(folder.file(name), text, { mode: 0o600 })
  }
  const paths = Object.keys(configurations).map((name) => [name, folder.file(name)])
  return Object.fromEntries(paths)
}

const RBAC_GROUP = 'rbac.authorization.k8s.io'
const RBAC = `/apis/${RBAC_GROUP}/v1`
/** The role of Countersign's account for one service account. */
const OURS = 'countersign-for-builder'

const PATHS: Readonly<Record<string, string>> = {
  ServiceAccount: '/api/v1/namespaces/kube-system/serviceaccounts',
  ClusterRole: `${RBAC}/clusterroles`,
  ClusterRoleBinding: `${RBAC}/clusterrolebindings`,
}

const objectSchema = z.looseObject({ kind: z.string() })

/** The account of Countersign, service accounts, and their permissions. */
const makeAccounts = async (server: KubeApiServer): Promise<void> => {
  const create = (path: string, body: object): Promise<unknown> =>
    server.call({ method: 'POST', path, body })
  const { namespace, name } = BUILDER
  await create('/api/v1/namespaces', { metadata: { name: namespace } })
  await server.createServiceAccount(namespace, name)
  await server.createServiceAccount('kube-system', 'reviewer')
  await create(PATHS['ClusterRoleBinding'] ?? '', {
    metadata: { name: 'reviewer' },
    roleRef: {
      apiGroup: RBAC_GROUP,
      kind: 'ClusterRole',
      name: 'system:auth-delegator',
    },
    subjects: [{ kind: 'ServiceAccount', name: 'reviewer', namespace: 'kube-system' }],
  })
  for (const document of parseAllDocuments(await recipeFile('impersonation.kube.yaml'))) {
    const object = objectSchema.parse(document.toJS())
    await create(PATHS[object.kind] ?? '', object)
  }
  // Service accounts are not users to RBAC: impersonating one needs a rule about accounts.
  const rules = [
    {
      apiGroups: [''],
      resources: ['serviceaccounts'],
      verbs: ['impersonate'],
      resourceNames: [name],
    },
  ]
  await create(`${RBAC}/namespaces/${namespace}/roles`, { metadata: { name: OURS }, rules })
  await create(`${RBAC}/namespaces/${namespace}/rolebindings`, {
    metadata: { name: OURS },
    roleRef: { apiGroup: RBAC_GROUP, kind: 'Role', name: OURS },
    subjects: [{ kind: 'ServiceAccount', name: 'countersign', namespace: 'kube-system' }],
  })
}
