// Expressions in the Common Expression Language (github.com/google/cel-spec): compiled and checked
// for types when the configuration is read, so that a request can only find what the types allow.

import { Environment } from '@marcbachmann/cel-js'

/** Variables by name, as an expression sees them. */
export type Variables = Readonly<Record<string, unknown>>

/** An expression that yields text: one value, or any number. */
export interface TextExpression {
  /** As it stands in the configuration. */
  readonly source: string
  /** The values in order; `undefined` when there are none to be had, such as a missing key. */
  evaluate(variables: Variables): readonly string[] | undefined
}

/** An expression that says yes or no. */
export interface Condition {
  readonly source: string
  /** `undefined` when it cannot be said, such as for a missing key: never to be taken for a yes. */
  evaluate(variables: Variables): boolean | undefined
}

/** An expression that can be used, or what is wrong with it. */
export type Compilation<T> =
  | { readonly ok: true; readonly expression: T }
  | { readonly ok: false; readonly message: string }

const base = new Environment({
  enableOptionalTypes: true,
  limits: { maxAstNodes: 1_000, maxDepth: 32 },
})

const NAMES = 'list<string>'
const CREDENTIAL = {
  user: 'string',
  uid: 'string', // absent when the credential says none: has(identity.uid)
  groups: NAMES,
  extra: 'map<string, list<string>>',
} as const

/** What an expression may speak of, by what it is for. */
const ENVIRONMENTS = {
  /** A proven identity. */
  identity: base.clone().registerVariable({
    name: 'identity',
    schema: { ...CREDENTIAL, method: 'string', authenticator: 'string' },
  }),
  /** A user and what a verifier knows of it. */
  account: base.clone().registerVariable({ name: 'account', schema: { ...CREDENTIAL } }),
  /** The claims of a token. What type each has only the token knows. */
  claims: base.clone().registerVariable('claims', 'map<string, dyn>'),
  /** A client certificate. */
  certificate: base.clone().registerVariable({
    name: 'certificate',
    schema: {
      subject: 'map<string, list<string>>',
      subjectName: 'string',
      issuerName: 'string',
      dns: NAMES,
      uris: NAMES,
      emails: NAMES,
      ips: NAMES,
      upns: NAMES,
      serial: 'string',
      fingerprint: 'string',
      purposes: NAMES,
      policies: NAMES,
      extensions: 'map<string, string>',
    },
  }),
} as const

/** What an expression is about. */
export type Subject = keyof typeof ENVIRONMENTS

/** Compiles an expression whose type is `string` or `list<string>`. */
export const compileText = (source: string, about: Subject): Compilation<TextExpression> =>
  compile(source, about, TEXT_TYPES, 'string or list<string>', (value) => {
    const values: readonly unknown[] = Array.isArray(value) ? value : [value]
    return values.every((one) => typeof one === 'string') ? values : undefined
  })

/** Compiles an expression whose type is `bool`. */
export const compileCondition = (source: string, about: Subject): Compilation<Condition> =>
  compile(source, about, CONDITION_TYPES, 'bool', (value) =>
    typeof value === 'boolean' ? value : undefined,
  )

// "list<T>" is the type of an empty list. Claims are `dyn` until they are there.
const TEXT_TYPES: ReadonlySet<string> = new Set([
  'string',
  'list<string>',
  'list<T>',
  'list',
  'dyn',
  'list<dyn>',
])
const CONDITION_TYPES: ReadonlySet<string> = new Set(['bool', 'dyn'])

const compile = <T>(
  source: string,
  about: Subject,
  types: ReadonlySet<string>,
  wanted: string,
  read: (value: unknown) => T | undefined,
): Compilation<{
  readonly source: string
  evaluate: (variables: Variables) => T | undefined
}> => {
  try {
    const program = ENVIRONMENTS[about].parse(source)
    const { valid, type, error } = program.check()
    if (!valid) return { ok: false, message: describe(error) }
    if (!types.has(type ?? '') || (type?.includes('dyn') === true && about !== 'claims')) {
      return { ok: false, message: `yields ${type}, where ${wanted} belongs` }
    }
    const evaluate = (variables: Variables): T | undefined => {
      try {
        return read(program(variables))
      } catch {
        return undefined
      }
    }
    return { ok: true, expression: { source, evaluate } }
  } catch (cause) {
    return { ok: false, message: describe(cause) }
  }
}

/** The library's message without its drawing of the source, which editors show anyway. */
const describe = (cause: unknown): string => {
  const [what = ''] = (cause instanceof Error ? cause.message : String(cause)).split('\n', 1)
  const at = cause instanceof Error && 'range' in cause ? cause.range : undefined
  const start =
    typeof at === 'object' && at !== null && 'start' in at ? Number(at.start) : Number.NaN
  return Number.isNaN(start) ? what : `${what} (at character ${start + 1})`
}
