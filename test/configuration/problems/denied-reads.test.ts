// Warnings about rules that deny reading and leave a verb that the API server answers with the object.
// That it does answer so is shown on a real one in test/e2e/secrets.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { deniedReadWarnings } from '../../../src/configuration/problems/denied-reads.ts'
import { parseConfig } from '../../../src/configuration/parse.ts'

const READING = 'verbs: [get, list, watch]'
const REST = '{ allow: rest }'

interface Left {
  readonly verbs: readonly string[]
  readonly by: string
  readonly path: string
}

/** What the rules leave, as the warnings tell it. */
const leftBy = (rules: readonly string[], kind = 'kubernetes'): readonly Left[] => {
  const text = `
version: 1
listen: { authz: unix:authz.sock }
authenticators: { staff: { basic: { verify: [{ users: { file: users.yaml } }] } } }
routes:
  - name: kube
    kind: ${kind}
    authenticate: [staff]
    authorize:
${rules.map((rule) => `      - ${rule}`).join('\n')}
`
  const result = parseConfig('/etc/countersign.yaml', text)
  assert.ok(result.ok, JSON.stringify(result))
  return deniedReadWarnings(result.config, result.locate).map(({ path, message, position }) => {
    assert.ok(position !== undefined)
    const match = /and "([^"]+)" allows .*: ([a-z, ]+)\. Leave/.exec(message)
    assert.ok(match, message)
    return { verbs: (match[2] ?? '').split(', '), by: match[1] ?? '', path }
  })
}

/** The verbs that the first warning tells; none where there is no warning. */
const verbsLeftBy = (...rules: readonly string[]): readonly string[] =>
  leftBy(rules)[0]?.verbs ?? []

const WRITES = ['patch', 'delete', 'deletecollection']

describe('a deny of reading secrets with', () => {
  const CASES = [
    { name: 'the verbs get, list, watch', rule: READING, want: WRITES },
    {
      name: 'the verbs get, list, watch, deletecollection',
      rule: 'verbs: [get, list, watch, deletecollection]',
      want: ['patch', 'delete'],
    },
    { name: 'the verb get only', rule: 'verbs: [get]', want: ['list', 'watch', ...WRITES] },
    { name: 'the verb list only', rule: 'verbs: [list]', want: ['watch', 'deletecollection'] },
    { name: 'methods in place of verbs', rule: 'methods: [GET, HEAD]', want: WRITES },
    {
      name: 'every verb whose answer is the object',
      rule: 'verbs: [get, list, watch, patch, delete, deletecollection]',
      want: [],
    },
    { name: 'no verbs', rule: 'users: ["*"]', want: [] },
    { name: 'the verb "*"', rule: 'verbs: ["*"]', want: [] },
    { name: 'verbs of writing only', rule: 'verbs: [create, patch]', want: [] },
  ]
  for (const { name, rule, want } of CASES) {
    it(`${name} leaves ${want.join(', ') || 'nothing'} readable`, () => {
      assert.deepEqual(
        verbsLeftBy(`{ deny: no-secrets, resources: [secrets], ${rule} }`, REST),
        want,
      )
    })
  }

  it('is reported with its path, and with the rule that allows the other verbs', () => {
    const rules = [`{ deny: no-secrets, resources: [secrets], ${READING} }`, REST]
    assert.deepEqual(leftBy(rules), [
      { verbs: WRITES, by: 'rest', path: 'routes[0].authorize[0].verbs' },
    ])
  })

  it('is reported for a rule in a list', () => {
    const list = `{ list: first, rules: [{ deny: no-secrets, resources: [secrets], ${READING} }] }`
    assert.equal(leftBy([list, REST])[0]?.path, 'routes[0].authorize[0].rules[0].verbs')
  })

  it('is not reported on a route that is not an API server', () => {
    assert.deepEqual(leftBy([`{ deny: x, methods: [GET], paths: ['/api/**'] }`, REST], 'http'), [])
  })

  it('in shadow is not reported, since it denies nothing', () => {
    const rule = `{ deny: no-secrets, shadow: true, resources: [secrets], ${READING} }`
    assert.deepEqual(leftBy([rule, REST]), [])
  })
})

describe('the answers to updates of other resources', () => {
  const leaving = (keys: string): readonly string[] =>
    verbsLeftBy(`{ deny: no-reading, ${READING}, ${keys} }`, REST)

  it('contain the object, also to an update of its status', () => {
    const want = ['patch', 'update', 'delete', 'deletecollection']
    assert.deepEqual(leaving('resources: [deployments]'), want)
    assert.deepEqual(leaving('resources: ["*"]'), want)
    assert.deepEqual(leaving('namespaces: [prod]'), want)
    assert.deepEqual(leaving('names: [db]'), want)
    assert.deepEqual(leaving('apiGroups: [example.org], resources: [secrets]'), want)
  })

  it('contain the object where a subresource of it is updated', () => {
    assert.deepEqual(leaving('resources: [deployments/status]'), ['patch', 'update'])
    assert.deepEqual(leaving('resources: [pods/ephemeralcontainers]'), ['patch', 'update'])
    assert.deepEqual(leaving('resources: ["pods/*"]'), ['patch', 'update'])
  })

  it('do not contain the object for subresources such as log, exec and scale', () => {
    assert.deepEqual(leaving('resources: [pods/log, pods/exec, deployments/scale]'), [])
  })

  it('do not contain the object for paths without a resource', () => {
    assert.deepEqual(leaving("paths: ['/logs/**']"), [])
  })

  it('are reported for denied paths as well', () => {
    const rule = `{ deny: x, methods: [GET, HEAD], paths: ['/api/*/namespaces/*/secrets/**'] }`
    assert.deepEqual(verbsLeftBy(rule, REST), ['patch', 'update', 'delete', 'deletecollection'])
  })
})

