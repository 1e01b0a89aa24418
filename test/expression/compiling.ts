// Expressions about an identity, compiled as the configuration compiles them.

import assert from 'node:assert/strict'
import type { Identity } from '../../src/identity/identity.ts'
import { compileText } from '../../src/expression/cel.ts'

/** What an expression reads of an identity. */
export type IdentityVariables = Pick<
  Identity,
  'user' | 'uid' | 'groups' | 'extra' | 'authenticator'
> & {
  readonly method: string
}

/** An identity with groups and extra attributes. */
export const ALICE: IdentityVariables = {
  user: 'alice',
  groups: ['ops', 'dev', 'team-a'],
  extra: { team: ['blue', 'red'], none: [], 'acme.com/x': ['y'] },
  method: 'basic',
  authenticator: 'staff',
}

/** A compiled expression. */
export interface AboutIdentity {
  readonly source: string
  evaluate(identity: IdentityVariables): readonly string[] | undefined
}

/** Compiles an expression that is accepted. */
export const compiled = (source: string): AboutIdentity => {
  const compilation = compileText(source, 'identity')
  assert.ok(compilation.ok, compilation.ok ? '' : compilation.message)
  const { expression } = compilation
  return { source: expression.source, evaluate: (identity) => expression.evaluate({ identity }) }
}

/** The reason why an expression is refused. */
export const messageOf = (source: string): string => {
  const compilation = compileText(source, 'identity')
  assert.ok(!compilation.ok, source)
  return compilation.message
}
