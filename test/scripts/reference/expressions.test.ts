// The page of expressions: its examples yield what it says, and it has every function and variable.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { FUNCTION_GROUPS, OPERATORS } from '../../../scripts/reference/expression-functions.ts'
import {
  ENVIRONMENT_KEYS,
  VARIABLE_TEXTS,
} from '../../../scripts/reference/expression-variables.ts'
import { environment } from '../../../scripts/reference/expressions.ts'
import { compileText, compileValue } from '../../../src/expression/cel.ts'
import { REPLACED } from '../../../src/expression/functions.ts'
import { OperationIndex } from '../../../src/request/openapi/operation-index.ts'
import type { Operation } from '../../../src/request/openapi/operation.ts'
import { decide } from '../../fakes/decide.ts'
import type { QuestionParts } from '../../fakes/question.ts'
import { textOf } from '../../docs/markdown.ts'

const FUNCTIONS = FUNCTION_GROUPS.flatMap(({ functions }) => Object.entries(functions))

describe('the functions of the page', () => {
  it('are those of the environment', () => {
    const names = environment('rule')
      .getDefinitions()
      .functions.map(({ name }) => name)
      .filter((name) => ![...REPLACED.values()].includes(name))
    // `bytes.string()` is the conversion of that name; `type(…)` exists for each type.
    assert.deepEqual(FUNCTIONS.map(([name]) => name).toSorted(), [...new Set(names)].toSorted())
  })

  for (const [name, { examples }] of FUNCTIONS) {
    it(`have an example of ${name} that calls it`, () => {
      assert.ok(examples.length > 0)
      for (const [source] of examples) assert.match(source, new RegExp(`\\b${name}\\(`))
    })
  }

  const EXAMPLES = [...OPERATORS, ...FUNCTIONS.map(([, text]) => text)].flatMap(
    ({ examples }) => examples,
  )
  for (const [source, want] of EXAMPLES) {
    it(`yield ${JSON.stringify(want) ?? 'nothing'} for ${source}`, () => {
      const compiled = compileValue(source, 'caller')
      assert.ok(compiled.ok, compiled.ok ? '' : compiled.message)
      const result = compiled.expression.evaluate({
        identity: {},
        certificate: {},
        claims: { team: 'blue' },
      })
      assert.deepEqual(result, want === undefined ? {} : { value: want })
    })
  }
})

const ALICE = {
  user: 'alice',
  uid: '1001',
  groups: ['dev', 'ops'],
  extra: { team: ['blue'] },
} as const

const CERTIFICATE = {
  subject: { CN: ['alice'], O: ['dev'] },
  subjectName: 'O=dev,CN=alice',
  issuerName: 'O=Example,CN=Example CA',
  dns: [],
  uris: ['spiffe://example.org/alice'],
  emails: ['alice@example.org'],
  ips: [],
  upns: [],
  serial: '0a1b',
  fingerprint: '9f86d081884c7d65',
  purposes: ['1.3.6.1.5.5.7.3.2'],
  policies: [],
  extensions: { '2.5.29.15': 'AwIHgA==' },
} as const

const OPERATIONS: readonly Operation[] = [
  {
    id: 'getOrder',
    method: 'GET',
    template: '/orders/{id}',
    tags: ['orders'],
    deprecated: false,
    scopes: [[]],
  },
]

/** The request of the page. */
const QUESTIONS = {
  kubernetes: {
    published: { kind: 'kubernetes' },
    request: {
      host: 'kube.example.org',
      path: '/api/v1/namespaces/team-a/pods?limit=500&labelSelector=app%3Dweb',
      headers: [['accept', 'application/json']],
    },
  },
  operation: {
    published: { kind: 'http', operations: new OperationIndex(OPERATIONS, '') },
    request: { path: '/orders/7' },
  },
} as const satisfies Record<string, QuestionParts>

describe('the variables of the page', () => {
  for (const [variable, { fields }] of Object.entries(VARIABLE_TEXTS)) {
    for (const [field, { example }] of Object.entries(fields)) {
      it(`have a true example of ${variable}.${field}`, () => {
        assert.ok(example.includes(`${variable}.${field}`))
        if (variable === 'account') {
          const compiled = compileText(`(${example}) ? "true" : "false"`, 'account')
          assert.ok(compiled.ok)
          assert.deepEqual(compiled.expression.evaluate({ account: ALICE }), ['true'])
          return
        }
        const kind = variable === 'operation' ? 'operation' : 'kubernetes'
        const decided = decide(
          [{ allow: 'example', when: example }],
          {
            ...QUESTIONS[kind],
            identity: { ...ALICE, certificate: CERTIFICATE },
            at: Date.UTC(2026, 10, 27, 10),
          },
          kind === 'kubernetes' ? { kind } : { operations: OPERATIONS },
        )
        assert.equal(decided, 'allow:example')
      })
    }
  }

  it('are those that the environments have, in the first table', () => {
    const page = textOf('docs/reference/expressions.md')
    for (const [about, keys] of Object.entries(ENVIRONMENT_KEYS)) {
      for (const key of keys) assert.ok(page.includes(key), about)
    }
    assert.match(
      page,
      /\| `identity`, `certificate`, `claims`, `request`, `kubernetes`, `operation` \|/,
    )
    assert.match(page, /\| `account` \|/)
  })
})
