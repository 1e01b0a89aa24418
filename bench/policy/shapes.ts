// The kinds of rule sets that are measured: what they look like when an operator, or a generator, wrote
// many of them, and questions of which each rule takes some.

import type { Policy } from '../../src/authorize/policy.ts'
import type { Question } from '../../src/authorize/question.ts'
import type { RuleConfig } from '../../src/authorize/schema.ts'
import { OperationIndex } from '../../src/request/openapi/operation-index.ts'
import type { Operation } from '../../src/request/openapi/operation.ts'
import type { Published } from '../../src/request/target.ts'
import { questionOf, type QuestionParts } from '../../test/fakes/question.ts'
import { policyOf, type RuleParts } from '../../test/fakes/rules.ts'

/** Rules in the form of a configuration. */
export type Rules = readonly Partial<RuleConfig>[]

/** A kind of rule set. */
export interface Shape {
  /** As the table names it. */
  readonly name: string
  rules(count: number): Rules
  /** The question that is for one rule of so many. */
  question(rule: number, count: number): QuestionParts
  /** What the rules are about, where that is more than HTTP. */
  readonly kind?: 'kubernetes'
  /** How many rules the questions are about, where it is not all. */
  readonly operations?: boolean
}

/** A rule set, compiled, and its questions. */
export interface Prepared {
  readonly policy: Policy
  readonly questions: readonly Question[]
}

const numbers = (count: number): readonly number[] => Array.from({ length: count }, (_, n) => n)

/** Four groups: one that rules name, and three that every user is in. */
const identityOf = (group: string) => ({
  groups: ['everybody', 'vpn', group, 'office'],
})

const USUAL_NAME = 'three rules'

const usual: Shape = {
  name: USUAL_NAME,
  rules: () => [
    { deny: 'no-admin', paths: ['/admin/**'] },
    { allow: 'read', methods: ['GET', 'HEAD'], groups: ['staff'] },
    { allow: 'write', groups: ['editors'] },
  ],
  question: () => ({ identity: identityOf('staff'), request: { path: '/articles/7' } }),
}

const byOperation: Shape = {
  name: 'by operation and group',
  operations: true,
  rules: (count) =>
    numbers(count).map((n) => ({
      allow: `rule-${n}`,
      operations: [`operation${n}`],
      groups: [`team-${n % 50}`, 'admins'],
    })),
  question: (n) => ({
    identity: identityOf(`team-${n % 50}`),
    request: { path: `/service-${n % 40}/things-${n}/8d2f` },
  }),
}

const byNamespace: Shape = {
  name: 'Kubernetes, by namespace and group',
  kind: 'kubernetes',
  rules: (count) =>
    numbers(count).map((n) => ({
      allow: `rule-${n}`,
      verbs: ['get', 'list', 'watch'],
      resources: ['pods', 'pods/log', 'services', 'configmaps'],
      namespaces: [`team-${n % 250}`],
      groups: [`team-${n % 250}-${Math.floor(n / 250)}`],
    })),
  question: (n) => ({
    identity: identityOf(`team-${n % 250}-${Math.floor(n / 250)}`),
    request: { path: `/api/v1/namespaces/team-${n % 250}/pods/web-7d9f` },
  }),
}

const byPath: Shape = {
  name: 'by path, with named segments',
  rules: (count) =>
    numbers(count).map((n) => ({
      allow: `rule-${n}`,
      methods: ['GET', 'POST'],
      paths: [
        n % 2 === 0 ? `/service-${n}/{tenant}/items/**` : `/tenants/{tenant}/service-${n}/items/**`,
      ],
    })),
  question: (n) => ({
    identity: identityOf('staff'),
    request: {
      path: n % 2 === 0 ? `/service-${n}/acme/items/7` : `/tenants/acme/service-${n}/items/7`,
    },
  }),
}

const byExpression: Shape = {
  name: 'by path, each with "when"',
  rules: (count) =>
    byPath.rules(count).map((rule, n) => ({
      ...rule,
      when: `request.segments.tenant in identity.groups && identity.user != "user-${n}"`,
    })),
  question: (n, count) => ({ ...byPath.question(n, count), identity: identityOf('acme') }),
}

const byPatterns: Shape = {
  name: 'by patterns of users',
  rules: (count) =>
    numbers(count).map((n) => ({ allow: `rule-${n}`, users: [`*-${n}@*.example.org`] })),
  question: (n) => ({ identity: { user: `someone-${n}@mail.example.org` } }),
}

/** The rules of nearly every route: what many are compared with. */
export const USUAL: Shape = usual

/** Those that there may be many of. */
export const SHAPES: readonly Shape[] = [byOperation, byNamespace, byPath, byExpression, byPatterns]

/** As many operations as there are rules. */
export const operationsOf = (count: number): readonly Operation[] =>
  numbers(count).map((n) => ({
    id: `operation${n}`,
    method: 'GET',
    template: `/service-${n % 40}/things-${n}/{id}`,
    tags: [`service-${n % 40}`],
    deprecated: false,
    scopes: [[]],
  }))

/** Compiles a shape with so many rules; the questions are for rules all over. */
export const prepareShape = (shape: Shape, count: number, questions = 1_000): Prepared => {
  const { kind = 'http' } = shape
  const operations = shape.operations === true ? operationsOf(count) : undefined
  const published: Published = {
    kind,
    operations: operations && new OperationIndex(operations, ''),
  }
  const rules: readonly RuleParts[] = shape.rules(count)
  return {
    policy: policyOf(rules, { kind, operations }),
    questions: numbers(questions).map((n) =>
      // A stride without a common divisor with usual counts: no rule after its neighbour.
      questionOf({ ...shape.question((n * 617) % count, count), published }),
    ),
  }
}
