// Endpoints of authorization servers at which this process authenticates: introspection (RFC 7662) and token exchange
// (RFC 8693). They receive a token that does not exist, so that nothing is issued.

import { clientTls } from '../../clients/client-tls.ts'
import type { DependencyOwner } from '../../clients/parts.ts'
import {
  buildTokenEndpoint,
  type TokenEndpointSettings,
} from '../../clients/token-endpoint/build.ts'
import type { ClientCredentials } from '../../clients/token-endpoint/client-authentication.ts'
import type { HttpResponse } from '../../runtime/http/fetch.ts'
import { isJsonObject } from '../../runtime/json-object.ts'
import { clientParts, ok, type Bench, type Examination, type Judgement } from './examination.ts'
import { timedFetch } from './timed-fetch.ts'

/** The examinations of every such endpoint. */
export const endpointExaminations = (bench: Bench): readonly Examination[] => {
  const { authenticators, routes } = bench.config
  return [
    ...Object.entries(authenticators).flatMap(([name, { introspection }]) =>
      introspectionOf(name, introspection, bench),
    ),
    ...routes.flatMap((route, index) => tokenEndpointsOf(route, index, bench)),
  ]
}

type Introspection = Bench['config']['authenticators'][string]['introspection']
type Route = Bench['config']['routes'][number]

const introspectionOf = (
  name: string,
  config: Introspection,
  bench: Bench,
): readonly Examination[] =>
  config === undefined
    ? []
    : [
        endpointExamination(config, bench, {
          area: 'introspection',
          member: 'introspection_endpoint',
          path: ['authenticators', name, 'introspection'],
          asker: { authenticator: name, kind: 'introspection' },
          form: { token: UNKNOWN_TOKEN },
        }),
      ]

const tokenEndpointsOf = (
  { name, forward: { bearer } }: Route,
  index: number,
  bench: Bench,
): readonly Examination[] => {
  const ways = [
    { settings: bearer?.exchange, key: 'exchange', kind: 'token-exchange' },
    { settings: bearer?.clientCredentials, key: 'clientCredentials', kind: 'client-credentials' },
  ] as const
  return ways.flatMap(({ settings, key, kind }) =>
    settings === undefined
      ? []
      : [
          endpointExamination(settings, bench, {
            area: 'token-endpoint',
            member: 'token_endpoint',
            path: ['routes', index, 'forward', 'bearer', key],
            asker: { route: name, kind },
            form: EXCHANGE,
          }),
        ],
  )
}

const UNKNOWN_TOKEN = 'countersign-doctor'
const EXCHANGE = {
  grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
  subject_token: UNKNOWN_TOKEN,
  subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
}

interface EndpointQuestion {
  readonly area: 'introspection' | 'token-endpoint'
  readonly member: 'introspection_endpoint' | 'token_endpoint'
  readonly path: readonly PropertyKey[]
  readonly asker: DependencyOwner
  readonly form: Readonly<Record<string, string>>
}

const endpointExamination = (
  settings: TokenEndpointSettings,
  bench: Bench,
  { area, member, path, asker, form }: EndpointQuestion,
): Examination => ({
  area,
  target: settings.endpoint ?? settings.issuer,
  path,
  ask: async (signal) => {
    await using parts = clientParts(bench)
    const purpose = { called: `the ${area}`, member, remedy: '', asker }
    const { endpoint, client } = await buildTokenEndpoint(settings, purpose, parts)
    const url = await endpoint(signal)
    const response = await post(url, client(url), { form, settings, bench, signal })
    return judgeEndpoint(url, response.status, errorIn(response.body), asker.kind)
  },
})

interface Posting {
  readonly form: Readonly<Record<string, string>>
  readonly settings: TokenEndpointSettings
  readonly bench: Bench
  readonly signal: AbortSignal
}

const post = async (
  url: URL,
  { headers, form: authentication }: ClientCredentials,
  { form, settings, bench, signal }: Posting,
): Promise<HttpResponse> => {
  const certificates = { ca: settings.ca, client: settings.client.certificate }
  const tls = await clientTls(certificates, bench.files)
  const request = {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
    body: new URLSearchParams({ ...form, ...authentication }).toString(),
    maxBytes: LARGEST,
  } as const
  return await timedFetch(bench, tls)(url, request, signal)
}

const LARGEST = 1_048_576

const errorIn = (body: Buffer): string => {
  try {
    const answer: unknown = JSON.parse(body.toString('utf8'))
    return isJsonObject(answer) && typeof answer['error'] === 'string' ? answer['error'] : ''
  } catch {
    return ''
  }
}

/** RFC 6749 §5.2: of a token that does not exist, anything but a refusal of the client is a good answer. */
const judgeEndpoint = (
  url: URL,
  status: number,
  error: string,
  kind: DependencyOwner['kind'],
): Judgement => {
  if (status === 401 || status === 403 || error === 'invalid_client') {
    return {
      outcome: 'error',
      message: `${url.href} refuses the client credentials: ${status}${error === '' ? '' : `, ${error}`}`,
      remedy:
        'Correct "client": the id, the secret or key, and how the server lets this client authenticate',
    }
  }
  if (error === 'unauthorized_client' || error === 'unsupported_grant_type') {
    // A token would be issued for the grant that the route needs, so another one was requested.
    if (kind === 'client-credentials') return ok('answers; no token of the service was requested')
    return {
      outcome: 'warning',
      message: `${url.href} answers ${error}`,
      remedy: 'Let the server permit token exchange to this client, where the route needs it',
    }
  }
  if (status >= 500 || status === 404 || status === 405) {
    return {
      outcome: 'error',
      message: `${url.href} answers ${status}`,
      remedy: 'Correct "endpoint" or "issuer", or see the log of the server',
    }
  }
  return ok('accepts the client credentials')
}
