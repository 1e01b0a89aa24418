// `identity` of an authenticator: how what was proven becomes the name that everything behind it
// knows the caller by.

import * as z from 'zod'
import { compileText, type TextExpression } from '../expression/cel.ts'
import { VALUE_TYPES } from '../config/values.ts'
import type { Subject } from '../expression/environments.ts'
import { exampleSchema, type IdentityExample } from './examples-schema.ts'

/** The keys of a `strictObject` that describes a user, as in users files and files of API keys. */
export const accountKeys = {
  uid: z.string().min(1).optional().describe('A stable identifier, unique over time.'),
  groups: z
    .array(z.string().min(1))
    .default([])
    .describe('Groups, in the order they are forwarded.'),
  extra: z
    .record(z.string().min(1), z.array(z.string()).min(1))
    .default({})
    .describe('Further attributes; each value becomes one header line.'),
}

const expression = z.string().min(1).register(VALUE_TYPES, { type: 'expression' })
const globs = z.array(z.string().min(1))

// With the defaults of `limits`, an identity of the largest size still fits the 32 KiB of headers
// that it may take on its way to the upstream: 500 lines of `x-remote-group: ` have 9,000 bytes
// without the groups.
const groups = z
  .strictObject({
    from: expression.optional().describe('CEL: the groups. Default: as verified.'),
    keep: globs
      .min(1)
      .optional()
      .describe('Only groups that match one of these; `*` is any run of characters.'),
    drop: globs.default([]).describe('No groups that match one of these, also if kept.'),
    rename: z
      .record(z.string().min(1), z.string().min(1))
      .default({})
      .describe('Old name → new name, for those that are left.'),
    prefix: z.string().default('').describe('Put before every group, also a renamed one.'),
    max: z
      .int()
      .min(0)
      .max(10_000)
      .default(500)
      .describe('The maximal number of groups, after the other steps.'),
    maxBytes: z
      .int()
      .min(0)
      .max(1_048_576)
      .default(16_384)
      .describe('The maximal size of all groups together, in bytes of UTF-8.'),
    onExcess: z
      .enum(['refuse', 'truncate'])
      .default('refuse')
      .describe(
        'What happens to an identity with more. `truncate` omits those at the end: a rule that denies one of them, here or at the upstream, then does not match. The number of omitted groups is logged.',
      ),
  })
  .describe(
    'Groups in steps: `from`, then `keep` and `drop`, `rename`, `prefix`; repetitions are removed; `max` and `maxBytes`.',
  )

const size = (bytes: number) => z.int().min(1).max(65_536).default(bytes)

const limits = z
  .strictObject({
    user: size(1_024).describe('Bytes of the user’s name.'),
    uid: size(1_024).describe('Bytes of the stable identifier.'),
    extra: size(4_096).describe('Bytes of all further values, each with its key.'),
    extraValues: size(32).describe('How many further values there may be.'),
  })
  .prefault({})
  .describe('The largest identity; one that is larger is refused. Groups have limits of their own.')

/** The `identity` section as it is written; {@link compileIdentity} makes its expressions. */
export const identitySchema = z
  .strictObject({
    user: expression.optional().describe('CEL: the user’s name. Default: as verified.'),
    uid: expression.optional().describe('CEL: a stable identifier, or an empty list for none.'),
    groups: z
      .union([expression, groups])
      .optional()
      .describe('The groups: CEL, or an object with the steps that make them.'),
    extra: z
      .record(z.string().min(1), expression)
      .optional()
      .describe(
        'Key → CEL: extra attributes; none where the expression yields an empty list. They replace the verified ones.',
      ),
    limits,
    examples: z
      .array(exampleSchema)
      .default([])
      .describe('Examples, which `countersign test` runs.'),
  })
  .describe(
    'Maps the verified credential to the caller’s identity: CEL about `account` (passwords, API keys, TokenReview), `claims` (tokens) or `certificate`. Absent fields are as verified.',
  )

/** What is done with the groups, in this order. */
export type GroupsConfig = Omit<z.output<typeof groups>, 'from'> & {
  readonly from?: TextExpression | undefined
}

/** The parsed `identity`, its expressions compiled. */
export interface IdentityConfig {
  /** What the expressions and the examples are about. */
  readonly about: Subject
  readonly user?: TextExpression | undefined
  readonly uid?: TextExpression | undefined
  readonly groups: GroupsConfig
  readonly extra?: Readonly<Record<string, TextExpression>> | undefined
  readonly limits: z.output<typeof limits>
  readonly examples: readonly IdentityExample[]
}

type Report = (path: readonly string[], message: string) => void

/**
 * Compiles the expressions of an `identity`.
 *
 * @param report called with each problem and its place
 */
export const compileIdentity = (
  { user, uid, groups: given, extra, limits: most, examples }: z.output<typeof identitySchema>,
  about: Subject,
  report: Report,
): IdentityConfig => {
  const compile = (path: readonly string[], source: string | undefined) => {
    if (source === undefined) return undefined
    const compilation = compileText(source, about)
    if (compilation.ok) return compilation.expression
    report(path, compilation.message)
    return undefined
  }
  const short = typeof given === 'string'
  const { from, ...steps } = short ? groups.parse({ from: given }) : (given ?? groups.parse({}))
  return {
    about,
    user: compile(['user'], user),
    uid: compile(['uid'], uid),
    groups: { ...steps, from: compile(short ? ['groups'] : ['groups', 'from'], from) },
    extra:
      extra &&
      Object.fromEntries(
        Object.entries(extra).flatMap(([key, source]) => {
          const compiled = compile(['extra', key], source)
          return compiled === undefined ? [] : [[key, compiled] as const]
        }),
      ),
    limits: most,
    examples,
  }
}

/** An authenticator without an `identity`: everything as proven, within the default limits. */
export const AS_PROVEN: IdentityConfig = compileIdentity(
  identitySchema.parse({}),
  'account',
  () => {},
)
