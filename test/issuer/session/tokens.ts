// A site whose access tokens are accepted on one of its routes, for the tests of this folder.

import type { Authz } from '../../../src/authz.ts'
import { EnvoyClient, type Outcome } from '../../fakes/envoy-client.ts'
import { ISSUER } from '../authorization-server.ts'
import { withSessions } from './browsing.ts'

/** The audience of the tokens. */
export const API = 'https://api.example.org'

/** The site with a route that takes its access tokens. */
export const withTokens = (state: string, port: number): string =>
  withSessions(state)
    .replace('issuer: "127.0.0.1:0"', `issuer: "127.0.0.1:${port}"`)
    .replace(
      '  staff: { basic',
      `  token:
    bearer:
      issuer: ${ISSUER}
      audiences: [${API}]
      keys: { url: "http://127.0.0.1:${port}/jwks" }
      cacheTtl: 0s
  staff: { basic`,
    )
    .replace(
      'routes:\n',
      `routes:
  - name: api
    match: { hosts: [api.example.org] }
    authenticate: [token]
    authorize: [{ allow: all }]
    forward: { headers: kubernetes }
`,
    )

/** What authz says of a request to the API with a token. */
export const answerTo = async (authz: Authz, token: string): Promise<Outcome> => {
  using client = new EnvoyClient(authz.address)
  const headers = [['authorization', `Bearer ${token}`]] as const
  return await client.check({ host: 'api.example.org', path: '/', headers })
}
