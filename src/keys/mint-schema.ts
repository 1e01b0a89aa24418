// Tokens that authz mints: claims, lifetime and signature algorithm.

import * as z from 'zod'
import { callerText, callerValue } from '../config/expressions.ts'
import { durationSchema } from '../config/values.ts'

/** The algorithms of minted tokens (RFC 7518 §3.1, RFC 8037 §3.1). */
export const SIGNING_ALGORITHMS = ['ES256', 'RS256', 'EdDSA'] as const

/** One of them. */
export type SigningAlgorithm = (typeof SIGNING_ALGORITHMS)[number]

const SHORTEST_LIFETIME_MS = 10_000

/**
 * The longest lifetime of a token, in milliseconds: keys that no longer sign are published for as
 * long, whatever configuration made the tokens.
 */
export const LONGEST_TOKEN_LIFETIME_MS = 86_400_000

// Set by authz, or by a field of their own (RFC 7519 §4.1, OpenID Connect Core §2, RFC 9068 §2.2). `grant_id` names the
// grant of a token of the issuer. `cnf` would bind the token to a key whose possession the upstream cannot verify.
const OWN_CLAIMS: ReadonlySet<string> = new Set([
  'iss',
  'sub',
  'aud',
  'exp',
  'nbf',
  'iat',
  'jti',
  'auth_time',
  'amr',
  'client_id',
  'grant_id',
  'groups',
  'cnf',
  '__proto__',
])

const claimName = z
  .string()
  .min(1)
  .refine((name) => !OWN_CLAIMS.has(name), {
    error: ({ input }) =>
      `"${String(input)}" cannot be set here: it has a key of its own, or is set by Countersign`,
  })

/** Claims that a configuration may add, each from CEL; a claim is left out where that yields nothing. */
export const furtherClaims = z.record(claimName, callerValue).default({})

/** A list of names, or one. */
export const oneOrMore = (entry: z.ZodType<string, string>) =>
  z.union([entry.transform((one): readonly string[] => [one]), z.array(entry).min(1)])

/** The keys of a section that makes tokens. */
export const mintKeys = {
  kind: z
    .enum(['id_token', 'access_token'])
    .default('id_token')
    .describe(
      '`id_token`: as OpenID Connect Core §2 has it, which is what kube-apiserver reads. `access_token`: a JWT of RFC 9068 (`typ: at+jwt`).',
    ),
  audience: oneOrMore(z.string().min(1)).describe('`aud`: the recipient; one, or several.'),
  algorithm: z
    .enum(SIGNING_ALGORITHMS)
    .default('ES256')
    .describe(
      'The signature algorithm; the key folder needs a key for it. kube-apiserver with `--oidc-*` accepts only RS256 unless `--oidc-signing-algs` says otherwise.',
    ),
  subject: callerText
    .prefault('identity.user')
    .describe('`sub`: CEL about `identity`, `claims`, `certificate`.'),
  groups: callerText
    .prefault('identity.groups')
    .describe('`groups`: CEL. The claim is left out where there are none.'),
  claims: furtherClaims.describe(
    'Further claims by name: CEL that yields anything JSON can hold; a claim is left out where it yields nothing (`claims.?email`).',
  ),
  clientId: z
    .string()
    .min(1)
    .default('countersign')
    .describe('`client_id` of an access token (RFC 9068 §2.2).'),
  lifetime: durationSchema
    .prefault('10m')
    .refine(
      (milliseconds) =>
        milliseconds >= SHORTEST_LIFETIME_MS && milliseconds <= LONGEST_TOKEN_LIFETIME_MS,
      'must be 10s to 24h',
    )
    .describe(
      'Its lifetime; it never outlives the caller’s credential. A new one is made after two thirds of it.',
    ),
} as const

/** The `mint` section. */
export const mintSchema = z
  .strictObject(mintKeys)
  .describe(
    'A token minted by Countersign, signed by `issuer.keys`. It names the caller, and how the caller was authenticated (`amr`, `acr`, `auth_time`).',
  )

/** The parsed `mint`. */
export type MintConfig = z.output<typeof mintSchema>
