// `issuer.login.providers`: upstream IdPs, at which users may log in instead.

import * as z from 'zod'
import { compileIdentity, identitySchema } from '../../identity/schema.ts'
import {
  isConfidential,
  nameSchema,
  pathSchema,
  secretSchema,
  writtenOutName,
} from '../../config/values.ts'

const complaint = (text: string): string | undefined => {
  const url = URL.parse(text)
  if (url === null) return 'must be a URL'
  const { hostname, search, hash, username, password } = url
  if (!isConfidential(url)) {
    return 'must begin with https:// (http:// is for loopback addresses only)'
  }
  // It becomes part of the policy of pages (CSP §2.3.1).
  if (!/^[a-z0-9_-]+(\.[a-z0-9_-]+)*$/.test(hostname))
    return 'must have a host that is a plain name'
  if (search !== '' || hash !== '' || username !== '' || password !== '') {
    return 'must have no query, fragment or credentials (OpenID Connect Discovery §2)'
  }
  return undefined
}

// What a login depends on.
const OWN_PARAMETERS: ReadonlySet<string> = new Set([
  'response_type',
  'response_mode',
  'client_id',
  'redirect_uri',
  'scope',
  'state',
  'nonce',
  'code_challenge',
  'code_challenge_method',
  'max_age',
  'request',
  'request_uri',
])

const parameterName = z
  .string()
  .min(1)
  .refine((name) => !OWN_PARAMETERS.has(name), 'is set by Countersign itself')

// RFC 6749 §3.3.
const scope = z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/, 'must be a scope of RFC 6749 §3.3')

const upstreamIdpSchema = z
  .strictObject({
    name: z.string().min(1).max(60).describe('The name on its button.'),
    issuer: z
      .string()
      .superRefine((text, context) => {
        const message = complaint(text)
        if (message !== undefined) context.addIssue({ code: 'custom', message })
      })
      .describe('`iss` of its tokens, where its discovery document is found.'),
    ca: pathSchema
      .optional()
      .describe('PEM file: the CAs of its certificate. Default: Node’s own.'),
    clientId: z
      .string()
      .min(1)
      .describe(
        'Countersign’s client id at the provider. Register `URL/login/callback/ID` as the redirect URI; register `URL/login/callback/ID/logout` as the post-logout redirect URI where `logout` is on, and as the back-channel logout URI (OpenID Connect Back-Channel Logout 1.0).',
      ),
    clientSecret: secretSchema.describe('Its client secret.'),
    scopes: z
      .array(scope)
      .default(['openid', 'profile', 'email'])
      .refine((scopes) => scopes.includes('openid'), 'must have "openid"')
      .describe(
        'The scopes to request. Most providers issue a refresh token for `offline_access` only.',
      ),
    parameters: z
      .record(parameterName, z.string())
      .default({})
      .describe(
        'Further parameters of the authorization request, `prompt: consent` say, or `acr_values`.',
      ),
    refresh: z
      .boolean()
      .default(true)
      .describe(
        'Whether the refresh token is used, where there is one: while a login is in use, it is refreshed at the provider before the access token expires, and the new claims update sessions and tokens. A user whose refresh is refused is logged out here. While the provider cannot be reached after that time, requests are answered with 503. Without a refresh token a login is valid until it ends here.',
      ),
    logout: z
      .boolean()
      .default(false)
      .describe(
        'Whether a logout here also logs the user out at the provider (OpenID Connect RP-Initiated Logout 1.0).',
      ),
    userinfo: z
      .boolean()
      .default(true)
      .describe(
        'Whether its userinfo endpoint, where it has one, is called for claims that the ID token does not have.',
      ),
    // Without examples, since no command tests them.
    identity: identitySchema
      .omit({ examples: true })
      .optional()
      .describe(
        'Maps `claims` of the ID token and of `userinfo` to the user’s identity, in CEL. Default: the issuer and `sub`, without groups, so that names of the upstream IdP do not collide with local ones.',
      ),
    allowReserved: z
      .array(writtenOutName)
      .default([])
      .describe('Reserved names (`system:…`) that it may yield, each written out.'),
  })
  .transform(({ identity, ...provider }, context) => ({
    ...provider,
    identity:
      identity &&
      compileIdentity({ ...identity, examples: [] }, 'claims', (path, message) =>
        context.addIssue({ code: 'custom', path: ['identity', ...path], message }),
      ),
  }))
  .describe('One of them.')

const OTHER_WAYS: ReadonlySet<string> = new Set(['password', 'certificate'])

/** The `providers` of `login`. */
export const upstreamIdpsSchema = z
  .record(
    // As metrics and the audit log call the other ways in.
    nameSchema.refine((id) => !OTHER_WAYS.has(id), 'is the name of another way to log in'),
    upstreamIdpSchema,
  )
  .default({})
  .describe(
    'Upstream IdPs: OpenID providers at which users may log in, by an id of your choice. Each has a button on the login page.',
  )

/** One parsed provider. */
export type UpstreamIdpConfig = z.output<typeof upstreamIdpSchema>
