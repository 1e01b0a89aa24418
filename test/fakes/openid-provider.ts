// An OpenID provider that answers as a test says, also what no provider should. It speaks plain HTTP on
// loopback, and has no login page: any client with any code gets the tokens of the test.

import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { CompactSign, exportJWK, generateKeyPair, type JWTPayload } from 'jose'

/** What a test may have it do. */
interface FakeSettings {
  /** Merged into the claims of ID tokens. */
  claims: Readonly<Record<string, unknown>>
  /** Changes the JSON of the claims of tokens before it is signed. */
  spelling: (payload: string) => string
  /** Whose key signs: its own, one that it does not publish, or none. */
  signs: 'own-key' | 'other-key' | 'no-key'
  /** Merged into the discovery document. */
  metadata: Readonly<Record<string, unknown>>
  /** Merged into what its token endpoint answers: a refresh token, say; what is undefined is left out. */
  tokens: Readonly<Record<string, unknown>>
  /** What its userinfo endpoint says, which it then has. */
  userinfo: Readonly<Record<string, unknown>> | undefined
  /** Answers in place of it where it returns true. */
  intercept: (request: IncomingMessage, response: ServerResponse) => boolean
}

/** A running one. */
export interface FakeOpenId extends AsyncDisposable {
  /** `http://localhost:PORT`. */
  readonly issuer: string
  readonly settings: FakeSettings
  /** The paths that were requested, oldest first. */
  readonly requests: readonly string[]
  /** A logout token for alice's login, with these claims and this header merged into it. */
  logoutToken(
    claims?: Readonly<Record<string, unknown>>,
    header?: Readonly<Record<string, unknown>>,
  ): Promise<string>
}

/** Its client. */
export const FAKE_CLIENT = { id: 'countersign', secret: 'secret-of-the-fake-provider' } as const

/** Starts one. */
export const startFakeOpenId = async (): Promise<FakeOpenId> => {
  const [own, other] = await Promise.all([generateKeyPair('ES256'), generateKeyPair('ES256')])
  const jwk = { ...(await exportJWK(own.publicKey)), kid: 'k1', alg: 'ES256', use: 'sig' }
  const settings: FakeSettings = {
    claims: {},
    spelling: (payload) => payload,
    signs: 'own-key',
    metadata: {},
    tokens: {},
    userinfo: undefined,
    intercept: () => false,
  }
  const requests: string[] = []
  let issuer = ''
  const idToken = async (): Promise<string> => {
    const now = Math.floor(Date.now() / 1_000)
    const claims = {
      iss: issuer,
      aud: FAKE_CLIENT.id,
      sub: 'u-1',
      iat: now,
      exp: now + 300,
      ...settings.claims,
    }
    return await signed(claims, {})
  }
  const signed = async (claims: JWTPayload, header: object): Promise<string> => {
    if (settings.signs === 'no-key') {
      const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
      return `${part({ alg: 'none' })}.${part(claims)}.`
    }
    const { privateKey } = settings.signs === 'own-key' ? own : other
    const head = { alg: 'ES256', kid: 'k1', ...header }
    const secret = new TextEncoder().encode(FAKE_CLIENT.secret)
    const payload = settings.spelling(JSON.stringify(claims))
    return await new CompactSign(new TextEncoder().encode(payload))
      .setProtectedHeader(head)
      .sign(head.alg === 'ES256' ? privateKey : secret)
  }
  const answers: Readonly<Record<string, () => object | Promise<object>>> = {
    '/.well-known/openid-configuration': () => ({
      issuer,
      authorization_endpoint: `${issuer}/auth`,
      token_endpoint: `${issuer}/token`,
      jwks_uri: `${issuer}/jwks`,
      response_types_supported: ['code'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['ES256'],
      ...(settings.userinfo && { userinfo_endpoint: `${issuer}/userinfo` }),
      ...settings.metadata,
    }),
    '/userinfo': () => settings.userinfo ?? {},
    '/jwks': () => ({ keys: [jwk] }),
    '/token': async () => ({
      access_token: 'a',
      token_type: 'Bearer',
      expires_in: 60,
      id_token: await idToken(),
      ...settings.tokens,
    }),
  }
  const answer = async (path: string, response: ServerResponse): Promise<void> => {
    const body = await answers[path]?.()
    response.writeHead(body === undefined ? 404 : 200, { 'content-type': 'application/json' })
    response.end(JSON.stringify(body ?? {}))
  }
  const server = createServer((request, response) => {
    const path = request.url?.split('?')[0] ?? ''
    requests.push(path)
    if (settings.intercept(request, response)) return
    void answer(path, response)
  })
  server.listen(0, 'localhost')
  await once(server, 'listening')
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('no TCP address')
  issuer = `http://localhost:${address.port}`
  return {
    issuer,
    settings,
    requests,
    async logoutToken(claims = {}, header = {}) {
      const now = Math.floor(Date.now() / 1_000)
      const event = 'http://schemas.openid.net/event/backchannel-logout'
      const usual = { iss: issuer, aud: FAKE_CLIENT.id, sub: 'u-1', jti: randomUUID() }
      const payload = { ...usual, iat: now, exp: now + 120, events: { [event]: {} }, ...claims }
      return await signed(payload, { typ: 'logout+jwt', ...header })
    },
    async [Symbol.asyncDispose]() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}
