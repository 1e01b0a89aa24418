// One entry of `authenticators`: a kind of credential, and the identity names that it yields.

import * as z from 'zod'
import { compileIdentity, identitySchema } from '../identity/schema.ts'
import { kindOf, KINDS, kindsIn, type KindName } from './kinds.ts'

// A namespace is a DNS label (RFC 1123 §2.1). None for all namespaces: the accounts of kube-system
// can do what an administrator can.
const SERVICE_ACCOUNTS = /^system:serviceaccount:[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?:\*$/

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- `Object.fromEntries` forgets the keys
const sections = Object.fromEntries(
  Object.entries(KINDS).map(([name, { schema }]) => [name, schema.optional()]),
) as { readonly [Name in KindName]: z.ZodOptional<(typeof KINDS)[Name]['schema']> }

/** An authenticator, its expressions compiled. */
export const authenticatorSchema = z
  .strictObject({
    ...sections,
    identity: identitySchema.optional(),
    allowReserved: z
      .array(z.string().min(1))
      .default([])
      .describe(
        'Reserved users and groups (`system:masters`, anything under `system:`) that this authenticator may yield all the same. Write each one out. `tokenReview` may also have `system:serviceaccount:NAMESPACE:*`, for every service account of a namespace.',
      ),
  })
  .refine(
    (value) => kindsIn(value).length === 1,
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
      compileIdentity(identity, kindOf(authenticator).kind.subject, (path, message) =>
        context.addIssue({ code: 'custom', path: ['identity', ...path], message }),
      ),
  }))
  .describe('An authenticator: one kind of credential, and how it is verified.')

/** One parsed entry of `authenticators`. */
export type AuthenticatorConfig = z.output<typeof authenticatorSchema>
