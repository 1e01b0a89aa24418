// API descriptions of other forms: Docker's, which is Swagger 2.0 with a base path, and one that says
// which scopes a token needs. Steps are in README.md.

import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { parse, stringify } from 'yaml'
import { z } from 'zod'
import type { DecisionEvent } from '../../../src/audit/event.ts'
import { http1, http2, valuesOf, type HeaderLine } from '../../servers/client.ts'
import { skipWithoutEnvoy } from '../../servers/envoy.ts'
import { temporaryFolder, type TemporaryFolder } from '../../servers/temporary.ts'
import { bearer } from '../asking.ts'
import { authenticatorsIn, tokenWith } from '../composition/credentials.ts'
import { ALICE, HOST, receivedBy, startSite, type Site } from '../site.ts'
import { assertExplained, assertReplayed, eventOf } from './tools.ts'

const DOCUMENTS = resolve(import.meta.dirname, '../../fixtures/openapi')

const VERSIONS = [
  ['HTTP/1.1', http1],
  ['HTTP/2', http2],
] as const

describe('Docker, by OpenAPI document', { skip: skipWithoutEnvoy() }, () => {
  let site: Site
  before(async () => {
    site = await startSite({
      route: {
        openapi: { file: resolve(DOCUMENTS, 'docker-engine-1.53.yaml') },
        authorize: [
          { deny: 'no-shells', operations: ['ContainerExec', 'ExecStart', 'ContainerAttach*'] },
          { allow: 'look', tags: ['Container', 'Image'], methods: ['GET', 'HEAD'] },
          { allow: 'restart', templates: ['/containers/{id}/restart'], groups: ['ops'] },
        ],
      },
    })
  })
  after(() => site[Symbol.asyncDispose]())

  const CASES: readonly (readonly [
    method: string,
    path: string,
    want: string,
    operation?: string,
  ])[] = [
    ['GET', '/v1.53/containers/json?all=true', '200 permitted', 'ContainerList'],
    ['HEAD', '/v1.53/containers/a/archive?path=/', '200 permitted', 'ContainerArchiveInfo'],
    ['POST', '/v1.53/containers/a/restart', '200 permitted', 'ContainerRestart'],
    ['POST', '/v1.53/containers/a/stop', '403 no-rule', 'ContainerStop'],
    ['POST', '/v1.53/containers/a/exec', '403 rule-denied', 'ContainerExec'],
    ['GET', '/v1.53/containers/a/attach/ws', '403 rule-denied', 'ContainerAttachWebsocket'],
    ['GET', '/v1.53/volumes', '403 no-rule', 'VolumeList'],
    // Docker itself also serves these, under paths that its description does not have.
    ['GET', '/containers/json', '403 operation-undefined'],
    ['GET', '/v1.52/containers/json', '403 operation-undefined'],
    ['GET', '/v1.53/v1.53/containers/json', '403 operation-undefined'],
    ['POST', '/V1.53/containers/a/exec', '400 ambiguous-path'],
    ['POST', '/v1.53/../v1.53/containers/a/exec', '403 rule-denied', 'ContainerExec'],
  ]
  for (const [version, over] of VERSIONS) {
    for (const [method, path, want, operation] of CASES) {
      it(`5. ${method} ${path}, over ${version}: ${want}`, async () => {
        site.upstream.clear()
        const answer = await over(site.target, { host: HOST, method, path, headers: [ALICE] })
        const event = await eventOf(site, answer)
        assert.equal(`${answer.status} ${event.reason}`, want)
        assert.equal(event.operation, operation)
        const arrived = site.upstream.requests.map((request) => [request.method, request.url])
        assert.deepEqual(arrived, event.decision === 'allow' ? [[method, path]] : [])
      })
    }
  }
})

/** Galaxy’s description, of which these operations need scopes. */
const withScopes = async (): Promise<string> => {
  const file = resolve(DOCUMENTS, 'scalar-galaxy-3.1.yaml')
  const operation = z.looseObject({})
  const document = z
    .looseObject({
      paths: z.looseObject({
        '/planets': z.looseObject({ post: operation }),
        '/planets/{planetId}': z.looseObject({ put: operation, delete: operation }),
        '/me': z.looseObject({ get: operation }),
      }),
    })
    .parse(parse(await readFile(file, 'utf8')))
  const { '/planets': planets, '/planets/{planetId}': planet, '/me': me } = document.paths
  const needs = (...alternatives: readonly (readonly string[])[]) =>
    alternatives.map((scopes) => ({ oAuth2: scopes }))
  Object.assign(me.get, { security: needs(['read:account']) })
  Object.assign(planets.post, { security: needs(['write:planets', 'read:planets'], ['admin']) })
  Object.assign(planet.put, { security: needs(['write:planets', 'read:planets']) })
  Object.assign(planet.delete, { security: needs(['write:planets']) })
  return stringify(document)
}

