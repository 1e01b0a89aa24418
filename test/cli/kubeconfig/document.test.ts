// The text of kubeconfigs: existing content is kept.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parse } from 'yaml'
import {
  mergedKubeconfig,
  newKubeconfig,
  type KubeContext,
} from '../../../src/cli/kubeconfig/document.ts'

const CONTEXT: KubeContext = {
  name: 'alice@kube',
  cluster: { name: 'kube', entry: { server: 'https://kube.example.org' } },
  user: { name: 'alice@kube', entry: { tokenFile: '/run/token' } },
}

const KEEP = { replace: false, use: false }

const merged = (text: string, options = KEEP, context = CONTEXT): string =>
  mergedKubeconfig('/home/alice/.kube/config', text, context, options)

describe('a new kubeconfig', () => {
  it('has one context, which is the current one', () => {
    assert.equal(
      newKubeconfig(CONTEXT),
      `# Written by \`countersign kubeconfig\`.

apiVersion: v1
kind: Config
clusters:
- name: kube
  cluster:
    server: https://kube.example.org
users:
- name: alice@kube
  user:
    tokenFile: /run/token
contexts:
- name: alice@kube
  context:
    cluster: kube
    user: alice@kube
current-context: alice@kube
`,
    )
  })

  // What kubectl reads by YAML 1.1 as something else than a text, or not at all.
  const TEXTS = [
    'yes',
    'no',
    'on',
    'Off',
    'y',
    'n',
    'true',
    'null',
    '~',
    '1',
    '0x1f',
    '0o17',
    '1_0',
  ]
  const MORE = [
    '1:30',
    '1e3',
    '.5',
    '2026-11-25',
    '=',
    '<<',
    '-',
    '? a',
    '- a',
    'a: b',
    'a #b',
    '#a',
  ]
  const AND = [
    '',
    ' a ',
    "a'b",
    'a"b',
    'a\\b',
    '{a}',
    '[a]',
    '*a',
    '&a',
    '!a',
    '|',
    '>',
    '%a',
    '@a',
    '`a',
  ]
  for (const text of [
    ...TEXTS,
    ...MORE,
    ...AND,
    'größe',
    '密码',
    'a\u0085b',
    '\u2028',
    '\ufeff',
    'x'.repeat(200),
  ]) {
    it(`has ${JSON.stringify(text.slice(0, 20))} as a string in YAML 1.1 and 1.2`, () => {
      const context = {
        ...CONTEXT,
        user: { name: text, entry: { username: text, password: text } },
      }
      for (const version of ['1.1', '1.2'] as const) {
        const { users } = parse(newKubeconfig(context), { version })
        assert.deepEqual(users, [{ name: text, user: { username: text, password: text } }])
      }
    })
  }

  it('has booleans and lists', () => {
    const entry = { exec: { args: ['a', 'true'], provideClusterInfo: false, on: true } }
    const text = newKubeconfig({ ...CONTEXT, user: { name: 'u', entry } })
    assert.deepEqual(parse(text).users, [{ name: 'u', user: entry }])
  })

  it('has a comment above the user', () => {
    const text = newKubeconfig({
      ...CONTEXT,
      user: { name: 'u', entry: {}, comment: 'one\ntwo: {}' },
    })
    assert.match(text, /- name: u\n {2}# one\n {2}# two: \{\}\n {2}user: \{\}\n/)
  })
})

const BYHAND = `# mine, by hand
apiVersion: v1
kind: Config
preferences: {}   # none
clusters:
  - name: "home"  # the one below the stairs
    cluster: { server: https://10.0.0.1:6443, insecure-skip-tls-verify: yes }
users:
  # an old one
  - name: me
    user:
      auth-provider:
        name: gcp
        config: {expiry: 2026-01-02T03:04:05Z, count: 0123, big: 12345678901234567890}
      token: >-
        abc
        def
contexts:
  - context: {cluster: home, user: me, namespace: on}
    name: home
current-context: home
extensions: ~
`

describe('an existing kubeconfig', () => {
  it('keeps its bytes and its current context', () => {
    const text = merged(BYHAND)
    const added = [
      '  - name: kube\n    cluster:\n      server: https://kube.example.org\n',
      '  - name: alice@kube\n    user:\n      tokenFile: /run/token\n',
      '  - name: alice@kube\n    context:\n      cluster: kube\n      user: alice@kube\n',
    ]
    const without = added.reduce((rest, part) => {
      assert.ok(rest.includes(part), part)
      return rest.replace(part, '')
    }, text)
    // The library has one way to write spaces before comments, within braces and in folded texts.
    const even = (some: string): string =>
      some
        .replaceAll(/ +#/g, ' #')
        .replaceAll(/\{ ?|(?<=\S) ?\}/g, ' ')
        .replaceAll(/\s+/g, ' ')
    assert.equal(even(without), even(BYHAND))
  })

  it('keeps the formatting of kubectl', () => {
    const text = `apiVersion: v1
clusters:
- cluster:
    server: https://10.0.0.1:6443
  name: home
contexts:
- context:
    cluster: home
    user: me
  name: home
current-context: home
kind: Config
users:
- name: me
  user:
    client-certificate-data: ${'QUJD'.repeat(200)}
`
    const lines = merged(text).split('\n')
    const before = text.split('\n')
    assert.deepEqual(
      before.filter((line) => !lines.includes(line)),
      [],
    )
    assert.equal(lines.length, before.length + 3 + 3 + 4)
    assert.ok(lines.includes('- name: kube'))
  })

  it('gets the current context where it has none, or with --use', () => {
    const none =
      'apiVersion: v1\nkind: Config\nclusters: null\ncontexts: []\ncurrent-context: ""\nusers:\n'
    assert.equal(parse(merged(none))['current-context'], 'alice@kube')
    assert.equal(parse(merged(BYHAND))['current-context'], 'home')
    assert.equal(
      parse(merged(BYHAND, { replace: false, use: true }))['current-context'],
      'alice@kube',
    )
  })

  for (const text of [
    '',
    '\n',
    'apiVersion: v1\nkind: Config\n',
    '# mine\n{}\n',
    'clusters: ~\nusers: null\n',
  ]) {
    it(`may be ${JSON.stringify(text)}`, () => {
      const { clusters, users, contexts, kind, apiVersion } = parse(merged(text))
      assert.deepEqual([clusters.length, users.length, contexts.length], [1, 1, 1])
      assert.deepEqual([kind, apiVersion], ['Config', 'v1'])
    })
  }

  it('may be JSON, which becomes YAML', () => {
    const after = parse(merged(JSON.stringify(parse(BYHAND), undefined, 2)))
    assert.equal(after.clusters.length, 2)
    assert.deepEqual(after.users[1], { name: 'alice@kube', user: { tokenFile: '/run/token' } })
  })

  it('does not change by the same context again', () => {
    const once = merged(BYHAND)
    assert.equal(merged(once), once)
  })

  it('keeps entries of the same name without --replace', () => {
    const once = merged(BYHAND)
    const other: KubeContext = {
      ...CONTEXT,
      user: { name: 'alice@kube', entry: { username: 'alice', password: 'x' } },
    }
    assert.throws(() => merged(once, KEEP, other), {
      code: 'usage',
      message: /^\/home\/alice\/\.kube\/config has another user "alice@kube": choose another name/,
    })
    const replaced = parse(merged(once, { replace: true, use: false }, other))
    assert.deepEqual(replaced.users.at(-1).user, { username: 'alice', password: 'x' })
    assert.equal(replaced.users.length, 2)
    assert.equal(replaced['current-context'], 'home')
  })

  const REFUSED: readonly { name: string; text: string }[] = [
    { name: 'not YAML', text: 'a: [' },
    { name: 'a list', text: '- a\n' },
    { name: 'a text', text: 'secret' },
    { name: 'of another kind', text: 'kind: Pod\n' },
    { name: 'without a list of users', text: 'kind: Config\nusers: {me: 1}\n' },
    { name: 'with users as an alias', text: 'kind: Config\nx: &x []\nusers: *x\n' },
    { name: 'with a repeated key', text: 'kind: Config\nusers: []\nusers: []\n' },
    { name: 'with two documents', text: 'kind: Config\n---\nkind: Config\n' },
  ]
  for (const { name, text } of REFUSED) {
    it(`is refused where it is ${name}`, () => {
      assert.throws(
        () => merged(text),
        (cause: Error) => {
          assert.match(cause.message, /^\/home\/alice\/\.kube\/config is not a kubeconfig/)
          assert.doesNotMatch(cause.message, /secret/)
          return true
        },
      )
    })
  }
})
