// `issuer.clients` and `issuer.resources`: who may get tokens of our authorization server, and for what.

import { z } from 'zod'
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
  .refine((id) => id !== 'countersign', 'is the client that our own routes are')

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
  if (uri.includes('*')) return 'is compared character by character, so "*" stands for itself'
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
    'is a scope of OpenID Connect, or ours',
  )

const exchange = z
  .strictObject({
    from: z
      .array(z.url())
      .min(1)
      .describe(
        'The entries of `resources` whose tokens it may show: those that it is called with itself.',
      ),
    to: z.array(z.url()).min(1).describe('The entries of `resources` that it gets tokens for.'),
    scopes: z
      .record(z.url(), z.array(scope).min(1))
      .default({})
      .describe(
        'By the entries of `to`: scopes there that it may ask for although the token that it shows does not have them. Without an entry the new token has no scope that the other did not have (RFC 8693 §2.1).',
      ),
  })
  .describe(
    'For the grant `token_exchange` (RFC 8693): a service that was called with a token of a person gets one for the next service, about the same person. It says in `act` who asked for it, and ends no later.',
  )

/** One parsed `exchange`. */
export type ExchangeGrantConfig = z.output<typeof exchange>

const client = z
  .strictObject({
    name: z.string().min(1).max(80).optional().describe('What people read. Default: its id.'),
    secret: secretSchema
      .optional()
      .describe(
        'The secret of a client that can keep one, 32 characters or more. Without it the client is public: what it proves is that it began what it ends (PKCE).',
      ),
    method: z
      .enum(['basic', 'post'])
      .default('basic')
      .describe('Where it sends its secret: `client_secret_basic` or `client_secret_post`.'),
    grants: z
      .array(z.enum(GRANTS))
      .min(1)
      .default(['authorization_code', 'refresh_token'])
      .describe('What it may use. There is no implicit grant, and no password grant.'),
    redirectUris: z
      .array(checkedUri)
      .default([])
      .describe(
        'Where people come back to, compared character by character; of loopback addresses any port is right (RFC 8252 §7.3).',
      ),
    postLogoutRedirectUris: z
      .array(checkedUri)
      .default([])
      .describe('Where people may be sent once they have logged out.'),
    backchannelLogout: httpsUri
      .optional()
      .describe('Is told when somebody has logged out (OpenID Connect Back-Channel Logout 1.0).'),
    resources: z
      .array(z.url())
      .default([])
      .describe('The entries of `resources` that it may have tokens for.'),
    exchange: exchange.optional(),
    firstParty: z
      .boolean()
      .default(true)
      .describe(
        'It is ours, so people are not asked whether it may act for them; but for a program on their device that nobody can tell from another (RFC 8252 §8.6), where nothing has to be typed.',
      ),
  })
  .superRefine((config, context) => {
    const { grants, redirectUris, postLogoutRedirectUris, secret } = config
    const complain = (path: string, message: string) =>
      context.addIssue({ code: 'custom', path: [path], message })
    if (grants.includes('authorization_code') !== redirectUris.length > 0) {
      complain('redirectUris', 'go with the grant "authorization_code", and it with them')
    }
    if (grants.includes('client_credentials') && secret === undefined) {
      complain('secret', 'is needed for "client_credentials"')
    }
    if (grants.includes('token_exchange') && secret === undefined) {
      complain('secret', 'is needed for "token_exchange"')
    }
    if (grants.includes('token_exchange') !== (config.exchange !== undefined)) {
      complain('exchange', 'goes with the grant "token_exchange", and it with this')
    }
    if (grants.every((grant) => grant === 'refresh_token')) {
      complain('grants', '"refresh_token" only goes on with what another has begun')
    }
    if (postLogoutRedirectUris.length > 0 && redirectUris.length === 0) {
      complain('postLogoutRedirectUris', 'are for clients that people log in to')
    }
  })
  .describe('A client of our authorization server.')

/** `issuer.clients`, by id. */
export const clientsSchema = z
  .record(clientId, client)
  .default({})
  .describe(
    'The clients of our authorization server, by their ids. One of them makes the issuer an authorization server; without any it only publishes keys.',
  )

/** One parsed client. */
export type ClientConfig = z.output<typeof client>

const resource = z
  .strictObject({
    audience: z.string().min(1).optional().describe('`aud` of its tokens. Default: the URI.'),
    scopes: z.array(scope).default([]).describe('The scopes that clients may ask for.'),
    claims: furtherClaims.describe(
      'Claims beside `sub`, `groups`, `client_id` and `scope`: CEL about `identity`, `claims`, `certificate` of the person who has logged in.',
    ),
    algorithm: z.enum(SIGNING_ALGORITHMS).default('ES256').describe('What signs its tokens.'),
    lifetime: durationSchema
      .prefault('10m')
      .refine(
        (milliseconds) => milliseconds >= 10_000 && milliseconds <= LONGEST_TOKEN_LIFETIME_MS,
        'must be 10s to 24h',
      )
      .describe('How long its tokens are good for.'),
  })
  .describe('A service that access tokens are for: JWTs of RFC 9068, verified by our keys.')

/** `issuer.resources`, by URI. */
export const resourcesSchema = z
  .record(z.url(), resource)
  .default({})
  .describe('The services that access tokens are for, by the URIs by which clients ask (RFC 8707).')

/** One parsed resource. */
export type ResourceConfig = z.output<typeof resource>
