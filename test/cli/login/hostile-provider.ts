// A provider that answers as badly as a test wants: one honest answer for everything, and whatever a
// test puts in its place.

import type { ServerResponse } from 'node:http'
import { isJsonObject, type JsonObject } from '../../../src/runtime/json-object.ts'
import { makeKey, type IssuerKey } from '../../authenticate/bearer/issuing.ts'
import type { KeyPair } from '../../servers/pki.ts'
import {
  startTokenServer,
  type Answer,
  type TokenServerHandle,
} from '../../servers/token-server.ts'

/** A running provider. */
export interface HostileProvider extends AsyncDisposable {
  readonly issuer: string
  readonly key: IssuerKey
  readonly server: TokenServerHandle
  /** The parameters of the latest authorization request, after `begin`. */
  nonce: string
  /** What is answered in place of the honest answer, by path. */
  readonly lies: Map<string, (honest: Answer) => Answer | Promise<Answer>>
  /** Claims of ID tokens that differ. */
  claims: Readonly<Record<string, unknown>>
  /** Members of token answers that differ. */
  tokens: Readonly<Record<string, unknown>>
  /** Signs ID tokens. */
  signer: IssuerKey
}

export const CLIENT = 'countersign-cli'
/** Paths of its endpoints. */
export const PATHS = {
  discovery: '/.well-known/openid-configuration',
  keys: '/keys',
  token: '/token',
  device: '/device',
  revocation: '/revoke',
} as const

/** Starts one. */
export const startHostileProvider = async (identity: KeyPair): Promise<HostileProvider> => {
  const key = await makeKey()
  const server = await startTokenServer(identity, ({ path, form }) => {
    const lie = provider.lies.get(path)
    const after = honest(path, form)
    if (lie === undefined) return later(after)
    return later(after.then(lie))
  })
  const issuer = server.origin.replace('127.0.0.1', 'localhost')
  const honest = async (path: string, form: Readonly<Record<string, string>>): Promise<Answer> => {
    switch (path) {
      case PATHS.discovery:
        return { body: metadata(issuer) }
      case PATHS.keys:
        return { body: { keys: [key.jwk] } }
      case PATHS.device:
        return {
          body: {
            device_code: 'device-code',
            user_code: 'WDJB-MJHT',
            verification_uri: `${issuer}/activate`,
            expires_in: 600,
            interval: 0.05,
          },
        }
      case PATHS.revocation:
        return {}
      case PATHS.token: {
        const now = Math.floor(Date.now() / 1_000)
        const nonce = form['grant_type'] === 'authorization_code' ? { nonce: provider.nonce } : {}
        const claims = { iss: issuer, aud: CLIENT, sub: 'u-alice', iat: now, exp: now + 300 }
        return {
          body: {
            token_type: 'Bearer',
            access_token: `access-${server.requests.length}`,
            refresh_token: `refresh-${server.requests.length}`,
            expires_in: 300,
            id_token: await provider.signer.token({ ...claims, ...nonce, ...provider.claims }),
            ...provider.tokens,
          },
        }
      }
      default:
        return { status: 404 }
    }
  }
  const provider: HostileProvider = {
    issuer,
    key,
    server,
    nonce: '',
    lies: new Map(),
    claims: {},
    tokens: {},
    signer: key,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
  return provider
}

/** An honest answer with other members. */
export const withMembers =
  (members: Readonly<Record<string, unknown>>) =>
  (honest: Answer): Answer => ({ ...honest, body: { ...membersOf(honest), ...members } })

/** The parameters of a response. */
export const membersOf = ({ body }: Answer): JsonObject => (isJsonObject(body) ? body : {})

/** An answer that is not there yet, for a server that wants one at once. */
const later = (answer: Promise<Answer>): Answer => ({ write: (to) => void deliver(answer, to) })

const deliver = async (answer: Promise<Answer>, to: ServerResponse): Promise<void> => {
  const { status = 200, headers = {}, body = {}, write } = await answer
  if (write !== undefined) {
    write(to)
    return
  }
  to.writeHead(status, { 'content-type': 'application/json', ...headers })
  to.end(typeof body === 'string' ? body : JSON.stringify(body))
}

const metadata = (issuer: string) => ({
  issuer,
  authorization_endpoint: `${issuer}/authorize`,
  token_endpoint: `${issuer}${PATHS.token}`,
  jwks_uri: `${issuer}${PATHS.keys}`,
  device_authorization_endpoint: `${issuer}${PATHS.device}`,
  revocation_endpoint: `${issuer}${PATHS.revocation}`,
  response_types_supported: ['code'],
  subject_types_supported: ['public'],
  id_token_signing_alg_values_supported: ['ES256'],
  scopes_supported: ['openid', 'offline_access'],
  authorization_response_iss_parameter_supported: true,
})
