// `identity` of an authenticator: how what was proven becomes the name that everything behind it
// knows the caller by.

import { z } from 'zod'
import { compileText, type Subject, type TextExpression } from '../expression/cel.ts'

const expression = z.string().min(1)

/** The `identity` section as it is written; {@link compileIdentity} makes its expressions. */
export const identitySchema = z
  .strictObject({
    user: expression.optional().describe('CEL: the user’s name. Default: as proven.'),
    uid: expression.optional().describe('CEL: a stable identifier, or an empty list for none.'),
    groups: expression.optional().describe('CEL: the groups.'),
    extra: z
      .record(z.string().min(1), expression)
      .optional()
      .describe('Key → CEL: further values. In place of what was proven.'),
  })
  .describe(
    'Who the caller is, in CEL about `account` (passwords, API keys, TokenReview), `claims` (tokens) or `certificate`. What is left out is as proven.',
  )

/** The parsed `identity`, its expressions compiled. */
export interface IdentityConfig {
  readonly user?: TextExpression | undefined
  readonly uid?: TextExpression | undefined
  readonly groups?: TextExpression | undefined
  readonly extra?: Readonly<Record<string, TextExpression>> | undefined
}

/**
 * Compiles the expressions of an `identity`.
 *
 * @param report is told what is wrong, and where
 */
export const compileIdentity = (
  { user, uid, groups, extra }: z.output<typeof identitySchema>,
  about: Subject,
  report: (path: readonly string[], message: string) => void,
): IdentityConfig => {
  const compile = (path: readonly string[], source: string | undefined) => {
    if (source === undefined) return undefined
    const compilation = compileText(source, about)
    if (compilation.ok) return compilation.expression
    report(path, compilation.message)
    return undefined
  }
  const entries = Object.entries(extra ?? {}).flatMap(([key, source]) => {
    const compiled = compile(['extra', key], source)
    return compiled === undefined ? [] : [[key, compiled] as const]
  })
  return {
    user: compile(['user'], user),
    uid: compile(['uid'], uid),
    groups: compile(['groups'], groups),
    extra: extra && Object.fromEntries(entries),
  }
}
