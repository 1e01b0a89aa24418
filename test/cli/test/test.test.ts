// `countersign test`: the examples of a configuration, put to the test. Its tests of the rules are in
// test-policy.test.ts.

import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { createAuthority } from '../../servers/pki.ts'
import { temporaryFolder, type TemporaryFolder } from '../../servers/temporary.ts'
import { countersign, type Result } from '../run.ts'
import { linesOf } from './lines.ts'

const configuration = (identity: string): string => `
version: 1
listen: { authz: unix:authz.sock }
authenticators:
  tokens:
    # Nobody answers there: examples need no keys.
    bearer: { issuer: https://login.invalid, audiences: [a] }
    identity:
${identity}
  staff:
    basic: { verify: [{ users: { file: missing.yaml } }] }
routes: [{ name: app, authenticate: [tokens], authorize: [{ allow: all }] }]
`

const MAPPING = `      user: '"oidc:" + claims.email.lowerAscii()'
      groups: { from: 'claims.?groups.orValue([])', keep: ['k8s-*'], max: 2 }
      examples:`

const test = async (
  folder: TemporaryFolder,
  examples: string,
  options: readonly string[] = [],
): Promise<Result> => {
  const text = configuration(examples === '' ? '      user: claims.sub' : `${MAPPING}\n${examples}`)
  await writeFile(folder.file('countersign.yaml'), text)
  return await countersign(['test', '--config', folder.file('countersign.yaml'), ...options])
}

const GOOD = `        - name: somebody
          claims: { email: Alice@B.org, groups: [k8s-a, mail] }
          want: { user: 'oidc:alice@b.org', groups: [k8s-a], extra: {} }
        - { claims: { sub: x }, refused: identity-unmapped }
        - { claims: { email: a, groups: [k8s-1, k8s-2, k8s-3] }, refused: identity-too-large }
        - { claims: { email: a }, want: { user: 'oidc:a' } }`

