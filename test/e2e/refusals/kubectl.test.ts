import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { skipWithoutEnvoy } from '../../servers/envoy.ts'
import { kubectl, skipWithoutKubectl, type KubectlResult } from '../../servers/kubectl.ts'
import { HOST, PASSWORDS, startSite, type Site } from '../site.ts'

const SECRETS = '/api/v1/namespaces/default/secrets'

const answering = (name: string, status: number, headers = {}) => ({
  deny: name,
  paths: [`/${name}`],
  response: { status, message: 'Closed.', headers },
})

const RULES = [
  { deny: 'no-secrets', resources: ['secrets'] },
  { deny: 'odd', paths: ['/odd'], when: 'request.headers["x-odd"][0] == "y"' },
  answering('later', 429),
  answering('again', 429, { 'retry-after': '0' }),
  answering('down', 503, { 'retry-after': '0' }),
  { ...answering('unprocessable', 422), paths: undefined, resources: ['configmaps'] },
  answering('gone', 404),
  answering('legal', 451),
  { deny: 'own', paths: ['/own'], response: { body: 'Ask Jane.' } },
  { allow: 'version', paths: ['/version'] },
]

const skip = skipWithoutEnvoy() || skipWithoutKubectl()

describe('a real kubectl at refusals', { skip }, () => {
  let site: Site
  before(async () => {
    const match = { hosts: [HOST, '127.0.0.1'] }
    site = await startSite({ route: { kind: 'kubernetes', match, authorize: RULES } })
  })
  after(() => site[Symbol.asyncDispose]())

  const run = (
    path: string,
    password: string = PASSWORDS.alice,
    ...more: readonly string[]
  ): Promise<KubectlResult> => {
    const { port, ca } = site.target
    return kubectl([
      `--server=https://127.0.0.1:${port}`,
      `--tls-server-name=${HOST}`,
      `--certificate-authority=${ca}`,
      '--username=alice',
      `--password=${password}`,
      ...more,
      'get',
      '--raw',
      path,
    ])
  }

  /** How often it requested that path. */
  const attemptsOf = async (path: string): Promise<number> =>
    (await site.events()).filter((event) => event.path === path).length

  const ID = '[0-9a-f-]{36}'
  const CASES: readonly {
    name: string
    path: string
    more?: readonly string[]
    password?: string
    want: RegExp
  }[] = [
    {
      name: 'a rule that denies a list',
      path: SECRETS,
      want: new RegExp(
        `^Error from server \\(Forbidden\\): secrets is forbidden: User "alice" cannot list resource "secrets" in API group "" in the namespace "default": denied by rule "no-secrets" \\(decision ${ID}\\)\n$`,
      ),
    },
    {
      name: 'a rule that denies an object',
      path: `${SECRETS}/token`,
      want: /^Error from server \(Forbidden\): secrets "token" is forbidden: User "alice" cannot get resource "secrets" in API group "" in the namespace "default": denied by rule "no-secrets"/,
    },
    {
      name: 'no rule that allows it',
      path: '/metrics',
      want: /^Error from server \(Forbidden\): forbidden: User "alice" cannot get path "\/metrics": no rule allows it \(/,
    },
    {
      name: 'a rule that cannot be evaluated',
      path: '/odd',
      want: /^Error from server \(Forbidden\): .*: rule "odd" could not be evaluated \(/,
    },
    {
      name: '--as, which no rule allows',
      path: '/version',
      more: ['--as=bob', '--as-group=dev'],
      want: /^Error from server \(Forbidden\): .* cannot get path "\/version": no rule allows it as "bob" \(/,
    },
    {
      name: 'a wrong password',
      path: '/version',
      password: 'wrong',
      want: new RegExp(
        `^error: You must be logged in to the server \\(The credential was not accepted\\. Check it and try again \\(decision ${ID}\\)\\)\n$`,
      ),
    },
    {
      name: 'a path that can be read in two ways',
      path: '/api/v1/pods?watch=0&watch=1',
      want: /^Error from server \(BadRequest\): The request is malformed or ambiguous and was not forwarded\. Correct it and try again \(decision /,
    },
    {
      name: 'a message with 404',
      path: '/gone',
      want: /^Error from server \(NotFound\): Closed \(rule "gone", decision /,
    },
    {
      name: 'a message with 422, with which it prints details',
      path: '/api/v1/namespaces/default/configmaps/a',
      want: /^The request is invalid: Closed \(rule "unprocessable", decision /,
    },
    {
      name: 'a message with a status that Kubernetes does not know',
      path: '/legal',
      want: /^Error from server: Closed \(rule "legal", decision /,
    },
    {
      name: 'a body in place of a Status',
      path: '/own',
      want: /Ask Jane\./,
    },
  ]
  for (const { name, path, more = [], password = PASSWORDS.alice, want } of CASES) {
    it(`3. prints the refusal by ${name}`, async () => {
      const { code, complaint, output } = await run(path, password, ...more)
      assert.match(complaint, want)
      assert.deepEqual([code, output], [1, ''])
    })
  }

  it('3. prints refusals of its discovery requests', async () => {
    const { port, ca } = site.target
    const { code, complaint } = await kubectl([
      `--server=https://127.0.0.1:${port}`,
      `--tls-server-name=${HOST}`,
      `--certificate-authority=${ca}`,
      '--username=alice',
      `--password=${PASSWORDS.alice}`,
      'get',
      'pods',
    ])
    assert.equal(code, 1)
    assert.match(
      complaint,
      /Error from server \(Forbidden\): forbidden: User "alice" cannot get path "\/api": no rule allows it \(decision /,
    )
    assert.doesNotMatch(complaint, /unknown/)
  })

  it('3. gets what is allowed', async () => {
    const { code, complaint } = await run('/version')
    assert.deepEqual([code, complaint], [0, ''])
  })

  it('4. does not retry without Retry-After, whatever the status', async () => {
    const { complaint } = await run('/later')
    assert.match(complaint, /^Error from server \(TooManyRequests\): Closed \(rule "later", /)
    assert.equal(await attemptsOf('/later'), 1)
  })

  // Why a lock-out must not have the header, and an outage may.
  for (const [path, reason] of [
    ['/again', 'TooManyRequests'],
    ['/down', 'ServiceUnavailable'],
  ] as const) {
    it(`4. retries ten times with Retry-After: ${reason}`, async () => {
      const { complaint } = await run(path)
      assert.match(complaint, new RegExp(`^Error from server \\(${reason}\\): Closed`))
      assert.equal(await attemptsOf(path), 11)
    })
  }
})
