// `countersign openapi`: operations of a description, and what a new version means for the rules.

import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { temporaryFolder, type TemporaryFolder } from '../../servers/temporary.ts'
import { countersign, type Result } from '../run.ts'

const description = (paths: string): string => `
openapi: 3.0.0
info: { title: "Us\\u001bers", version: '1' }
servers: [{ url: /v1 }]
components:
  securitySchemes:
    oauth: { type: oauth2, flows: { clientCredentials: { tokenUrl: /t, scopes: {} } } }
paths:
${paths}`

const responses = 'responses: { default: { description: "" } }'

const OLD = description(`
  /users:
    get: { operationId: listUsers, tags: [users], ${responses} }
  /users/{id}:
    get: { operationId: getUser, tags: [users], ${responses} }
    delete: { operationId: deleteUser, tags: [admin], security: [{ oauth: [users:write] }], ${responses} }
  /health:
    get: { deprecated: true, ${responses} }
`)

const NEW = description(`
  /users:
    get: { operationId: listUsers, tags: [users, public], ${responses} }
    post: { operationId: createUser, tags: [users], ${responses} }
  /users/{id}:
    get: { operationId: readUser, tags: [users], ${responses} }
  /health:
    get: { deprecated: true, ${responses} }
`)

const configuration = (rules: string): string => `
version: 1
listen: { authz: unix:authz.sock }
authenticators:
  staff: { basic: { verify: [{ users: { file: missing.yaml } }] } }
routes:
  - name: other
    match: { hosts: [other.example] }
    authenticate: [staff]
    authorize: [{ allow: all }]
  - name: app
    authenticate: [staff]
    openapi: { file: new.yaml }
    authorize:
${rules}`

const run = async (
  folder: TemporaryFolder,
  args: readonly string[],
  files: Readonly<Record<string, string>> = {},
): Promise<Result> => {
  const all = { 'old.yaml': OLD, 'new.yaml': NEW, ...files }
  await Promise.all(Object.entries(all).map(([name, text]) => writeFile(folder.file(name), text)))
  const result = await countersign(['openapi', ...args])
  const strip = (text: string): string => text.replaceAll(`${folder.path}/`, '')
  return { ...result, stdout: strip(result.stdout), stderr: strip(result.stderr) }
}

const linesOf = ({ stdout }: Result): readonly string[] => stdout.trimEnd().split('\n')

describe('countersign openapi list', { concurrency: true }, () => {
  it('prints every operation, without control characters', async () => {
    await using folder = await temporaryFolder()
    const result = await run(folder, ['list', folder.file('old.yaml')])
    assert.deepEqual([result.status, result.stderr], [0, ''])
    assert.deepEqual(linesOf(result), [
      'Us?ers (OpenAPI 3.0, 4 operations)',
      '  GET /users  listUsers  [users]',
      '  GET /users/{id}  getUser  [users]',
      '  DELETE /users/{id}  deleteUser  [admin]  scopes users:write',
      '  GET /health  GET /health  deprecated',
    ])
  })

  it('prints operations as JSON', async () => {
    await using folder = await temporaryFolder()
    const { status, stdout } = await run(folder, ['list', folder.file('old.yaml'), '--json'])
    assert.equal(status, 0)
    const { base, operations } = JSON.parse(stdout)
    assert.equal(base, '/v1')
    assert.deepEqual(operations[2], {
      id: 'deleteUser',
      method: 'DELETE',
      template: '/users/{id}',
      tags: ['admin'],
      deprecated: false,
      scopes: [['users:write']],
    })
  })

  const SERVERS = OLD.replace('[{ url: /v1 }]', '[{ url: /v1 }, { url: /v2 }]')
  const UNUSABLE: readonly { name: string; args: readonly string[]; text: string; says: RegExp }[] =
    [
      {
        name: 'has two servers',
        args: [],
        text: SERVERS,
        says: /^countersign: api\.yaml: #\/servers: .* set "base"/,
      },
      {
        name: 'is not an OpenAPI document',
        args: [],
        text: 'a: 1',
        says: /^countersign: api\.yaml: #: needs /,
      },
    ]
  for (const { name, args, text, says } of UNUSABLE) {
    it(`fails with 2 where the file ${name}`, async () => {
      await using folder = await temporaryFolder()
      const result = await run(folder, ['list', folder.file('api.yaml'), ...args], {
        'api.yaml': text,
      })
      assert.deepEqual([result.status, result.stdout], [2, ''])
      assert.match(result.stderr, says)
    })
  }

  it('warns about what is unusual, and lists the operations', async () => {
    await using folder = await temporaryFolder()
    const text = OLD.replace('/health:', '/users/{name}:').replace('version:', 'edition:')
    const result = await run(folder, ['list', folder.file('api.yaml')], { 'api.yaml': text })
    assert.equal(result.status, 0)
    assert.equal(linesOf(result).length, 5)
    assert.deepEqual(result.stderr.trimEnd().split('\n'), [
      'api.yaml: warning: #/paths/~1users~1{id}: no path distinguishes the operations "getUser", "GET /users/{name}"; requests for GET of this path are refused',
      "api.yaml: warning: #/info: must have required property 'version'; the schema of OpenAPI 3.0 says so",
    ])
  })

  it('uses --base where there are two servers', async () => {
    await using folder = await temporaryFolder()
    const args = ['list', folder.file('api.yaml'), '--base', '/v2']
    assert.equal((await run(folder, args, { 'api.yaml': SERVERS })).status, 0)
  })

  it('fails with 2 where the file does not exist', async () => {
    await using folder = await temporaryFolder()
    const { status, stderr } = await run(folder, ['list', folder.file('none.yaml')])
    assert.deepEqual([status, stderr], [2, 'countersign: none.yaml does not exist\n'])
  })
})

