// `bearer` of an authenticator: tokens that are signed JWTs.

import * as z from 'zod'
import { claimsCondition } from '../../config/expressions.ts'
import { SIGNATURE_ALGORITHMS } from '../../keys/algorithm.ts'
import { durationSchema, pathSchema, realmSchema } from '../../config/values.ts'

const keys = z
  .strictObject({
    url: z.string().optional().describe('Where the issuer publishes its JWKS.'),
    file: pathSchema.optional().describe('A JWKS file (RFC 7517 §5).'),
    ca: pathSchema
      .optional()
      .describe('PEM file: the CAs of the issuer’s certificate. Default: Node’s own.'),
    refresh: z
      .strictObject({
        min: durationSchema.prefault('1m').describe('The lower bound.'),
        max: durationSchema
          .prefault('15m')
          .describe('The upper bound, and the interval without `max-age`.'),
      })
      .refine(({ min, max }) => min <= max, 'must have "min" no longer than "max"')
      .prefault({})
      .describe(
        'The interval between two fetches: `Cache-Control: max-age` of the issuer, within these bounds. A removed key is used no longer than that.',
      ),
    coolDown: durationSchema
      .prefault('10s')
      .describe(
        'The pause before a fetch for an unknown key, and after a failed fetch. Until the first success the pause begins at 250ms and doubles up to this.',
      ),
    maxAge: durationSchema
      .prefault('24h')
      .describe('How long keys are used while the issuer cannot be reached.'),
    timeout: durationSchema.prefault('5s').describe('For one fetch, discovery included.'),
  })
  .refine(({ url, file }) => url === undefined || file === undefined, 'has both "url" and "file"')
  .prefault({})
  .describe(
    'Where the issuer’s keys are. Default: OpenID Connect discovery at the issuer; of Countersign’s own issuer (`issuer.url`) its keys, without a request.',
  )

/** A host as in routes: without port, and in lower case. */
const hostKey = z
  .string()
  .regex(
    /^([a-z0-9_-]+(\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])$/,
    'must be a host in lower case, without a port',
  )

/** A serialised origin (RFC 6454 §6.2). */
const origin = z
  .string()
  .refine(
    (text) => /^https?:/.test(text) && URL.parse(text)?.origin === text,
    'must be an origin such as "https://kube.example.org:8443": in lower case, without a path, and without the port that its scheme has anyway',
  )

// RFC 9449 §11.1: seconds or minutes. Every used proof is stored for as long.
const LONGEST_WINDOW = 600_000

const dpop = z
  .strictObject({
    window: durationSchema
      .refine(
        (window) => window >= 1_000 && window <= LONGEST_WINDOW,
        'must be at least "1s" and at most "10m"',
      )
      .prefault('60s')
      .describe('How long a proof is valid from `iat` on; `skew` is added before and after.'),
    algorithms: z
      .array(z.enum(SIGNATURE_ALGORITHMS))
      .min(1)
      .default([...SIGNATURE_ALGORITHMS])
      .describe('The accepted signature algorithms of proofs; the challenge names them.'),
    require: z
      .boolean()
      .default(false)
      .describe(
        'Whether unbound tokens are refused, and not named in the challenge. Tokens bound to the caller’s client certificate (RFC 8705) are still accepted.',
      ),
    origins: z
      .record(hostKey, z.array(origin).min(1).describe('Any of them, character by character.'))
      .default({})
      .describe(
        'Host → the origins by which callers reach it, where that is not `https://` and the host: another port, or another name in front of Envoy.',
      ),
  })
  .describe(
    'Accepts tokens bound to a key whose possession the caller proves with every request (DPoP, RFC 9449): `Authorization: DPoP` and one header `DPoP`. Default: such tokens are refused.',
  )

/** The `bearer` section. */
export const bearerSchema = z
  .strictObject({
    realm: realmSchema,
    issuer: z
      .string()
      .min(1)
      .describe(
        '`iss` of its tokens, character by character. Tokens of other issuers are left to the next authenticator.',
      ),
    audiences: z
      .array(z.string().min(1))
      .min(1)
      .describe('`aud` must contain at least one of them.'),
    kind: z
      .enum(['access', 'any'])
      .default('any')
      .describe(
        '`access`: RFC 9068 access tokens only (`typ: at+jwt`). `any`: also `typ: JWT` or none, as most issuers write access and ID tokens alike.',
      ),
    algorithms: z
      .array(z.enum(SIGNATURE_ALGORITHMS))
      .min(1)
      .default([...SIGNATURE_ALGORITHMS])
      .describe('The accepted signature algorithms.'),
    skew: durationSchema
      .prefault('30s')
      .describe('The accepted clock skew between the issuer and this machine.'),
    require: claimsCondition
      .optional()
      .describe(
        'A CEL condition about `claims` that must be true, such as `claims.email_verified == true`.',
      ),
    keys,
    cacheTtl: durationSchema
      .prefault('5m')
      .describe(
        'How long a verified token is cached at most; never beyond its expiry. `0s`: no caching.',
      ),
    dpop: dpop.optional(),
  })
  .describe('Bearer tokens (RFC 6750) that are signed JWTs of one issuer (RFC 7519, RFC 9068).')

/** The parsed `bearer`. */
export type BearerConfig = z.output<typeof bearerSchema>