describe('scopes of an OpenAPI document', { skip: skipWithoutEnvoy(), timeout: 120_000 }, () => {
  let folder: TemporaryFolder
  let site: Site
  before(async () => {
    folder = await temporaryFolder()
    await writeFile(folder.file('galaxy.yaml'), await withScopes())
    site = await startSite({
      authenticators: await authenticatorsIn(folder.path),
      route: {
        authenticate: ['tokens', 'staff'],
        openapi: { file: folder.file('galaxy.yaml'), scopes: 'require' },
        authorize: [
          { deny: 'no-deletion', operations: ['deletePlanet'] },
          { allow: 'planets', tags: ['Planets'] },
          { allow: 'oneself', operations: ['getMe'] },
        ],
      },
    })
  })
  after(async () => {
    await site[Symbol.asyncDispose]()
    await folder[Symbol.asyncDispose]()
  })

  const CASES: readonly {
    readonly name: string
    readonly claims?: Readonly<Record<string, unknown>>
    readonly method?: string
    readonly path: string
    readonly want: string
    readonly operation: string
    /** What the token would need, as the caller receives it. */
    readonly needs?: string
  }[] = [
    {
      name: 'the required scope',
      claims: { scope: 'openid read:account' },
      path: '/me',
      want: '200 permitted',
      operation: 'getMe',
    },
    {
      name: 'a list of them, as some issuers write it',
      claims: { scp: ['read:account'] },
      path: '/me',
      want: '200 permitted',
      operation: 'getMe',
    },
    {
      name: 'no scope',
      path: '/me',
      want: '403 scope-missing',
      operation: 'getMe',
      needs: 'read:account',
    },
    {
      name: 'a scope that only begins like it',
      claims: { scope: 'read:accounts read' },
      path: '/me',
      want: '403 scope-missing',
      operation: 'getMe',
      needs: 'read:account',
    },
    {
      name: 'a scope in another case',
      claims: { scope: 'Read:Account' },
      path: '/me',
      want: '403 scope-missing',
      operation: 'getMe',
      needs: 'read:account',
    },
    {
      name: 'one of two required scopes',
      claims: { scope: 'write:planets' },
      method: 'PUT',
      path: '/planets/3',
      want: '403 scope-missing',
      operation: 'updatePlanet',
      needs: 'read:planets write:planets',
    },
    {
      name: 'both, in the other order',
      claims: { scope: 'write:planets read:planets' },
      method: 'PUT',
      path: '/planets/3',
      want: '200 permitted',
      operation: 'updatePlanet',
    },
    {
      name: 'one that suffices alone',
      claims: { scope: 'admin' },
      method: 'POST',
      path: '/planets',
      want: '200 permitted',
      operation: 'createPlanet',
    },
    {
      name: 'a part of one alternative',
      claims: { scope: 'read:planets' },
      method: 'POST',
      path: '/planets',
      want: '403 scope-missing',
      operation: 'createPlanet',
      needs: 'admin',
    },
    {
      name: 'no scope, where none is required',
      path: '/planets',
      want: '200 permitted',
      operation: 'getAllData',
    },
    {
      name: 'all scopes, for an operation that a rule denies',
      claims: { scope: 'admin write:planets read:planets' },
      method: 'DELETE',
      path: '/planets/3',
      want: '403 rule-denied',
      operation: 'deletePlanet',
    },
    {
      name: 'one scope, for an operation that no rule allows',
      claims: { scope: 'admin' },
      method: 'POST',
      path: '/user/signup',
      want: '403 no-rule',
      operation: 'createUser',
    },
  ]
  for (const [version, over] of VERSIONS) {
    for (const { name, claims = {}, method, path, want, operation, needs } of CASES) {
      it(`6. a token with ${name}, over ${version}: ${want}`, async () => {
        const headers: readonly HeaderLine[] = [bearer(await tokenWith(claims))]
        const request = { host: HOST, path, headers, ...(method === undefined ? {} : { method }) }
        const answer = await over(site.target, request)
        const event = await eventOf(site, answer)
        assert.equal(`${answer.status} ${event.reason}`, want)
        assert.equal(event.operation, operation)
        assert.deepEqual(
          valuesOf(answer, 'www-authenticate'),
          needs === undefined ? [] : [`Bearer error="insufficient_scope", scope="${needs}"`],
        )
      })
    }
  }

  it('6. a password has no scope, and suffices where none is required', async () => {
    const ask = (path: string) => http1(site.target, { host: HOST, path, headers: [ALICE] })
    const refused = await ask('/me')
    assert.equal((await eventOf(site, refused)).reason, 'scope-missing')
    assert.match(valuesOf(refused, 'www-authenticate').join(), /insufficient_scope/)
    const passed = await ask('/planets')
    assert.equal(passed.status, 200)
    assert.ok(
      receivedBy(passed).some(([name, value]) => name === 'x-remote-user' && value === 'alice'),
    )
  })

  // Scopes are in the token, which is not in the log.
  const NEEDING = new Set(['getMe', 'createPlanet', 'updatePlanet', 'deletePlanet'])
  const isUndetermined = ({ operation = '' }: DecisionEvent): boolean => NEEDING.has(operation)

  it('6. are explained by countersign explain, which is right or undetermined', async () => {
    await assertExplained(site, await site.events(), isUndetermined)
  })

  it('6. are replayed by countersign replay, which claims no undetermined change', async () => {
    await assertReplayed(site, isUndetermined)
  })
})