describe('countersign test with mapping examples', { concurrency: true }, () => {
  it('passes when every example has the expected result, without a network', async () => {
    await using folder = await temporaryFolder()
    const result = await test(folder, GOOD)
    assert.deepEqual([result.status, result.stderr], [0, ''])
    assert.deepEqual(linesOf(result, folder), [
      'ok      tokens: somebody',
      'ok      tokens: example 2',
      'ok      tokens: example 3',
      'ok      tokens: example 4',
      '/countersign.yaml: 4 examples, 0 failed; there are no "tests" of the rules',
    ])
  })

  it('fails with the differences and the position of the example', async () => {
    await using folder = await temporaryFolder()
    const bad = `        - name: wrong in everything
          claims: { email: A@B, groups: [k8s-a, k8s-b] }
          want: { user: a, uid: '7', groups: [k8s-b, k8s-c], extra: { k: [v] } }
        - { claims: { email: a, groups: [k8s-a, k8s-b] }, want: { user: 'oidc:a', groups: [k8s-b, k8s-a] } }
        - { claims: { email: 5 }, want: { user: 'oidc:5' } }
        - { claims: { email: a }, refused: identity-reserved }
        - { claims: { email: "a\\n" }, refused: identity-reserved }`
    const result = await test(folder, bad)
    assert.deepEqual([result.status, result.stderr], [1, ''])
    assert.deepEqual(linesOf(result, folder), [
      'FAILED  tokens: wrong in everything (/countersign.yaml:12:11)',
      '    user  - wanted  "a"',
      '    user  + got     "oidc:a@b"',
      '    uid  - wanted  "7"',
      '    uid  + got     none',
      '    groups  - wanted  "k8s-c"',
      '    groups  + got     "k8s-a"',
      '    extra  - wanted  {"k":["v"]}',
      '    extra  + got     {}',
      'FAILED  tokens: example 2 (/countersign.yaml:15:11)',
      '    groups, in order  - wanted  ["k8s-b","k8s-a"]',
      '    groups, in order  + got     ["k8s-a","k8s-b"]',
      'FAILED  tokens: example 3 (/countersign.yaml:16:11)',
      '    outcome  - wanted  "an identity"',
      '    outcome  + got     "refused: identity-unmapped"',
      '    because  user: no_matching_overload (at character 11)',
      'FAILED  tokens: example 4 (/countersign.yaml:17:11)',
      '    outcome  - wanted  "refused: identity-reserved"',
      '    outcome  + got     "an identity"',
      'FAILED  tokens: example 5 (/countersign.yaml:18:11)',
      '    outcome  - wanted  "refused: identity-reserved"',
      '    outcome  + got     "refused: identity-unrepresentable"',
      '    because  user',
      '/countersign.yaml: 5 examples, 5 failed; there are no "tests" of the rules',
    ])
  })

  it('fails where an example has another kind of credential than the authenticator', async () => {
    await using folder = await temporaryFolder()
    const other = '        - { account: { user: a }, refused: identity-unmapped }'
    const result = await test(folder, other)
    assert.equal(result.status, 1)
    assert.match(result.stdout, /about \\"account\\", and this authenticator proves \\"claims\\"/)
  })

  it('prints the same as JSON', async () => {
    await using folder = await temporaryFolder()
    const two = `        - { name: one, claims: { email: a }, want: { user: 'oidc:a' } }
        - { claims: { email: a }, want: { user: b } }`
    const { status, stdout } = await test(folder, two, ['--json'])
    assert.equal(status, 1)
    const got = { outcome: 'identity', user: 'oidc:a', groups: [], extra: {} }
    const common = { authenticator: 'tokens', got }
    assert.deepEqual(JSON.parse(stdout), {
      examples: [
        { ...common, index: 0, name: 'one', line: 12, column: 11, ok: true, differences: [] },
        {
          ...common,
          index: 1,
          line: 13,
          column: 11,
          ok: false,
          differences: [{ what: 'user', wanted: 'b', got: 'oidc:a' }],
        },
      ],
      tests: [],
      untouched: [
        { route: 'app', rule: 'all', effect: 'allow', shadow: false, line: 16, column: 59 },
      ],
      warnings: [],
    })
  })

  it('uses the name of the authenticator when the mapping has none', async () => {
    await using folder = await temporaryFolder()
    const text = configuration(`      examples:
        - { claims: { sub: abc }, want: { user: 'https://login.invalid#abc', groups: [] } }
        - { claims: {}, refused: identity-unrepresentable }`)
    await writeFile(folder.file('countersign.yaml'), text)
    const { status, stdout } = await countersign(['test', '-c', folder.file('countersign.yaml')])
    assert.equal(status, 0, stdout)
  })

  it('passes without examples, and reports that', async () => {
    await using folder = await temporaryFolder()
    const { status, stdout } = await test(folder, '')
    assert.equal(status, 0)
    assert.match(stdout, /there are no "tests", and no "identity" has "examples"\n$/)
  })

  it('prints no control characters of a name', async () => {
    await using folder = await temporaryFolder()
    const named = `        - { name: "a\\e[2Jb", claims: { email: "c\\u009b" }, want: { user: 'x' } }`
    const { stdout } = await test(folder, named)
    assert.match(stdout, /a\?\[2Jb/)
    // oxlint-disable-next-line no-control-regex -- that there is none
    assert.doesNotMatch(stdout, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/)
  })

  it('ends with 2 for an invalid configuration', async () => {
    await using folder = await temporaryFolder()
    const { status, stdout, stderr } = await test(folder, '        - { claims: {} }')
    assert.deepEqual([status, stdout], [2, ''])
    assert.match(
      stderr,
      /countersign\.yaml:12:11: authenticators\.tokens\.identity\.examples\[0\]: must have exactly one of "want" and "refused"\n1 problem found/,
    )
    const missing = await countersign(['test', '--config', folder.file('none.yaml')])
    assert.equal(missing.status, 2)
    assert.match(missing.stderr, /none\.yaml does not exist/)
  })

  it('reads certificates from files', async () => {
    await using folder = await temporaryFolder()
    await using authority = await createAuthority('test CA')
    const organizations = ['dev', 'ops']
    const alice = await authority.issue({ commonName: 'alice', organizations, usage: 'client' })
    await writeFile(folder.file('none.pem'), 'no certificate')
    await writeFile(
      folder.file('countersign.yaml'),
      `
version: 1
listen: { authz: unix:authz.sock }
authenticators:
  cards:
    certificate: { trust: ca.pem }
    identity:
      user: certificate.subject.CN
      groups: certificate.?subject.?O.orValue([])
      examples:
        - { certificate: ${alice.certificate}, want: { user: alice, groups: [dev, ops] } }
        - { certificate: { subject: { CN: [bob] } }, want: { user: bob, groups: [] } }
        - { certificate: { subject: { CN: [a, b] } }, refused: identity-unmapped }
        - { certificate: none.pem, want: { user: alice } }
        - { certificate: missing.pem, want: { user: alice } }
  as-proven:
    certificate: { trust: ca.pem }
    identity:
      examples:
        - { certificate: { subject: { CN: [bob], O: [dev] } }, want: { user: bob, groups: [dev] } }
        - certificate: { subject: { CN: [a, b] }, subjectName: 'CN=a,CN=b' }
          want: { user: 'CN=a,CN=b', groups: [] }
routes: [{ name: app, authenticate: [cards], authorize: [{ allow: all }] }]
`,
    )
    const result = await countersign(['test', '-c', folder.file('countersign.yaml')])
    assert.equal(result.stderr, '')
    assert.deepEqual(linesOf(result, folder), [
      'ok      cards: example 1',
      'ok      cards: example 2',
      'ok      cards: example 3',
      'FAILED  cards: example 4 (/countersign.yaml:14:11)',
      '    outcome  - wanted  "an identity"',
      '    outcome  + got     "/none.pem holds no certificate in PEM"',
      'FAILED  cards: example 5 (/countersign.yaml:15:11)',
      '    outcome  - wanted  "an identity"',
      '    outcome  + got     "/missing.pem does not exist"',
      'ok      as-proven: example 1',
      'ok      as-proven: example 2',
      '/countersign.yaml: 7 examples, 2 failed; there are no "tests" of the rules',
    ])
  })

  it('has a help text', async () => {
    const { status, stdout } = await countersign(['test', '--help'])
    assert.equal(status, 0)
    for (const says of [/--config <file>/, /COUNTERSIGN_CONFIG/, /--json/, /without a network/]) {
      assert.match(stdout.replaceAll(/\s+/g, ' '), says)
    }
  })
})
