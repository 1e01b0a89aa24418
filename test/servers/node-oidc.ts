// An OpenID provider of another project, in this process: `oidc-provider` over HTTPS, with PKCE, the device
// flow, refresh tokens that are valid once, revocation, resource indicators and RFC 9207. Every user is
// alice: its login page asks nothing.

import { generateKeyPairSync, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, type Server } from 'node:https'
import { Provider, type ClientMetadata, type Configuration } from 'oidc-provider'
import { freePort } from './ports.ts'
import type { KeyPair } from './pki.ts'

/** What may change while it runs. */
interface NodeOidcSettings {
  /** How long ID tokens and access tokens live, in seconds. */
  lifetime: number
  /** The answer of the login page. */
  login: 'alice' | 'refuse'
  /** Whether it knows alice: refresh tokens of unknown users are refused. */
  account: 'present' | 'removed'
  groups: readonly string[]
}

/** A running provider. */
export interface NodeOidc extends AsyncDisposable {
  /** `https://localhost:PORT`. */
  readonly issuer: string
  readonly settings: NodeOidcSettings
  /** The grants that the token endpoint gave tokens for, oldest first. */
  readonly granted: readonly string[]
  /** The error codes with which it refused. */
  readonly refused: readonly string[]
  /** The tokens that were revoked: how many. */
  readonly revoked: () => number
  /** The logout tokens that it has sent to its clients, oldest first; none arrived. */
  readonly logoutTokens: readonly string[]
  /** Forgets what it has counted. */
  reset(): void
  /** Ends it and every connection; `start` lets it listen again, where it was, with what it knew. */
  stop(): Promise<void>
  start(): Promise<void>
}

/** Its clients. All of them may log in with a code, and on another device. */
export const NODE_CLIENTS = {
  /** Public, with any port on 127.0.0.1. */
  cli: 'countersign-cli',
  /** The same, without refresh tokens. */
  brief: 'brief',
  /** The same, with a secret. */
  secret: { id: 'secretive', secret: 'client-secret-of-the-test' },
} as const

/** What it gives access tokens for (RFC 8707): JWTs. */
export const NODE_RESOURCE = 'https://kube.example.org'

const SETTINGS: NodeOidcSettings = {
  lifetime: 300,
  login: 'alice',
  account: 'present',
  groups: ['developers', 'staff'],
}

/**
 * Starts a provider on a free port of loopback.
 *
 * @param clients in addition to its own
 */
export const startNodeOidc = async (
  identity: KeyPair,
  clients: readonly ClientMetadata[] = [],
): Promise<NodeOidc> => {
  const port = await freePort()
  const issuer = `https://localhost:${port}`
  const settings = { ...SETTINGS }
  const counts = { granted: [] as string[], refused: [] as string[], revoked: 0 }
  const logoutTokens: string[] = []
  const provider = new Provider(issuer, {
    ...configuration(settings, clients),
    // Only clients receive requests, and only at their logout.
    fetch: (_url, init) => {
      const { body } = init ?? {}
      if (body instanceof URLSearchParams) logoutTokens.push(body.get('logout_token') ?? '')
      return Promise.resolve(new Response(null, { status: 200 }))
    },
  })
  provider.on('grant.success', ({ oidc }) =>
    counts.granted.push(String(oidc.params?.['grant_type'])),
  )
  provider.on('grant.error', (_ctx, { error }) => counts.refused.push(error))
  provider.on('grant.revoked', () => counts.revoked++)
  const tls = { cert: await readFile(identity.certificate), key: await readFile(identity.key) }
  const pages = provider.callback()
  let server: Server | undefined
  const stop = async (): Promise<void> => {
    const running = server
    if (running === undefined) return
    server = undefined
    running.close()
    running.closeAllConnections()
    await once(running, 'close')
  }
  const start = async (): Promise<void> => {
    if (server !== undefined) return
    server = createServer(tls, (request, response) => {
      const isInteraction = request.url?.startsWith('/interaction/') === true
      void (isInteraction
        ? interact(provider, settings, request, response)
        : pages(request, response))
    })
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
  }
  await start()
  return {
    issuer,
    settings,
    granted: counts.granted,
    refused: counts.refused,
    revoked: () => counts.revoked,
    logoutTokens,
    reset() {
      logoutTokens.length = 0
      counts.granted.length = 0
      counts.refused.length = 0
      counts.revoked = 0
    },
    stop,
    start,
    [Symbol.asyncDispose]: stop,
  }
}

