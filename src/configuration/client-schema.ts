// `issuer.clients` and `issuer.resources`: the clients of the authorization server, and the resources of their tokens.

import * as z from 'zod'
import {
  furtherClaims,
  LONGEST_TOKEN_LIFETIME_MS,
  SIGNING_ALGORITHMS,
} from '../keys/mint-schema.ts'
import { durationSchema, secretSchema } from '../config/values.ts'

/** The grants that a client may use (RFC 6749, RFC 8628, RFC 8693). */
const GRANTS = [
  'authorization_code',
  'refresh_token',
  'device_code',
  'client_credentials',
  'token_exchange',
] as const

/** One of them. */
export type ClientGrant = (typeof GRANTS)[number]

// RFC 6749 §2.2; without what would have to be encoded in HTTP Basic.
const clientId = z
  .string()
  .regex(/^[A-Za-z0-9._~-]{1,128}$/, 'must be 1 to 128 letters, digits, ".", "_", "~" or "-"')
  .refine((id) => id !== 'countersign', 'is the client id of the routes of authz')

const LOOPBACK: ReadonlySet<string> = new Set(['127.0.0.1', '[::1]', 'localhost'])

/**
 * Whether an address belongs to a native app (RFC 8252 §7): one of its loopback
 * addresses, or a scheme of its own.
 */
export const isNative = (uri: string): boolean => {
  const { protocol, hostname } = new URL(uri)
  return protocol === 'http:' ? LOOPBACK.has(hostname) : protocol !== 'https:'
}

const complaintAbout = (uri: string): string | undefined => {
  const url = URL.parse(uri)
  if (url === null) return 'must be a URI'
  if (url.hash !== '' || uri.includes('#')) return 'must have no fragment (RFC 6749 §3.1.2)'
  if (uri.includes('*')) return 'is compared character by character: "*" is not a wildcard'
  const { protocol, hostname } = url
  // WHATWG URL lets ";" and "," be part of a host, which would end a content security policy.
  if (!/^([a-z0-9._-]*|\[[0-9a-f:.]+\])$/.test(hostname)) return 'must have a host in ASCII'
  if (protocol === 'http:' && !isNative(uri)) {
    return 'must begin with https:// (http:// is for loopback addresses only, RFC 8252 §7.3)'
  }
  if (protocol !== 'http:' && protocol !== 'https:' && !protocol.includes('.')) {
    return 'must begin with https://, or with a scheme in reverse domain order such as "org.example.app:" (RFC 8252 §7.1)'
  }
  return undefined
}

const checkedUri = z.string().superRefine((uri, context) => {
  const message = complaintAbout(uri)
  if (message !== undefined) context.addIssue({ code: 'custom', message })
})

const httpsUri = checkedUri.refine(
  (uri) => /^https?:/.test(uri),
  'must begin with https:// or, on this machine, http://',
)

const scope = z
  .string()
  .regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/, 'must be a word without quotes and backslashes')
  .refine(
    (word) => !['openid', 'offline_access', 'profile', 'email', 'groups'].includes(word),
    'is a scope of OpenID Connect or of the issuer itself',
  )

const exchange = z
  .strictObject({
    from: z
      .array(z.url())
      .min(1)
      .describe(
        'The entries of `resources` whose tokens it may exchange: those that it is called with itself.',
      ),
    to: z.array(z.url()).min(1).describe('The entries of `resources` that it gets tokens for.'),
    scopes: z
      .record(z.url(), z.array(scope).min(1))
      .default({})
      .describe(
        'By the entries of `to`: scopes that it may request although the subject token does not have them. Without an entry the new token has only scopes of the subject token (RFC 8693 §2.1).',
      ),
  })
  .describe(
    'For the grant type `token_exchange` (RFC 8693): a service that was called with a user’s token gets a token for the next service, for the same user. Its claim `act` names this client, and it expires no later than the token that was exchanged.',
  )

/** One parsed `exchange`. */
export type ExchangeGrantConfig = z.output<typeof exchange>

