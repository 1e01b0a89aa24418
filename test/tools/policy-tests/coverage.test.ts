// Which rules count as touched by tests: those that decided, or would have.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { runTests } from './policy-testing.ts'

const ROUTES = `
  - name: app
    match: { hosts: [app.example] }
    authenticate: [tokens]
    authorize:
      - { deny: first, paths: [/first] }
      - { deny: shaded, shadow: true, paths: [/shaded] }
      - { deny: fails-in-shadow, shadow: true, paths: [/fails], when: claims.x }
      - { allow: fails, paths: [/fails], when: claims.x }
      - list: team
        rules:
          - { allow: second, paths: [/second, /first] }
          - { deny: last }
      - list: plans
        shadow: true
        rules: [{ allow: behind-all }]
  - name: other
    match: { hosts: [other.example] }
    authenticate: [tokens]
    authorize: [{ allow: last }]`

const asks = (path: string, more = ''): string =>
  `  - { name: t, request: { host: app.example, path: ${path} }, identity: { user: a }, want: { decision: deny${more} } }\n`

const touchedBy = async (tests: string): Promise<readonly string[]> => {
  const { rules } = await runTests(ROUTES, tests)
  return rules.flatMap(({ route, rule, touched }) => (touched ? [`${route}/${rule}`] : []))
}

describe('a rule is touched', { concurrency: true }, () => {
  const CASES: readonly {
    readonly name: string
    readonly tests: string
    readonly want: readonly string[]
  }[] = [
    { name: 'by none of no tests', tests: '  []', want: [] },
    { name: 'when it decides, and none behind it is', tests: asks('/first'), want: ['app/first'] },
    {
      name: 'in a list, and none before it that was only tried',
      tests: asks('/second'),
      want: ['app/second'],
    },
    {
      name: 'in shadow, with the one that decides, on its own route alone',
      tests: asks('/shaded'),
      want: ['app/shaded', 'app/last'],
    },
    { name: 'not when it could not be evaluated', tests: asks('/fails'), want: [] },
    {
      name: 'by a test that fails, for it decided all the same',
      tests: asks('/first', ', status: 200'),
      want: ['app/first'],
    },
    {
      name: 'not by a test that cannot be run',
      tests: asks('/first', ', rule: none'),
      want: [],
    },
    {
      name: 'not by a request that no route takes',
      tests: `  - { name: t, request: { host: new.example }, want: { decision: deny } }`,
      want: [],
    },
    {
      name: 'not by a request that is refused before the rules',
      tests: `  - { name: t, request: { host: app.example }, want: { decision: deny } }`,
      want: [],
    },
    {
      name: 'on its own route, and none of its name on another',
      tests:
        '  - { name: t, request: { host: other.example }, identity: { user: a }, want: { decision: allow } }',
      want: ['other/last'],
    },
    {
      name: 'by each of several tests',
      tests: asks('/first') + asks('/second') + asks('/x'),
      want: ['app/first', 'app/second', 'app/last'],
    },
  ]
  for (const { name, tests, want } of CASES) {
    it(name, async () => {
      assert.deepEqual(await touchedBy(tests), want)
    })
  }
})

describe('the coverage', () => {
  it('has every rule in the order of the file, with its place', async () => {
    const { rules } = await runTests(ROUTES, '  []')
    assert.deepEqual(
      rules.map(({ path, effect, rule, shadow }) => [path.join('.'), effect, rule, shadow]),
      [
        ['routes.0.authorize.0', 'deny', 'first', false],
        ['routes.0.authorize.1', 'deny', 'shaded', true],
        ['routes.0.authorize.2', 'deny', 'fails-in-shadow', true],
        ['routes.0.authorize.3', 'allow', 'fails', false],
        ['routes.0.authorize.4.rules.0', 'allow', 'second', false],
        ['routes.0.authorize.4.rules.1', 'deny', 'last', false],
        ['routes.0.authorize.5.rules.0', 'allow', 'behind-all', true],
        ['routes.1.authorize.0', 'allow', 'last', false],
      ],
    )
  })
})