const RULES = `
      - { allow: readers, operations: [listUsers, 'get*'], methods: [GET] }
      - list: admins
        rules: [{ allow: removers, tags: [admin] }]
      - { deny: users, tags: [users] }
      - { allow: rest, paths: [/v1/**] }
`

describe('countersign openapi diff', { concurrency: true }, () => {
  it('prints what changed', async () => {
    await using folder = await temporaryFolder()
    const result = await run(folder, ['diff', folder.file('old.yaml'), folder.file('new.yaml')])
    assert.deepEqual([result.status, result.stderr], [0, ''])
    assert.deepEqual(linesOf(result), [
      'old  old.yaml: Us?ers (OpenAPI 3.0, 4 operations)',
      'new  new.yaml: Us?ers (OpenAPI 3.0, 4 operations)',
      '+ POST /users  createUser  [users]',
      '- DELETE /users/{id}  deleteUser  [admin]  scopes users:write',
      '~ listUsers',
      '    tags  users → users, public',
      '= GET /users/{id}  getUser → readUser',
      '1 added, 1 removed, 1 changed, 1 renamed',
    ])
  })

  it('names the rules that match no operation any longer, and fails with 1', async () => {
    await using folder = await temporaryFolder()
    const config = folder.file('countersign.yaml')
    const args = ['diff', folder.file('old.yaml'), folder.file('new.yaml'), '--config', config]
    const result = await run(folder, args, { 'countersign.yaml': configuration(RULES) })
    assert.deepEqual([result.status, result.stderr], [1, ''])
    assert.deepEqual(linesOf(result).slice(8), [
      '',
      'route app',
      'FAILED  allow readers (countersign.yaml:16:9): 1 operations',
      '    operations: "get*" no longer matches',
      '    - no longer matches getUser',
      'FAILED  allow admins/removers (countersign.yaml:18:17): 0 operations',
      '    tags: "admin" no longer matches',
      '    - no longer matches deleteUser',
      'ok      deny users (countersign.yaml:19:9): 3 operations',
      '    + now matches createUser',
      '  not named by any rule:  GET /health  GET /health  deprecated',
    ])
  })

  it('names a rule of which every pattern matches an operation, and the rule none', async () => {
    await using folder = await temporaryFolder()
    const rules = '      - { allow: a, tags: [users], methods: [DELETE] }'
    const args = [
      'diff',
      folder.file('old.yaml'),
      folder.file('new.yaml'),
      '--json',
      '--config',
      folder.file('c.yaml'),
    ]
    const { status, stdout } = await run(folder, args, { 'c.yaml': configuration(rules) })
    assert.equal(status, 1)
    const { added, renamed, routes } = JSON.parse(stdout)
    assert.deepEqual(
      added.map(({ id }: { id: string }) => id),
      ['createUser'],
    )
    assert.deepEqual(renamed, [
      { method: 'GET', template: '/users/{id}', old: 'getUser', new: 'readUser' },
    ])
    assert.deepEqual(routes, [
      {
        route: 'app',
        rules: [
          {
            rule: 'a',
            effect: 'allow',
            broken: true,
            unmatched: [],
            taken: 0,
            gained: [],
            lost: [],
            line: 15,
            column: 9,
          },
        ],
        unnamed: ['listUsers', 'createUser', 'readUser', 'GET /health'],
      },
    ])
  })

  it('passes where every rule still matches', async () => {
    await using folder = await temporaryFolder()
    const rules =
      '      - { allow: a, operations: [listUsers], templates: [/users] }\n      - { allow: b, paths: [/x] }'
    const args = [
      'diff',
      folder.file('old.yaml'),
      folder.file('new.yaml'),
      '-c',
      folder.file('c.yaml'),
      '--route',
      'app',
    ]
    const result = await run(folder, args, { 'c.yaml': configuration(rules) })
    assert.deepEqual([result.status, result.stderr], [0, ''])
    assert.ok(linesOf(result).includes('ok      allow a (c.yaml:15:9): 1 operations'))
  })

  const UNUSABLE: readonly {
    name: string
    route: readonly string[]
    config: string
    says: RegExp
  }[] = [
    {
      name: 'no route has either document',
      route: [],
      config: configuration(RULES).replace('new.yaml', 'x.yaml'),
      says: /^countersign: no route of c\.yaml has .*--route/,
    },
    {
      name: 'the route does not exist',
      route: ['--route', 'none'],
      config: configuration(RULES),
      says: /^countersign: c\.yaml has no route "none"/,
    },
    {
      name: 'the configuration is invalid',
      route: [],
      config: 'version: 2',
      says: /^c\.yaml:1:1: version: /,
    },
  ]
  for (const { name, route, config, says } of UNUSABLE) {
    it(`fails with 2 where ${name}`, async () => {
      await using folder = await temporaryFolder()
      const args = [
        'diff',
        folder.file('old.yaml'),
        folder.file('new.yaml'),
        '-c',
        folder.file('c.yaml'),
        ...route,
      ]
      const result = await run(folder, args, { 'c.yaml': config })
      assert.deepEqual([result.status, result.stdout], [2, ''])
      assert.match(result.stderr, says)
    })
  }
})