const client = z
  .strictObject({
    name: z
      .string()
      .min(1)
      .max(80)
      .optional()
      .describe('The name shown to users. Default: its id.'),
    secret: secretSchema
      .optional()
      .describe(
        'The secret of a confidential client, 32 characters or more. Without it the client is public and must use PKCE.',
      ),
    method: z
      .enum(['basic', 'post'])
      .default('basic')
      .describe(
        'How it authenticates at the token endpoint: `client_secret_basic` or `client_secret_post`.',
      ),
    grantTypes: z
      .array(z.enum(GRANTS))
      .min(1)
      .default(['authorization_code', 'refresh_token'])
      .describe(
        'The grant types that it may use (RFC 7591: `grant_types`). The implicit and the password grant are not supported.',
      ),
    redirectUris: z
      .array(checkedUri)
      .default([])
      .describe(
        'Redirect URIs, compared character by character; for loopback addresses any port is accepted (RFC 8252 §7.3).',
      ),
    postLogoutRedirectUris: z
      .array(checkedUri)
      .default([])
      .describe(
        'Where users may be redirected after logout (OpenID Connect RP-Initiated Logout 1.0).',
      ),
    backchannelLogout: httpsUri
      .optional()
      .describe(
        'The back-channel logout URI: receives a logout token when a user has logged out (OpenID Connect Back-Channel Logout 1.0).',
      ),
    resources: z
      .array(z.url())
      .default([])
      .describe('The entries of `resources` that it may request tokens for.'),
    exchange: exchange.optional(),
    firstParty: z
      .boolean()
      .default(true)
      .describe(
        'The client belongs to the operator of the issuer, so users do not see a consent page. Exception: native applications that another program could impersonate (RFC 8252 §8.6), where the user would not have to type anything.',
      ),
  })
  .superRefine((config, context) => {
    const { grantTypes, redirectUris, postLogoutRedirectUris, secret } = config
    const complain = (path: string, message: string) =>
      context.addIssue({ code: 'custom', path: [path], message })
    if (grantTypes.includes('authorization_code') !== redirectUris.length > 0) {
      complain(
        'redirectUris',
        'are required with the grant type "authorization_code", and allowed only with it',
      )
    }
    if (grantTypes.includes('client_credentials') && secret === undefined) {
      complain('secret', 'is needed for "client_credentials"')
    }
    if (grantTypes.includes('token_exchange') && secret === undefined) {
      complain('secret', 'is needed for "token_exchange"')
    }
    if (grantTypes.includes('token_exchange') !== (config.exchange !== undefined)) {
      complain(
        'exchange',
        'is required with the grant type "token_exchange", and allowed only with it',
      )
    }
    if (grantTypes.every((grant) => grant === 'refresh_token')) {
      complain(
        'grantTypes',
        '"refresh_token" needs another grant type, from which the refresh token is issued',
      )
    }
    if (postLogoutRedirectUris.length > 0 && redirectUris.length === 0) {
      complain('postLogoutRedirectUris', 'are for clients with "redirectUris"')
    }
  })
  .describe('A client of the authorization server.')

/** `issuer.clients`, by id. */
export const clientsSchema = z
  .record(clientId, client)
  .default({})
  .describe(
    'The clients of the authorization server, by their ids. Without any the issuer only publishes keys.',
  )

/** One parsed client. */
export type ClientConfig = z.output<typeof client>

const resource = z
  .strictObject({
    audience: z.string().min(1).optional().describe('`aud` of its tokens. Default: the URI.'),
    scopes: z.array(scope).default([]).describe('The scopes that clients may request.'),
    claims: furtherClaims.describe(
      'Claims in addition to `sub`, `groups`, `client_id` and `scope`: CEL about `identity`, `claims`, `certificate` of the user who has logged in.',
    ),
    algorithm: z
      .enum(SIGNING_ALGORITHMS)
      .default('ES256')
      .describe('The algorithm that signs its tokens.'),
    lifetime: durationSchema
      .prefault('10m')
      .refine(
        (milliseconds) => milliseconds >= 10_000 && milliseconds <= LONGEST_TOKEN_LIFETIME_MS,
        'must be 10s to 24h',
      )
      .describe('The lifetime of its tokens.'),
  })
  .describe(
    'A service that access tokens are issued for: JWTs of RFC 9068, verified by the issuer’s key set.',
  )

/** `issuer.resources`, by URI. */
export const resourcesSchema = z
  .record(z.url(), resource)
  .default({})
  .describe(
    'The services that access tokens are issued for, by their resource indicators (RFC 8707).',
  )

/** One parsed resource. */
export type ResourceConfig = z.output<typeof resource>
