// countersign.yaml of the monitored site: each kind of dependency, a route for each, and some that do not answer.

import { FAKE_CLIENT } from '../../fakes/openid-provider.ts'
import { CALLBACK, ISSUER } from '../../issuer/authorization-server.ts'
import { GROUPS, PEOPLE, SERVICE } from '../../servers/openldap-data.ts'
import type { CalledServers } from './called-servers.ts'

/** The hosts of the routes. */
export const HOSTS = {
  app: 'app.example.org',
  api: 'api.example.org',
  kubernetes: 'kube.example.org',
  /** It forwards a token of a token endpoint. */
  service: 'service.example.org',
  /** A certificate of a CA that the signer does not have. */
  misconfigured: 'other-kube.example.org',
  /** Its directory is down. */
  legacy: 'legacy.example.org',
  /** Its issuer is down. */
  partners: 'partners.example.org',
} as const

/** The ports of what listens. */
export interface Ports {
  readonly admin: number
  /** An application, and one that asks for the certificate of the user. */
  readonly application: number
  readonly cluster: number
}

/** The whole document. */
export const siteConfiguration = (servers: CalledServers, ports: Ports): object => ({
  version: 1,
  listen: {
    authz: 'unix:authz.sock',
    issuer: 'unix:issuer.sock',
    admin: `127.0.0.1:${ports.admin}`,
  },
  state: { sqlite: 'state.db' },
  certificateGrants: { keyring: 'file:grant.keys' },
  authenticators: authenticators(servers),
  routes: routes(servers),
  issuer: issuer(servers),
  audit: {
    file: 'audit.jsonl',
    rotate: { size: 67_108_864 },
    sinks: { siem: { http: { url: `${servers.application}/audit` } } },
  },
  tracing: { otlp: { endpoint: servers.collector, protocol: 'http/protobuf' }, sampling: 1 },
  log: { level: 'error' },
  envoy: envoy(servers, ports),
})

const authenticators = (servers: CalledServers) => ({
  staff: {
    basic: {
      realm: 'Example',
      verify: [
        { users: { file: 'users.yaml' } },
        { ldap: directory(servers) },
        {
          radius: {
            servers: [{ host: `127.0.0.1:${servers.radiusPort}`, secret: 'file:radius.secret' }],
          },
        },
      ],
      cacheTtl: '2s',
      bruteForceProtection: {
        user: { attempts: 5, lockAfter: 8 },
        // All callers here have one address.
        source: { attempts: 5_000, lockAfter: 10_000 },
      },
    },
  },
  legacy: {
    basic: {
      verify: [
        { ldap: { ...directory(servers), servers: [`ldaps://127.0.0.1:${servers.nowhere}`] } },
      ],
    },
  },
  tokens: {
    bearer: { issuer: servers.provider.issuer, audiences: [FAKE_CLIENT.id], cacheTtl: '2s' },
    identity: { user: 'claims.sub' },
  },
  partners: {
    bearer: {
      issuer: 'https://partners.example.net',
      audiences: ['edge'],
      keys: { url: `http://127.0.0.1:${servers.nowhere}/keys`, coolDown: '1s' },
    },
  },
  'partners-opaque': {
    introspection: {
      issuer: 'https://partners.example.com',
      endpoint: `https://127.0.0.1:${servers.nowhere}/introspect`,
      client: { id: 'countersign', secret: 'file:client.secret' },
      audiences: ['edge'],
      failureThreshold: 2,
      coolDown: '10s',
    },
  },
  opaque: {
    introspection: {
      issuer: 'https://login.example.net',
      endpoint: servers.introspection,
      ca: servers.pki.ca,
      client: { id: 'countersign', secret: 'file:client.secret' },
      audiences: ['countersign'],
      cacheTtl: '1s',
    },
    identity: { user: 'claims.sub' },
  },
  machines: {
    certificate: { trust: servers.clientCa, revocation: { crl: { files: [servers.crl] } } },
    identity: { user: 'certificate.subject.CN' },
  },
  browser: { session: { cacheTtl: '0s' } },
})

const directory = ({ ldap }: CalledServers) => ({
  servers: [`ldaps://127.0.0.1:${ldap.tlsPort}`],
  ca: ldap.authority.ca,
  bind: { dn: SERVICE.dn, password: 'file:ldap.password' },
  search: { base: PEOPLE },
  groups: { search: { base: GROUPS } },
  coolDown: '2s',
})

const routes = (servers: CalledServers) => {
  const route = (name: keyof typeof HOSTS, authenticate: readonly string[], more: object = {}) => ({
    name,
    match: { hosts: [HOSTS[name]] },
    upstream: 'application',
    authenticate,
    authorize: [
      { deny: 'no-deletions', shadow: true, methods: ['DELETE'] },
      { deny: 'no-secrets', paths: ['/secrets/**'] },
      { allow: 'everything-else' },
    ],
    forward: { headers: 'kubernetes' },
    ...more,
  })
  const certificate = (ca: string) => ({
    upstream: 'cluster',
    forward: { certificate: { ca, subject: { CN: 'identity.user' } } },
  })
  const clientCredentials = {
    issuer: 'https://login.example.net',
    endpoint: servers.tokenEndpoint,
    ca: servers.pki.ca,
    client: { id: 'countersign', secret: 'file:client.secret' },
    cacheTtl: '1s',
  }
  return [
    route('app', ['browser', 'staff'], {
      forward: { headers: 'kubernetes', bearer: { mint: { audience: 'app' } } },
    }),
    route('api', ['tokens', 'opaque', 'staff']),
    route('kubernetes', ['machines', 'staff'], certificate('kube')),
    route('misconfigured', ['staff'], certificate('unknown')),
    route('service', ['staff'], { forward: { bearer: { clientCredentials } } }),
    route('legacy', ['legacy']),
    route('partners', ['partners', 'partners-opaque']),
  ]
}

const issuer = ({ application }: CalledServers) => ({
  url: ISSUER,
  keys: 'keys',
  login: { authenticators: ['staff'], recheck: '1s' },
  clients: {
    spa: { redirectUris: [CALLBACK], backchannelLogout: `${application}/logout` },
    cli: { grantTypes: ['device_code'] },
    robot: {
      secret: 'file:client.secret',
      grantTypes: ['client_credentials'],
      resources: ['https://api.example.org'],
    },
  },
  resources: { 'https://api.example.org': {} },
})

const envoy = ({ pki, clientCa }: CalledServers, ports: Ports) => ({
  listener: { address: '127.0.0.1:0', ...pki.edge, clientCa },
  admin: 'unix:envoy.sock',
  signerAddress: 'unix:signer.sock',
  upstreams: {
    application: { ...upstream(ports.application, pki), ...pki.frontProxy },
    cluster: upstream(ports.cluster, pki),
  },
})

const upstream = (port: number, { ca }: CalledServers['pki']) => ({
  address: `127.0.0.1:${port}`,
  ca,
  serverName: 'localhost',
})
