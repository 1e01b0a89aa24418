// Tokens that another server makes for the upstream: in exchange for the caller's, or for Countersign.

import * as z from 'zod'
import { oneOrMore } from '../../keys/mint-schema.ts'
import { tokenClientSchema } from '../../clients/token-endpoint/client-schema.ts'
import { tokenServerKeys } from '../../clients/token-endpoint/server-schema.ts'
import { durationSchema, pathSchema, secretSchema } from '../../config/values.ts'

/** Names of token types (RFC 8693 §3), for those who would not write URNs. */
const TOKEN_TYPES = {
  access_token: 'urn:ietf:params:oauth:token-type:access_token',
  id_token: 'urn:ietf:params:oauth:token-type:id_token',
  jwt: 'urn:ietf:params:oauth:token-type:jwt',
} as const

const tokenType = z
  .string()
  .refine(
    (name) => Object.hasOwn(TOKEN_TYPES, name) || /^[a-z][a-z0-9+.-]*:\S+$/i.test(name),
    `must be one of ${Object.keys(TOKEN_TYPES).join(', ')}, or a URI`,
  )
  .transform((name): string => new Map(Object.entries(TOKEN_TYPES)).get(name) ?? name)

// RFC 6749 §3.3.
const scope = z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/, 'must be one scope, without spaces')

const { cacheTtl: _own, perCaller, ...limits } = tokenServerKeys

const serverKeys = {
  issuer: z
    .string()
    .min(1)
    .describe('The authorization server, whose token endpoint discovery names.'),
  endpoint: z
    .string()
    .optional()
    .describe('Its token endpoint. Default: OpenID Connect discovery at the issuer.'),
  ca: pathSchema
    .optional()
    .describe('PEM file: the CAs of the endpoint’s certificate. Default: Node’s own.'),
  client: tokenClientSchema.describe(
    'How Countersign authenticates at the endpoint (RFC 6749 §2.3).',
  ),
  audience: oneOrMore(z.string().min(1))
    .default([])
    .describe('`audience`: the logical names of the upstream, where the server requires them.'),
  resource: oneOrMore(z.url()).default([]).describe('`resource`: URIs of the upstream (RFC 8707).'),
  scopes: z.array(scope).default([]).describe('The scopes to request.'),
  cacheTtl: durationSchema
    .prefault('5m')
    .describe(
      'How long a token is cached at most; never until its expiry, and never for a caller whose own credential has expired. `0s`: for one request.',
    ),
  ...limits,
} as const

const actor = z
  .strictObject({
    token: secretSchema.describe(
      'The actor token, which is Countersign’s own. A file is read again when it changes.',
    ),
    type: tokenType.prefault('access_token').describe('`actor_token_type`.'),
  })
  .describe('The actor (RFC 8693 §1.1), where the server requires one.')

/** The `exchange` section. */
export const exchangeSchema = z
  .strictObject({
    ...serverKeys,
    flow: z
      .enum(['token-exchange', 'on-behalf-of'])
      .default('token-exchange')
      .describe(
        '`token-exchange`: RFC 8693. `on-behalf-of`: the JWT bearer grant (RFC 7523 §2.1) with `requested_token_use=on_behalf_of`, as Microsoft Entra ID has it.',
      ),
    subjectTokenType: tokenType
      .prefault('access_token')
      .describe('What the caller’s token is: `access_token`, `id_token`, `jwt`, or a URI.'),
    requestedTokenType: tokenType
      .optional()
      .describe(
        'The requested token type: `access_token`, `id_token`, `jwt`, or a URI. The server must answer with this type. Absent: the server decides.',
      ),
    actor: actor.optional(),
    perCaller,
  })
  .superRefine(({ flow, actor: given, requestedTokenType, audience, resource }, context) => {
    if (flow === 'token-exchange') return
    const parameters = { actor: given, requestedTokenType }
    const lists = { audience, resource }
    const foreign = [
      ...Object.entries(parameters).flatMap(([name, value]) => (value === undefined ? [] : [name])),
      ...Object.entries(lists).flatMap(([name, value]) => (value.length === 0 ? [] : [name])),
    ]
    for (const name of foreign) {
      context.addIssue({
        code: 'custom',
        path: [name],
        message: 'is a parameter of "flow: token-exchange"; with this flow set "scopes"',
      })
    }
  })
  .describe(
    'Exchanges the caller’s token for one that is meant for the upstream, at the token endpoint of an authorization server. Callers without a token are refused.',
  )

/** The parsed `exchange`. */
export type ExchangeConfig = z.output<typeof exchangeSchema>

/** The `clientCredentials` section. */
export const clientCredentialsSchema = z
  .strictObject(serverKeys)
  .describe(
    'A token of Countersign’s own client, the same for every caller (RFC 6749 §4.4): the identity of the service. Headers carry the identity of the caller.',
  )

/** The parsed `clientCredentials`. */
export type ClientCredentialsConfig = z.output<typeof clientCredentialsSchema>
