// Expressions in the Common Expression Language (github.com/google/cel-spec): compiled and checked
// for types when the configuration is read, so that a request can only find what the types allow.

import { Environment } from '@marcbachmann/cel-js'

/** What an expression about an identity sees as `identity`. */
export interface IdentityVariables {
  readonly user: string
  /** Absent when the credential says none: `has(identity.uid)`. */
  readonly uid?: string | undefined
  readonly groups: readonly string[]
  readonly extra: Readonly<Record<string, readonly string[]>>
  /** How the identity was proven, such as `basic`. */
  readonly method: string
  /** The authenticator, by its name in the configuration. */
  readonly authenticator: string
}

/** An expression that yields text: one value, or any number. */
export interface TextExpression {
  /** As it stands in the configuration. */
  readonly source: string
  /** The values in order; `undefined` when this identity gives none, such as a missing key. */
  evaluate(identity: IdentityVariables): readonly string[] | undefined
}

/** An expression that can be used, or what is wrong with it. */
export type Compilation =
  | { readonly ok: true; readonly expression: TextExpression }
  | { readonly ok: false; readonly message: string }

const environment = new Environment({
  enableOptionalTypes: true,
  limits: { maxAstNodes: 1_000, maxDepth: 32 },
}).registerVariable({
  name: 'identity',
  schema: {
    user: 'string',
    uid: 'string',
    groups: 'list<string>',
    extra: 'map<string, list<string>>',
    method: 'string',
    authenticator: 'string',
  },
})

/** Compiles an expression about `identity` whose type is `string` or `list<string>`. */
export const compileText = (source: string): Compilation => {
  try {
    const program = environment.parse(source)
    const { valid, type, error } = program.check()
    if (!valid) return { ok: false, message: describe(error) }
    if (!TEXT_TYPES.has(type ?? '')) {
      return { ok: false, message: `yields ${type}, where string or list<string> belongs` }
    }
    return { ok: true, expression: { source, evaluate: evaluation(program) } }
  } catch (cause) {
    return { ok: false, message: describe(cause) }
  }
}

// "list<T>" is the type of an empty list.
const TEXT_TYPES: ReadonlySet<string> = new Set(['string', 'list<string>', 'list<T>'])

const evaluation =
  (program: ReturnType<Environment['parse']>): TextExpression['evaluate'] =>
  (identity) => {
    let value: unknown
    try {
      value = program({ identity })
    } catch {
      return undefined
    }
    const values: readonly unknown[] = Array.isArray(value) ? value : [value]
    return values.every((one) => typeof one === 'string') ? values : undefined
  }

/** The library's message without its drawing of the source, which editors show anyway. */
const describe = (cause: unknown): string => {
  const [what = ''] = (cause instanceof Error ? cause.message : String(cause)).split('\n', 1)
  const at = cause instanceof Error && 'range' in cause ? cause.range : undefined
  const start =
    typeof at === 'object' && at !== null && 'start' in at ? Number(at.start) : Number.NaN
  return Number.isNaN(start) ? what : `${what} (at character ${start + 1})`
}
