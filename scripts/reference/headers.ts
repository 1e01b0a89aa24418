// docs/reference/headers.md: what authz sets and removes, found by running its transformers.

import type { ForwardConfig, HeaderPreset } from '../../src/transform/schema.ts'
import { forwardSchema } from '../../src/transform/schema.ts'
import { buildHeaders } from '../../src/transform/headers/build.ts'
import {
  ENVOY_PREFIX,
  ORIGIN_NAMES,
  ORIGIN_PREFIX,
  OVERRIDES,
  STRIPPED_NAMES,
  STRIPPED_PREFIXES,
} from '../../src/request/stripped-headers.ts'
import { DECISION_HEADER } from '../../src/check/answer/answer.ts'
import { block, code, codes, table, type ReferencePage } from './markdown.ts'
import { answerTo } from './samples.ts'

// `certificate` needs a verified certificate, whose contents are too long for a page.
const PRESETS = ['kubernetes', 'impersonation', 'grafana', 'headlamp'] as const
type ShownPreset = (typeof PRESETS)[number]

const CERTIFICATE_PRESET: Readonly<Record<Exclude<HeaderPreset, ShownPreset>, string>> = {
  certificate:
    '`x-cert-subject` (RFC 4514), `x-cert-contents` (PEM, percent-encoded, or base64 of DER), `client-cert` (RFC 9440)',
}

/** What each further key of `forward` sets. The compiler requires every key. */
const FORWARD: Readonly<Record<Exclude<keyof ForwardConfig, 'headers'>, string | undefined>> = {
  set: 'The headers that it names.',
  assertion:
    '`x-countersign-jwt-assertion`, or the header of `assertion.header`: a JWT without a scheme.',
  bearer:
    '`authorization: Bearer …`: a minted token, an exchanged one, or one of the service itself.',
  passthrough: '`authorization`, `dpop` and headers of API keys, as the caller sent them.',
  certificate:
    'No header: Envoy presents a client certificate in the TLS handshake with the upstream.',
  auditId: '`audit-id`: the decision id, for Kubernetes API servers.',
  certificateHeaders: undefined,
  allowReserved: undefined,
  maxHeaderBytes: undefined,
}

const exampleOf = async (preset: ShownPreset): Promise<string> => {
  const transformers = buildHeaders(forwardSchema.parse({ headers: preset }))
  const answer = await answerTo({ transformers })
  if (!answer.allow) throw new Error(`${preset} is refused`)
  const repeated = answer.repeatedHeaders.flatMap(({ name, values }) =>
    values.map((value) => [name, value] as const),
  )
  return [...answer.setHeaders, ...repeated].map(([name, value]) => `${name}: ${value}`).join('\n')
}

// Whatever a caller sends: the spellings of Go and PHP frameworks are removed, too.
const SPOOFED = ['x-webauth-user', 'X.Remote_User', 'x-http-method-override']

/** The page. */
export const headersPage = async (): Promise<ReferencePage> => ({
  file: 'docs/reference/headers.md',
  title: 'Headers',
  from: 'src/transform/ and src/request/stripped-headers.ts',
  body: [
    '## Set for the upstream',
    'By `forward.headers`, for a user `alice` with the uid `1001`, the groups `dev` and `ops`, and the extra attribute `team: [blue]`:',
    ...(await Promise.all(
      PRESETS.map(async (preset) => `### ${preset}\n\n${block('text', await exampleOf(preset))}`),
    )),
    ...Object.entries(CERTIFICATE_PRESET).map(([preset, text]) => `### ${preset}\n\n${text}.`),
    '### Further keys of forward',
    table(
      ['key of `forward`', 'sets'],
      Object.entries(FORWARD).flatMap(([key, text]) =>
        text === undefined ? [] : [[code(key), text]],
      ),
    ),
    'Header lines with several values of one name, such as groups, travel to Envoy as dynamic metadata, and a Lua filter sets them.',
    'With a credential that ends, Envoy gets `x-envoy-upstream-stream-duration-ms` and ends the request with the credential. The upstream does not see it.',
    '## Removed from every request',
    'On every route, whether or not a preset is used, and in every spelling that a framework takes for the name (`X_Remote.User`):',
    table(
      ['what', 'headers'],
      [
        ['by name', codes(STRIPPED_NAMES)],
        ['by how they begin', codes(STRIPPED_PREFIXES.map((prefix) => `${prefix}*`))],
        ['what overrides method and path', codes(OVERRIDES)],
        [
          'in another spelling only, since proxies write these themselves',
          codes([...ORIGIN_NAMES, `${ORIGIN_PREFIX}*`, `${ENVOY_PREFIX}*`]),
        ],
        ['of the route', 'headers, parameters and cookies of its authenticators'],
        ['of the configuration', 'headers that `forward.set` and `assertion` of any route set'],
      ],
    ),
    `Of a request with ${codes(SPOOFED)}, authz removes ${codes(await removedFrom(SPOOFED))}. A request with \`impersonate-*\` is refused, unless a rule permits the impersonation.`,
    'The Envoy of `envoy generate` removes the same names before it routes.',
    '## Set for the client',
    table(
      ['header', 'of which responses'],
      [
        [code(DECISION_HEADER), 'All, also those of the upstream: the decision id.'],
        [
          code('www-authenticate'),
          '401, and 403 for missing scopes: a challenge for each authenticator.',
        ],
        [code('retry-after'), '429 and 503, where it helps: seconds.'],
        [code('cache-control'), 'Refusals: `no-store`.'],
        [code('x-content-type-options'), 'Refusals: `nosniff`.'],
        [code('location'), 'Redirects: of a rule, or to the login page.'],
        [code('set-cookie'), 'Redirects to the login page, and session endpoints.'],
      ],
    ),
    'A rule with `response.headers` sets further ones. [Responses](http-answers.md) has examples.',
  ],
})

const removedFrom = async (names: readonly string[]): Promise<readonly string[]> => {
  const headers = names.map((name) => [name, 'spoofed'] as const)
  const answer = await answerTo({ transformers: [] }, { headers })
  if (!answer.allow) throw new Error(`a request with ${names.join(', ')} is refused`)
  return answer.removeHeaders
}
