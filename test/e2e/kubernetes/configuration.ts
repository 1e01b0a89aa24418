// The one configuration of the scenario: every way in, on one route for each way out.

import type { KubeApiServer } from '../../servers/kube-apiserver.ts'
import type { OpenLdap } from '../../servers/openldap.ts'
import { SERVICE } from '../../servers/openldap-data.ts'
import type { Authority, Pki } from '../../servers/pki.ts'
import { DIRECTORY, TEAM } from './users.ts'

/** Each way out, and the address of this machine at which its route is. */
export const CREDENTIALS_OUT = {
  'X-Remote-*': '127.0.0.1',
  impersonation: '127.0.0.2',
  'ID token': '127.0.0.3',
  certificate: '127.0.0.4',
} as const

/** One of them. */
export type CredentialOut = keyof typeof CREDENTIALS_OUT

/** The address of the route that goes by the cluster's own OpenAPI document. */
export const DESCRIBED = '127.0.0.5'

/** The address of the route that goes by the same document, and blocks one operation of it. */
export const BLOCKING = '127.0.0.8'

/** Two of them once more, with tokens and certificates that are good for seconds. */
export const BRIEF = [
  ['ID token', '127.0.0.6'],
  ['certificate', '127.0.0.7'],
] as const

/** The host of the route that also takes browsers that are logged in at our issuer. */
export const BROWSERS = 'browsers.example.org'

/** The name that Envoy's certificate is for, at all of them. */
export const HOST = 'kube.example.org'

/** The audience of tokens of both issuers. */
export const RESOURCE = 'https://kube.example.org'

/** The audience of tokens of Countersign's issuer that are valid for {@link BRIEF_SECONDS}. */
export const BRIEF_RESOURCE = 'https://brief.example.org'
export const BRIEF_SECONDS = 40

/** Them, one by one. */
export const OUT = [
  ['X-Remote-*', CREDENTIALS_OUT['X-Remote-*']],
  ['impersonation', CREDENTIALS_OUT.impersonation],
  ['ID token', CREDENTIALS_OUT['ID token']],
  ['certificate', CREDENTIALS_OUT.certificate],
] as const

/** The service account that asks as itself. */
export const BUILDER = { namespace: 'team-a', name: 'builder' } as const

const BUILDER_NAME = `system:serviceaccount:${BUILDER.namespace}:${BUILDER.name}`
const BUILDER_GROUPS = ['system:serviceaccounts', `system:serviceaccounts:${BUILDER.namespace}`]

/** The attribute of a subject in which the API server reads a uid (KEP 5233). */
const UID_ATTRIBUTE = '1.3.6.1.4.1.57683.2'

/** What the configuration speaks of. */
export interface Parts {
  readonly pki: Pki
  /** Whose client certificates count. */
  readonly callers: Authority
  readonly server: KubeApiServer
  readonly ldap: OpenLdap
  /** The issuer of another operator. */
  readonly otherIssuerUrl: string
  readonly port: number
  /** How long minted tokens, access tokens and certificates live. Default: as long as without a word. */
  readonly lifetime?: string | undefined
}

/** Our own issuer, by the port at which Envoy publishes it. */
export const ownIssuer = (port: number): string => `https://localhost:${port}`

const FROM_CLAIMS = {
  groups: 'claims.?groups.orValue([])',
  uid: 'claims.uid',
  extra: { [TEAM]: 'claims.?team.orValue([])' },
} as const

/** The claims of tokens of our own. */
const OWN_CLAIMS = { uid: 'identity.uid', team: `identity.extra[?"${TEAM}"].orValue([])` } as const