describe('no warning about readable secrets is printed', () => {
  const DENY = `{ deny: no-secrets, resources: [secrets], ${READING} }`
  const NARROW = `{ deny: no-secrets, resources: [secrets], namespaces: [prod], groups: [dev], ${READING} }`
  const WRITING = 'verbs: [patch, delete, deletecollection]'
  const CASES = [
    {
      name: 'where a later rule denies the other verbs',
      rules: [DENY, `{ deny: no-writing, resources: [secrets], ${WRITING} }`, REST],
    },
    {
      name: 'where an earlier rule denies the other verbs',
      rules: [`{ deny: no-writing, resources: [secrets], ${WRITING} }`, DENY, REST],
    },
    {
      name: 'where a wider rule denies the other verbs',
      rules: [DENY, `{ deny: no-writing, verbs: [patch, update, delete, deletecollection] }`, REST],
    },
    {
      name: 'where rules with a pattern deny the other verbs',
      rules: [NARROW, `{ deny: rest-of-it, resources: ['secret*'], namespaces: ['prod*'] }`, REST],
    },
    {
      name: 'where the rules deny the other verbs to the same groups',
      rules: [NARROW, `{ deny: no-writing, resources: [secrets], groups: [dev] }`, REST],
    },
    {
      name: 'where no rule allows the other verbs',
      rules: [DENY, '{ allow: pods, resources: [pods] }'],
    },
    { name: 'where only reading is allowed', rules: [DENY, `{ allow: readers, ${READING} }`] },
    {
      name: 'where only methods of reading are allowed',
      rules: [DENY, `{ allow: readers, methods: [GET] }`],
    },
    {
      name: 'where only paths without resources are allowed',
      rules: [DENY, `{ allow: version, paths: [/version, '/healthz/**'] }`],
    },
    {
      name: 'where another API group is allowed',
      rules: [DENY, '{ allow: apps, apiGroups: [apps] }'],
    },
    {
      name: 'where other namespaces are allowed',
      rules: [NARROW, '{ allow: elsewhere, namespaces: [dev, "test-*"] }'],
    },
    {
      name: 'where only a subresource that is not an object is allowed',
      rules: [
        `{ deny: x, resources: [deployments], ${READING} }`,
        '{ allow: scaling, resources: [deployments/scale], verbs: [patch, update] }',
      ],
    },
    {
      name: 'where the allowing rule is earlier and allows reading too: an exception',
      rules: ['{ allow: admins, groups: [admins] }', DENY, `{ allow: readers, ${READING} }`],
    },
    {
      name: 'where a rule names the verbs and the resource: it is deliberate',
      rules: [
        DENY,
        `{ allow: writers, resources: [secrets], ${WRITING}, groups: [writers] }`,
        `{ allow: readers, ${READING} }`,
      ],
    },
  ]
  for (const { name, rules } of CASES) {
    it(name, () => assert.deepEqual(leftBy(rules), []))
  }
})

describe('a warning about readable secrets is printed', () => {
  const DENY = `{ deny: no-secrets, resources: [secrets], ${READING} }`
  const CASES = [
    {
      name: 'where the other verbs are denied to some callers only',
      rules: [DENY, '{ deny: some, resources: [secrets], groups: [dev] }', REST],
    },
    {
      name: 'where the other verbs are denied in one namespace only',
      rules: [DENY, '{ deny: some, resources: [secrets], namespaces: [prod] }', REST],
    },
    {
      name: 'where the other verbs are denied under a condition',
      rules: [DENY, `{ deny: some, resources: [secrets], when: 'true' }`, REST],
    },
    {
      name: 'where the other verbs are denied in shadow',
      rules: [DENY, '{ deny: some, shadow: true, resources: [secrets] }', REST],
    },
    {
      name: 'where the other verbs are denied after the rule that allows them',
      rules: [DENY, REST, '{ deny: late, resources: [secrets] }'],
    },
    {
      name: 'where only a subresource is denied',
      rules: [DENY, '{ deny: some, resources: [secrets/status] }', REST],
    },
    {
      name: 'where an earlier rule allows writing only, and does not name the resource',
      rules: ['{ allow: rest, verbs: [create, patch, delete, deletecollection] }', DENY],
    },
    {
      name: 'where a rule names the verbs for another resource',
      rules: [DENY, `{ allow: pods, resources: [pods], verbs: [patch] }`, REST],
    },
    {
      name: 'where some verbs are allowed by name, and all by a later rule',
      rules: [DENY, `{ allow: x, resources: [secrets], verbs: [patch], groups: [a] }`, REST],
    },
    {
      name: 'where only callers of one group are allowed the other verbs',
      rules: [DENY, '{ allow: rest, groups: [dev] }'],
    },
  ]
  for (const { name, rules } of CASES) {
    it(name, () => {
      const [warning] = leftBy(rules)
      assert.deepEqual(warning && { verbs: warning.verbs, by: warning.by }, {
        verbs: WRITES,
        by: 'rest',
      })
    })
  }
})
