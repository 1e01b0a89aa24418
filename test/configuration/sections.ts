// A configuration by its sections, each of which a test may replace, and the problems with it.

import assert from 'node:assert/strict'
import { it } from 'node:test'
import { parseConfig } from '../../src/configuration/parse.ts'
import { formatProblem } from '../../src/config/problem.ts'

const FILE = '/etc/countersign.yaml'

const SECTIONS = {
  version: 'version: 1',
  listen: 'listen: { authz: unix:authz.sock }',
  authenticators: `
authenticators:
  staff: { basic: { verify: [{ users: { file: users.yaml } }] } }
  guests: { basic: { verify: [{ users: { file: guests.htpasswd } }] } }`,
  routes: 'routes: [{ name: app, authenticate: [staff], authorize: [{ allow: all }] }]',
  grants: '',
  issuer: '',
  envoy: '',
  tests: '',
}

/** The sections that a test replaces. */
export type Sections = Partial<typeof SECTIONS>

/** An `envoy` section that fits. */
export const ENVOY = `
envoy:
  listener: { address: 0.0.0.0:8443, certificate: edge.pem, key: edge.key }
  upstreams: { app: { address: 10.0.0.1:443, ca: ca.pem } }`

/** `path: message` of each problem; each must have a place. */
export const problemsIn = (sections: Sections): readonly string[] => {
  const text = Object.values({ ...SECTIONS, ...sections }).join('\n')
  const result = parseConfig(FILE, text)
  if (result.ok) return []
  return result.problems.map((problem) => {
    assert.ok(problem.position !== undefined, formatProblem(problem))
    return `${problem.path}: ${problem.message}`
  })
}

interface Case {
  readonly name: string
  readonly input: Sections
  readonly want: readonly RegExp[]
}

/** Makes a test of each case. */
export const checkAll = (cases: readonly Case[]): void => {
  for (const { name, input, want } of cases) {
    it(name, () => {
      const got = problemsIn(input)
      assert.equal(got.length, want.length, got.join('\n'))
      for (const [index, pattern] of want.entries()) assert.match(got[index] ?? '', pattern)
    })
  }
}

/** A problem of the first rule of the first route. */
export const inFirstRule = (path: string, message: string): RegExp =>
  new RegExp(String.raw`^routes\[0\]\.authorize\[0\]${path}: ${message}`)
