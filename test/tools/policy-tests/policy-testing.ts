// Configurations with tests of its rules, built as `countersign test` builds them, and run.

import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { buildOffline } from '../../../src/tools/offline.ts'
import { coverageOf, type RuleCoverage } from '../../../src/tools/policy-tests/coverage.ts'
import {
  runPolicyTests,
  type PolicyTestResult,
  type TestedState,
} from '../../../src/tools/policy-tests/run.ts'
import { ConfigurationFiles } from '../../../src/config/files.ts'
import { temporaryFolder } from '../../servers/temporary.ts'

// No server answers at any of them.
const HEAD = `
version: 1
listen: { authz: unix:authz.sock }
authenticators:
  tokens: { bearer: { issuer: https://login.invalid, audiences: [a] } }
  staff: { basic: { verify: [{ ldap: { servers: [ldaps://ldap.invalid], direct: ['uid={user}'] } }] } }
  partners: { basic: { realm: Partners, verify: [{ ldap: { servers: [ldaps://ldap.invalid], direct: ['uid={user}'] } }] } }
  keys: { apiKey: { file: keys.yaml, locations: [{ query: api_key }, { header: x-api-key }] } }
  nobody: { anonymous: { user: visitor, groups: [visitors] } }
`

/** The result. */
interface Run {
  readonly results: readonly PolicyTestResult[]
  readonly rules: readonly RuleCoverage[]
}

/**
 * Runs tests.
 *
 * @param routes the entries of `routes`, each indented by two
 * @param tests the entries of `tests`, likewise
 * @param change of the state that is put to the test
 */
export const runTests = async (
  routes: string,
  tests: string,
  change: (state: TestedState) => TestedState = (state) => state,
): Promise<Run> => {
  await using folder = await temporaryFolder()
  await writeFile(folder.file('keys.yaml'), 'keys: {}')
  const file = folder.file('countersign.yaml')
  await writeFile(file, `${HEAD}routes:\n${routes}\ntests:\n${tests}\n`)
  await using snapshot = await buildOffline(file, new ConfigurationFiles())
  const results = await runPolicyTests(change(snapshot))
  return { results, rules: coverageOf(snapshot.config.routes, results) }
}

/** Routes of every kind. */
export const ROUTES = `
  - name: app
    match: { hosts: [app.example] }
    authenticate: [tokens, { all: [staff, tokens, partners] }, keys]
    authorize:
      - { deny: watched, shadow: true, methods: [DELETE] }
      - { allow: broken, shadow: true, paths: [/broken], when: claims.a.b == 1 }
      - { deny: banned, users: [mallory], response: { status: 451, message: Go away., headers: { x-why: ban } } }
      - { deny: moved, paths: [/old/**], redirect: 'https://new.example/?was={url}&decision={decision}' }
      - { deny: fails, paths: [/fails], when: claims.level > 3 }
      - { allow: level, paths: [/level], when: claims.level > 3 }
      - { allow: at-night, paths: [/night], times: [{ from: '22:00', to: '06:00' }] }
      - { allow: by-card, paths: [/card], when: certificate.subjectName == "CN=alice" }
      - { allow: by-staff, paths: [/staff], authenticators: [staff] }
      - { allow: by-name, paths: [/name], when: request.serverName == "app.example" }
      - { allow: near, paths: [/near], sources: [10.0.0.0/8] }
      - list: team
        rules:
          - { allow: team-reads, groups: ['team-*'], methods: [GET] }
          - { deny: team-rest, groups: ['team-*'] }
      - list: plans
        shadow: true
        rules:
          - { allow: plan-a, paths: [/plan/**] }
          - { deny: plan-b }
    forward: { headers: kubernetes }
  - name: kube
    kind: kubernetes
    match: { hosts: [kube.example] }
    authenticate: [partners]
    authorize:
      - { deny: no-secrets, resources: [secrets] }
      - { allow: pods, verbs: [get, list], resources: [pods], namespaces: [web] }
      - { allow: as-bob, impersonate: { users: [bob] } }
    forward: { headers: kubernetes }
  - name: open
    match: { hosts: [open.example] }
    authenticate: [staff, nobody]
    authorize: [{ allow: visitors, groups: [visitors] }]`

/**
 * Runs one test.
 *
 * @param test its keys besides its name
 */
export const runTest = async (test: string, routes = ROUTES): Promise<PolicyTestResult> => {
  const { results } = await runTests(routes, `  - { name: t, ${test} }`)
  const [result] = results
  assert.ok(result !== undefined && results.length === 1)
  return result
}

/** The request of a test, for the first of {@link ROUTES}. */
export const app = (path = '/', more = ''): string =>
  `request: { host: app.example, path: '${path}'${more} }`