const authenticators = ({ pki, callers, server, ldap, otherIssuerUrl, port }: Parts): object => ({
  browsers: { session: {} },
  certificates: {
    certificate: { trust: callers.ca },
    identity: { uid: 'certificate.subject.UID', extra: { [TEAM]: 'certificate.subject.OU' } },
  },
  own: {
    bearer: {
      issuer: ownIssuer(port),
      audiences: [RESOURCE, BRIEF_RESOURCE],
      keys: { ca: pki.ca },
    },
    identity: { user: 'claims.sub', ...FROM_CLAIMS },
  },
  'other-issuer': {
    bearer: { issuer: otherIssuerUrl, audiences: [RESOURCE], keys: { ca: pki.ca } },
    identity: { user: 'claims.preferred_username', ...FROM_CLAIMS },
  },
  accounts: {
    tokenReview: {
      server: server.url,
      ca: server.ca,
      token: 'file:reviewer.token',
      issuers: [server.issuer],
    },
    allowReserved: [BUILDER_NAME, ...BUILDER_GROUPS],
  },
  staff: {
    basic: {
      realm: 'Kubernetes',
      verify: [
        { users: { file: 'users.yaml' } },
        {
          ldap: {
            servers: [`ldaps://127.0.0.1:${ldap.tlsPort}`],
            ca: ldap.authority.ca,
            bind: { dn: SERVICE.dn, password: 'file:ldap.password' },
            search: { base: DIRECTORY.people, filter: '(mail={user})' },
            attributes: { uid: 'employeeNumber', extra: { [TEAM]: 'departmentNumber' } },
            groups: { attribute: {} },
          },
        },
      ],
    },
  },
})

const forward = (lives: object): Readonly<Record<CredentialOut, object>> => ({
  'X-Remote-*': { headers: 'kubernetes' },
  impersonation: { headers: 'impersonation', bearer: { token: 'file:account.token' } },
  'ID token': {
    bearer: {
      mint: {
        ...lives,
        audience: 'kubernetes',
        claims: OWN_CLAIMS,
      },
    },
  },
  certificate: {
    certificate: {
      ...lives,
      ca: 'kube',
      subject: {
        CN: 'identity.user',
        O: 'identity.groups',
        [UID_ATTRIBUTE]: 'identity.uid',
      },
    },
  },
})

/** A namespace in whose pods no user may open a shell. */
export const SEALED = 'sealed'

/** The rules of every route that leaves the rest to RBAC. */
const RBAC_DECIDES = [
  {
    deny: 'no-shells',
    resources: ['pods/exec', 'pods/attach', 'pods/portforward'],
    verbs: ['create'],
    namespaces: [SEALED],
  },
  {
    deny: 'no-secrets',
    resources: ['secrets'],
    verbs: ['get', 'list', 'watch', 'patch', 'delete', 'deletecollection'],
  },
  { allow: 'rbac-decides' },
]

/** The one operation that the described route has, and those by which kubectl finds it. */
const DESCRIBED_RULES = [
  {
    // As docs/how-to/rules.md has it.
    allow: 'discovery',
    methods: ['GET'],
    paths: ['/api', '/api/*', '/apis', '/apis/*', '/apis/*/*', '/openapi/**', '/version'],
  },
  { allow: 'read-config-maps', operations: ['listCoreV1NamespacedConfigMap'] },
]

const BLOCKING_RULES = [
  { deny: 'no-evictions', operations: ['createCoreV1NamespacedPodEviction'] },
  { allow: 'rbac-decides' },
]

const CREDENTIALS_IN = ['certificates', 'own', 'other-issuer', 'accounts', 'staff']

const routeTo = (name: string, address: string, more: object): object => ({
  name,
  match: { hosts: [address] },
  kind: 'kubernetes',
  upstream: name,
  authenticate: CREDENTIALS_IN,
  authorize: RBAC_DECIDES,
  ...more,
})

const nameOf = (way: string): string => way.toLowerCase().replaceAll(/[^a-z]+/g, '')

