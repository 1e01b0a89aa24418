// The kinds of credential: the only list of them. Schema, builder, credential locations and tests of policies
// follow from it.

import { anonymous } from './anonymous.ts'
import { apiKey } from './api-key/build.ts'
import { bearer } from './bearer/build.ts'
import { certificate } from './certificate/build.ts'
import { introspection } from './introspection/build.ts'
import type { AuthenticatorKind } from './kind.ts'
import { basic } from './password/build.ts'
import { session } from './session/build.ts'
import { tokenReview } from './token-review/build.ts'

/** By the key of the section. */
export const KINDS = {
  basic,
  bearer,
  introspection,
  tokenReview,
  apiKey,
  certificate,
  session,
  anonymous,
} as const satisfies Readonly<Record<string, AuthenticatorKind>>

/** The key of a section. */
export type KindName = keyof typeof KINDS

const BY_NAME: Readonly<Record<string, AuthenticatorKind>> = KINDS

/** The sections of an authenticator; exactly one, which the schema requires. */
type Sections = { readonly [Name in KindName]?: unknown }

/**
 * The kind of an authenticator, with its section.
 *
 * @throws TypeError where there is none, which the schema refuses
 */
export const kindOf = (
  sections: Sections,
): { readonly name: string; readonly kind: AuthenticatorKind; readonly section: unknown } => {
  for (const [name, section] of Object.entries(sections)) {
    const kind = BY_NAME[name]
    if (kind !== undefined && section !== undefined) return { name, kind, section }
  }
  throw new TypeError('an authenticator of no kind')
}

/** The keys of the configured sections. */
export const kindsIn = (sections: object): readonly string[] =>
  Object.keys(KINDS).filter((name) => name in sections)

/** Every location of the credential of an authenticator. */
export const locationsOf = (sections: Sections): ReturnType<AuthenticatorKind['locations']> => {
  const { kind, section } = kindOf(sections)
  return kind.locations(section)
}
