// `issuer.login.providers`: OpenID providers of others, where people may log in instead of here.

import { z } from 'zod'
import { compileIdentity, identitySchema } from '../../identity/schema.ts'
import { isConfidential, nameSchema, pathSchema, secretSchema } from '../../config/values.ts'

const complaint = (text: string): string | undefined => {
  const url = URL.parse(text)
  if (url === null) return 'must be a URL'
  const { hostname, search, hash, username, password } = url
  if (!isConfidential(url)) {
    return 'must begin with https:// (http:// is for loopback addresses only)'
  }
  // It goes into the policy of our pages (CSP §2.3.1).
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
    name: z.string().min(1).max(60).describe('What people know it by: it stands on the button.'),
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
        'Our client id there. Register `URL/login/callback/ID` as the redirect URI; and `URL/login/callback/ID/logout` as the post-logout redirect URI, where `logout` is on, and as the back-channel logout URI, where it is to tell us who has logged out there (OpenID Connect Back-Channel Logout 1.0).',
      ),
    clientSecret: secretSchema.describe('Our secret there.'),
    scopes: z
      .array(scope)
      .default(['openid', 'profile', 'email'])
      .refine((scopes) => scopes.includes('openid'), 'must have "openid"')
      .describe('What we ask for. Most providers give a refresh token for `offline_access` only.'),
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
        'Whether a refresh token is used, where there is one: before its access token expires the provider is asked again, while somebody uses the login. What it says of the person then is what sessions and tokens say from now on; whoever it refuses is logged out here; while it cannot be asked after that time, they are answered with 503. Without a refresh token a login is good until it ends here.',
      ),
    logout: z
      .boolean()
      .default(false)
      .describe(
        'Whether people who log out here log out there too (OpenID Connect RP-Initiated Logout 1.0).',
      ),
    userinfo: z
      .boolean()
      .default(true)
      .describe(
        'Whether its userinfo endpoint is asked, where it has one, for claims that the ID token has not.',
      ),
    // Without the examples, which nobody would put to the test.
    identity: identitySchema
      .omit({ examples: true })
      .optional()
      .describe(
        'Who the person is here: CEL about `claims`, those of the ID token and of `userinfo`. Default: the issuer and `sub`, without groups, so that nobody there is anybody here by chance.',
      ),
    allowReserved: z
      .array(
        z
          .string()
          .min(1)
          .regex(/^[^*]*$/, 'names are written out'),
      )
      .default([])
      .describe('Reserved names (`system:…`) that it may yield all the same, each written out.'),
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
  .describe('By an id: OpenID providers of others where people may log in, one button each.')

/** One parsed provider. */
export type UpstreamIdpConfig = z.output<typeof upstreamIdpSchema>