const configuration = (
  settings: NodeOidcSettings,
  further: readonly ClientMetadata[],
): Configuration => {
  const lifetime = (): number => settings.lifetime
  const native = {
    application_type: 'native',
    redirect_uris: ['http://127.0.0.1/callback'],
    response_types: ['code'],
    grant_types: [
      'authorization_code',
      'refresh_token',
      'urn:ietf:params:oauth:grant-type:device_code',
    ],
    id_token_signed_response_alg: 'ES256',
  } as const
  return {
    clients: [
      { ...native, client_id: NODE_CLIENTS.cli, token_endpoint_auth_method: 'none' },
      {
        ...native,
        client_id: NODE_CLIENTS.brief,
        token_endpoint_auth_method: 'none',
        grant_types: ['authorization_code'],
      },
      {
        ...native,
        client_id: NODE_CLIENTS.secret.id,
        client_secret: NODE_CLIENTS.secret.secret,
        token_endpoint_auth_method: 'client_secret_basic',
      },
      ...further,
    ],
    jwks: { keys: [newKey()] },
    claims: {
      openid: ['sub'],
      profile: ['preferred_username'],
      email: ['email'],
      groups: ['groups'],
    },
    conformIdTokenClaims: false,
    findAccount: (_ctx, id) =>
      settings.account === 'removed'
        ? undefined
        : {
            accountId: id,
            claims: async () => ({
              sub: id,
              preferred_username: 'alice',
              email: 'alice@example.org',
              groups: settings.groups,
            }),
          },
    extraTokenClaims: async () => ({ preferred_username: 'alice', groups: settings.groups }),
    interactions: { url: (_ctx, { uid }) => `/interaction/${uid}` },
    cookies: { keys: [randomUUID()] },
    rotateRefreshToken: true,
    ttl: {
      AccessToken: lifetime,
      IdToken: lifetime,
      AuthorizationCode: 60,
      DeviceCode: 600,
      Grant: 3_600,
      Interaction: 600,
      RefreshToken: 3_600,
      Session: 3_600,
    },
    features: {
      devInteractions: { enabled: false },
      deviceFlow: { enabled: true },
      revocation: { enabled: true },
      backchannelLogout: { enabled: true },
      resourceIndicators: {
        enabled: true,
        useGrantedResource: async () => true,
        getResourceServerInfo: async (_ctx, resource) => ({
          scope: '',
          audience: resource,
          accessTokenFormat: 'jwt',
          accessTokenTTL: settings.lifetime,
          jwt: { sign: { alg: 'ES256' } },
        }),
      },
    },
  }
}

/** The login page and the page that asks for consent, without a page. */
const interact = async (
  provider: Provider,
  settings: NodeOidcSettings,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> => {
  const { prompt, params, session, grantId } = await provider.interactionDetails(request, response)
  if (settings.login === 'refuse') {
    const result = { error: 'access_denied', error_description: 'alice \u001b[31mdeclined' }
    return await provider.interactionFinished(request, response, result)
  }
  if (prompt.name === 'login') {
    const result = { login: { accountId: 'u-alice' } }
    return await provider.interactionFinished(request, response, result)
  }
  const grant =
    (grantId === undefined ? undefined : await provider.Grant.find(grantId)) ??
    new provider.Grant({
      accountId: session?.accountId ?? '',
      clientId: String(params['client_id']),
    })
  grant.addOIDCScope('openid profile email groups offline_access')
  grant.addResourceScope(NODE_RESOURCE, '')
  const result = { consent: { grantId: await grant.save() } }
  await provider.interactionFinished(request, response, result, {
    mergeWithLastSubmission: true,
  })
}

const newKey = () => ({
  ...generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' }),
  kid: 'k1',
  use: 'sig',
  alg: 'ES256',
})
