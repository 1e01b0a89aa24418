// Rules and questions at random, from few words, so that they meet often.

import type { RuleConfig } from '../../src/authorize/schema.ts'
import { OperationIndex } from '../../src/request/openapi/operation-index.ts'
import type { Operation } from '../../src/request/openapi/operation.ts'
import type { QuestionParts } from '../fakes/question.ts'

/** A number below another, as {@link randomFrom} gives it. */
type Random = (below: number) => number

const WORDS = ['a', 'b', 'ab', 'ba', 'abb', 'c']
const PATTERNS = [...WORDS, 'a*', '*b', '*', 'a*b', '*a*']
const VERBS = ['get', 'list', 'watch', 'create', 'delete', '*']
const HOSTS = ['a.org', 'b.org', 'x.a.org', 'a.b.org']
const HOST_PATTERNS = [...HOSTS, '*.a.org', '*.org', '*']
const ADDRESSES = ['10.0.0.1', '10.9.0.1', '192.0.2.1', '2001:db8::1', '::ffff:10.0.0.1', '']
const NETWORKS = ['10.0.0.0/8', '10.0.0.0/16', '192.0.2.1', '2001:db8::/32', '::/0']
const SEGMENTS = ['a', 'b', 'ab', '*', '**', '{a}', '{b}', 'a*', '*b', 'a**b', '{a-b}', '']

const pick = <T>(random: Random, from: readonly T[]): T => {
  const found = from[random(from.length)]
  if (found === undefined) throw new TypeError('nothing to pick from')
  return found
}

const some = (random: Random, from: readonly string[]): string[] =>
  Array.from({ length: 1 + random(3) }, () => pick(random, from))

const globOf = (random: Random): string => {
  const segments = Array.from({ length: random(5) }, () => pick(random, SEGMENTS))
  const names = segments.filter((segment) => /^\{[a-z]\}$/.test(segment))
  // What the configuration would refuse: names without a place.
  const unsure =
    new Set(names).size < names.length ||
    (names.length > 0 && segments.filter((segment) => segment === '**').length > 1)
  return unsure ? globOf(random) : `/${segments.join('/')}`
}

/** Operations of which the questions ask for some. */
export const OPERATIONS: readonly Operation[] = WORDS.flatMap((word) => [
  {
    id: word,
    method: 'GET',
    template: `/${word}`,
    tags: [word.slice(0, 1)],
    deprecated: false,
    scopes: [[]],
  },
  {
    id: `${word}-one`,
    method: 'POST',
    template: `/${word}/{id}`,
    tags: ['one'],
    deprecated: false,
    scopes: [[]],
  },
])

/** What kind of route the rules are for. */
export type Kind = 'http' | 'kubernetes' | 'openapi'

/** A rule in which each matcher is present or not. */
export const randomRule = (random: Random, name: string, kind: Kind): Partial<RuleConfig> => {
  const rarely = <K extends keyof RuleConfig>(key: K, make: () => RuleConfig[K], of = 6) =>
    random(of) === 0 ? { [key]: make() } : {}
  const names = (): string[] => some(random, random(3) === 0 ? PATTERNS : WORDS)
  return {
    [random(3) === 0 ? 'deny' : 'allow']: name,
    shadow: random(8) === 0,
    ...rarely('users', names),
    ...rarely('groups', names),
    ...rarely('authenticators', () => some(random, WORDS)),
    ...rarely('methods', () => some(random, ['GET', 'POST', 'PUT', 'DELETE'])),
    ...rarely('hosts', () => some(random, HOST_PATTERNS)),
    ...rarely('paths', () => Array.from({ length: 1 + random(2) }, () => globOf(random)), 3),
    ...rarely('sources', () => some(random, NETWORKS)),
    ...rarely('times', () => [
      { timeZone: 'UTC', days: [pick(random, ['mon', 'tue', 'wed'] as const)] },
    ]),
    ...rarely(
      'when',
      () => pick(random, ['identity.user < "b"', 'request.headers["x"][0] == "1"', 'true']),
      20,
    ),
    ...(kind === 'kubernetes' && {
      ...rarely('verbs', () => some(random, VERBS)),
      ...rarely('apiGroups', () => some(random, ['', ...PATTERNS])),
      ...rarely('resources', () => some(random, ['a', 'b', 'ab', 'a*', '*', 'a/b', 'b/*', '*/a'])),
      ...rarely('namespaces', () =>
        some(random, random(3) === 0 ? ['', ...PATTERNS] : ['', ...WORDS]),
      ),
      ...rarely('names', () => some(random, ['', ...PATTERNS])),
      ...rarely('impersonate', () => pick(random, [{}, { users: ['a*'] }, { groups: ['b'] }])),
    }),
    ...(kind === 'openapi' && {
      ...rarely('operations', () => some(random, [...WORDS, 'a*', '*one'])),
      ...rarely('tags', () => some(random, ['a', 'b', 'c', 'one', '*'])),
      ...rarely('templates', () => some(random, ['/a', '/b/{id}', '/a*', '/c'])),
    }),
  }
}

const published = { kind: 'http', operations: new OperationIndex(OPERATIONS, '') } as const

const pathOf = (random: Random, kind: Kind): string => {
  if (kind === 'openapi' && random(4) > 0) {
    return `/${pick(random, WORDS)}${random(2) === 0 ? '' : `/${pick(random, WORDS)}`}`
  }
  if (kind === 'kubernetes' && random(6) > 0) {
    const prefix = random(2) === 0 ? '/api/v1' : `/apis/${pick(random, WORDS)}/v1`
    const namespace = random(3) === 0 ? '' : `/namespaces/${pick(random, WORDS)}`
    const rest = [['a', 'b', 'ab'], WORDS, ['a', 'b']].slice(0, 1 + random(3))
    return `${prefix}${namespace}${rest.map((from) => `/${pick(random, from)}`).join('')}`
  }
  const segments = Array.from({ length: 1 + random(4) }, () =>
    pick(random, [...WORDS, 'axb', 'aab']),
  )
  return `/${segments.join('/')}${kind !== 'openapi' && random(4) === 0 ? '/' : ''}`
}

/** A question for rules of that kind. */
export const randomQuestion = (random: Random, kind: Kind): QuestionParts => ({
  identity: {
    user: pick(random, WORDS),
    groups: Array.from({ length: random(4) }, () => pick(random, WORDS)),
    authenticator: pick(random, WORDS),
  },
  request: {
    method: pick(random, ['GET', 'POST', 'PUT', 'DELETE', 'PURGE']),
    host: pick(random, HOSTS),
    path: pathOf(random, kind),
    sourceAddress: pick(random, ADDRESSES),
    headers: [
      ...(random(2) === 0 ? [['x', String(random(2))] as const] : []),
      ...(kind === 'kubernetes' && random(5) === 0
        ? [['impersonate-user', pick(random, WORDS)] as const]
        : []),
    ],
  },
  published: kind === 'openapi' ? published : { kind },
  at: Date.UTC(2026, 0, 5 + random(4)),
})
