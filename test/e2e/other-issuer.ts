// An issuer of another operator: its discovery document and its key, over HTTPS.

import { jwksOf, makeKey, type IssuerKey } from '../authenticate/bearer/issuing.ts'
import { startJwksServer, type JwksServer } from '../servers/jwks.ts'
import type { Pki } from '../servers/pki.ts'

/** One that runs. */
export interface OtherIssuer {
  readonly key: IssuerKey
  /** `iss` of its tokens. */
  readonly issuer: string
  readonly server: JwksServer
}

/** Starts one. */
export const startOtherIssuer = async ({ upstream }: Pki): Promise<OtherIssuer> => {
  const key = await makeKey('RS256', 'other')
  const server = await startJwksServer(upstream)
  const { origin: issuer } = server
  const discovery = { issuer, jwks_uri: `${issuer}/keys` }
  server.answers.set('/.well-known/openid-configuration', { body: JSON.stringify(discovery) })
  server.answers.set('/keys', { body: jwksOf(key) })
  return { key, issuer, server }
}
