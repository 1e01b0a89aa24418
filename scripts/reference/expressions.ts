// docs/reference/expressions.md: the variables and functions of CEL expressions, with examples.

import type { Subject } from '../../src/expression/environments.ts'
import { environmentOf, VARIABLES } from '../../src/expression/environments.ts'
import { FUNCTION_GROUPS, OPERATORS, type FunctionText } from './expression-functions.ts'
import { UNSUPPORTED } from './expression-unsupported.ts'
import { ENVIRONMENT_KEYS, VARIABLE_TEXTS } from './expression-variables.ts'
import { code, codes, table, type ReferencePage } from './markdown.ts'

/** The page. */
export const expressionsPage = (): ReferencePage => ({
  file: 'docs/reference/expressions.md',
  title: 'Expressions',
  from: 'src/expression/ and scripts/reference/expression-*.ts',
  body: [
    'Expressions are written in the [Common Expression Language](https://github.com/google/cel-spec) (CEL). They are compiled and type-checked when the configuration is read. An expression that fails for a request refuses it; each evaluation has a budget of work.',
    '## Variables',
    table(
      ['variables', 'in expressions of'],
      ENVIRONMENTS.map((about) => [codes(variablesOf(about)), codes(ENVIRONMENT_KEYS[about])]),
    ),
    'The examples are true for a user `alice` with the uid `1001`, the groups `dev` and `ops`, and the extra attribute `team: [blue]`, who sends `GET https://kube.example.org/api/v1/namespaces/team-a/pods?limit=500&labelSelector=app%3Dweb` or, for `operation`, `GET /orders/7`, on 27 November 2026.',
    ...Object.entries(VARIABLE_TEXTS).flatMap(([name, { meaning, fields }]) => [
      `### ${name}`,
      meaning,
      table(
        ['field', 'type', 'meaning', 'example'],
        Object.entries(fields).map(([field, text]) => [
          code(`${name}.${field}`),
          code(typeOf(name, field)),
          text.meaning,
          code(text.example),
        ]),
      ),
    ]),
    '### claims',
    'The claims of the token, by name: whatever the issuer wrote. `claims.?email` is optional, and `has(claims.email)` says whether there is one. Empty for a caller without a token.',
    '### request.segments',
    'In rules whose `paths` have named segments, such as `/tenants/{tenant}/**`: the text of each, `request.segments.tenant`.',
    '## Operators',
    functionTable(OPERATORS.map((text) => ['', text])),
    ...FUNCTION_GROUPS.flatMap(({ title, functions }) => [
      `## ${title}`,
      functionTable(Object.entries(functions)),
    ]),
    '## Refused when the configuration is read',
    'Of CEL and the extensions of cel-go, expressions do not have these ([Standards](standards.md#cel) has the differences and the figures of the conformance tests).',
    table(
      ['part', 'example', 'instead'],
      UNSUPPORTED.map(({ meaning, example, instead = '' }) => [
        meaning,
        example.includes('`') ? `\`\` ${example} \`\`` : code(example),
        instead,
      ]),
    ),
  ],
})

const ENVIRONMENTS = [
  'account',
  'claims',
  'certificate',
  'caller',
  'identity',
  'rule',
] as const satisfies readonly (Subject | 'rule')[]

const RULE = { kubernetes: true, operation: true, segments: [] }

/** The environment of the compiler, with all that a rule may have. */
export const environment = (about: Subject | 'rule'): ReturnType<typeof environmentOf> =>
  environmentOf(about === 'rule' ? RULE : about)

const variablesOf = (about: Subject | 'rule'): readonly string[] =>
  environment(about)
    .getDefinitions()
    .variables.map(({ name }) => name)
    .filter((name) => name === 'claims' || Object.hasOwn(VARIABLES, name))

const typeOf = (name: string, field: string): string => {
  const fields: Readonly<Record<string, Readonly<Record<string, unknown>>>> = VARIABLES
  const type = fields[name]?.[field]
  if (typeof type !== 'string') return 'map'
  return type === 'google.protobuf.Timestamp' ? 'timestamp' : type
}

const functionTable = (rows: readonly (readonly [name: string, text: FunctionText])[]): string =>
  table(
    rows.some(([name]) => name !== '')
      ? ['function', 'meaning', 'example', 'result']
      : ['meaning', 'example', 'result'],
    rows.flatMap(([name, { meaning, examples }]) =>
      examples.map(([source, result], index) => [
        ...(name === '' ? [] : [index === 0 ? code(name) : '']),
        index === 0 ? meaning : '',
        code(source),
        result === undefined ? 'nothing' : code(JSON.stringify(result)),
      ]),
    ),
  )
