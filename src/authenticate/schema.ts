// One entry of `authenticators`: a kind of credential, and the names that come of it.

import { z } from 'zod'
import type { Subject } from '../expression/environments.ts'
import { apiKeySchema } from './api-key/schema.ts'
import { clientCertificateSchema } from './certificate/schema.ts'
import { compileIdentity, identitySchema } from '../identity/schema.ts'
import { introspectionSchema } from './introspection/schema.ts'
import { basicSchema } from './password/schema.ts'
import { sessionSchema } from './session/schema.ts'
import { tokenReviewSchema } from './token-review/schema.ts'
import { bearerSchema } from './bearer/schema.ts'

/** The kinds of credential, and what their `identity` is about. */
const KINDS = {
  basic: 'account',
  bearer: 'claims',
  introspection: 'claims',
  tokenReview: 'account',
  apiKey: 'account',
  certificate: 'certificate',
  session: 'claims',
  anonymous: 'account',
} as const satisfies Readonly<Record<string, Subject>>

const anonymous = z
  .strictObject({
    user: z.string().min(1).default('anonymous').describe('The user name of an anonymous caller.'),
    groups: z.array(z.string().min(1)).default([]).describe('The groups.'),
  })
  .describe(
    'Callers without a credential. It must be the last authenticator of a route. A request with a credential that the route does not accept is still refused.',
  )

// A namespace is a DNS label (RFC 1123 §2.1). None for all namespaces: the accounts of kube-system
// can do what an administrator can.
const SERVICE_ACCOUNTS = /^system:serviceaccount:[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?:\*$/

const kindsGiven = (value: object): readonly string[] =>
  Object.keys(KINDS).filter((kind) => kind in value)

/** An authenticator, its expressions compiled. */
export const authenticatorSchema = z
  .strictObject({
    basic: basicSchema.optional(),
    bearer: bearerSchema.optional(),
    introspection: introspectionSchema.optional(),
    tokenReview: tokenReviewSchema.optional(),
    apiKey: apiKeySchema.optional(),
    certificate: clientCertificateSchema.optional(),
    session: sessionSchema.optional(),
    anonymous: anonymous.optional(),
    identity: identitySchema.optional(),
    allowReserved: z
      .array(z.string().min(1))
      .default([])
      .describe(
        'Reserved users and groups (`system:masters`, anything under `system:`) that this authenticator may yield all the same. Write each one out. `tokenReview` may also have `system:serviceaccount:NAMESPACE:*`, for every service account of a namespace.',
      ),
  })
  .refine(
    (value) => kindsGiven(value).length === 1,
    `must have exactly one of ${Object.keys(KINDS)
      .map((kind) => `"${kind}"`)
      .join(', ')}`,
  )
  .superRefine(({ allowReserved, tokenReview }, context) => {
    for (const [index, name] of allowReserved.entries()) {
      if (!name.includes('*')) continue
      if (tokenReview !== undefined && SERVICE_ACCOUNTS.test(name)) continue
      const message =
        'names are written out; the only pattern is "system:serviceaccount:NAMESPACE:*", of "tokenReview"'
      context.addIssue({ code: 'custom', path: ['allowReserved', index], message })
    }
  })
  .transform(({ identity, ...authenticator }, context) => ({
    ...authenticator,
    identity:
      identity &&
      compileIdentity(identity, aboutOf(authenticator), (path, message) =>
        context.addIssue({ code: 'custom', path: ['identity', ...path], message }),
      ),
  }))
  .describe('An authenticator: one kind of credential, and how it is verified.')

function aboutOf(authenticator: object): Subject {
  const kind = Object.entries(KINDS).find(([name]) => name in authenticator)
  return kind?.[1] ?? 'account'
}

/** One parsed entry of `authenticators`. */
export type AuthenticatorConfig = z.output<typeof authenticatorSchema>