/** `countersign.yaml`. */
export const configuration = (parts: Parts): object => {
  const { pki, callers, server, port, lifetime } = parts
  const lives = lifetime === undefined ? {} : { lifetime }
  const ways = forward(lives)
  const upstream = { address: new URL(server.url).host, ca: server.ca, serverName: 'kubernetes' }
  const proven = { ...upstream, ...server.frontProxy }
  const upstreams = [
    ...OUT.map(([way]) => [nameOf(way), way === 'X-Remote-*' ? proven : upstream]),
    ...BRIEF.map(([way]) => [`brief${nameOf(way)}`, upstream]),
  ]
  return {
    version: 1,
    listen: { authz: 'unix:authz.sock', issuer: 'unix:issuer.sock' },
    // What `countersign sessions` can see, too.
    state: { sqlite: 'state.db' },
    certificateGrants: { keyring: 'file:grant.keys' },
    issuer: {
      url: ownIssuer(port),
      keys: 'signing-keys',
      // The API server reads the keys again once this has passed, and not before.
      ...(lifetime === undefined ? {} : { maxAge: lifetime }),
      login: { authenticators: ['staff'] },
      clients: {
        'countersign-cli': {
          name: 'Command line',
          grantTypes: ['authorization_code', 'refresh_token'],
          redirectUris: ['http://127.0.0.1/callback'],
          resources: [RESOURCE, BRIEF_RESOURCE],
        },
      },
      resources: {
        [RESOURCE]: { ...lives, claims: OWN_CLAIMS },
        [BRIEF_RESOURCE]: { lifetime: `${BRIEF_SECONDS}s`, claims: OWN_CLAIMS },
      },
    },
    authenticators: authenticators(parts),
    routes: [
      ...OUT.map(([way, address]) => routeTo(nameOf(way), address, { forward: ways[way] })),
      routeTo('described', DESCRIBED, {
        upstream: nameOf('X-Remote-*'),
        openapi: { file: 'openapi.json' },
        authorize: DESCRIBED_RULES,
        forward: ways['X-Remote-*'],
      }),
      routeTo('blocking', BLOCKING, {
        upstream: nameOf('X-Remote-*'),
        openapi: { file: 'openapi.json' },
        authorize: BLOCKING_RULES,
        forward: ways['X-Remote-*'],
      }),
      routeTo('browsers', BROWSERS, {
        upstream: nameOf('X-Remote-*'),
        authenticate: ['browsers', ...CREDENTIALS_IN],
        forward: ways['X-Remote-*'],
      }),
      ...BRIEF.map(([way, address]) =>
        routeTo(`brief${nameOf(way)}`, address, { forward: forward({ lifetime: '10s' })[way] }),
      ),
    ],
    audit: { file: 'audit.jsonl' },
    envoy: {
      // Every address of this machine: a way out has one each.
      listener: { address: `0.0.0.0:${port}`, ...pki.edge, clientCa: callers.ca },
      admin: 'unix:admin.sock',
      signerAddress: 'unix:signer.sock',
      upstreams: Object.fromEntries(upstreams),
    },
  }
}

/** `signer.yaml`. */
export const signerConfiguration = (minting: Authority): object => ({
  version: 1,
  listen: 'unix:signer.sock',
  keyring: 'file:grant.keys',
  authorities: {
    kube: {
      certificate: minting.ca,
      key: `file:${minting.key}`,
      limits: {
        subject: { CN: ['*'], O: ['*'], [UID_ATTRIBUTE]: ['*'] },
        reserved: [BUILDER_NAME, ...BUILDER_GROUPS],
      },
    },
  },
  audit: { file: 'issued.jsonl' },
})

/** The AuthenticationConfiguration of the API server. */
export const structuredAuthentication = (port: number, ca: string): object => ({
  apiVersion: 'apiserver.config.k8s.io/v1',
  kind: 'AuthenticationConfiguration',
  jwt: [
    {
      issuer: { url: ownIssuer(port), audiences: ['kubernetes'], certificateAuthority: ca },
      claimMappings: {
        username: { claim: 'sub', prefix: '' },
        groups: { claim: 'groups', prefix: '' },
        uid: { claim: 'uid' },
        extra: [{ key: TEAM, valueExpression: 'claims.?team.orValue([])' }],
      },
      userValidationRules: [
        {
          expression:
            "!user.username.startsWith('system:') || user.username == '" + BUILDER_NAME + "'",
          message: 'names that begin with "system:" are reserved',
        },
      ],
    },
  ],
})
