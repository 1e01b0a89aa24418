// Rules about the operations of real API descriptions, in front of an upstream that tells which path
// it got: GitHub's for what rules can say and how paths can be disguised. Steps are in README.md.

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { readApiDescription } from '../../../src/request/openapi/document.ts'
import { http1, http2, type HeaderLine } from '../../servers/client.ts'
import { skipWithoutEnvoy } from '../../servers/envoy.ts'
import { verdictOf } from '../asking.ts'
import { ALICE, basic, HOST, PASSWORDS, startSite, type Site } from '../site.ts'
import { operationsReadIn, type Routed } from './reading.ts'
import { assertExplained, eventOf, expectedOf, explain } from './tools.ts'

const DOCUMENTS = resolve(import.meta.dirname, '../../fixtures/openapi')
const GITHUB = resolve(DOCUMENTS, 'github-23.0.2-trimmed.json')

/** The host of the route that passes what the document does not have. */
const OPEN = 'open.example.org'
const BOB = basic('bob', PASSWORDS.bob)

const RULES = [
  { deny: 'no-secrets', operations: ['*secret*'] },
  { deny: 'no-deletion', templates: ['/repos/{owner}/{repo}'], methods: ['DELETE'] },
  { deny: 'no-starred', operations: ['gists/list-starred'] },
  {
    allow: 'own-repositories',
    templates: ['/repos/{owner}/{repo}', '/repos/{owner}/{repo}/*'],
    when: 'operation.parameters.owner == identity.user',
  },
  { allow: 'gists', tags: ['gists'], methods: ['GET'] },
  { allow: 'organisations', operations: ['orgs/get', 'orgs/list*'], groups: ['ops'] },
]

/** What no disguise may reach. */
const FORBIDDEN = /secret|^repos\/delete$|^gists\/list-starred$/

interface Case {
  readonly name: string
  readonly path: string
  readonly method?: string
  readonly who?: HeaderLine
  readonly host?: string
  /** Status and reason; the operation that was judged, and the rule, where there is one. */
  readonly want: readonly [verdict: string, operation?: string | undefined, rule?: string]
}

const permitted = (operation: string, rule: string): Case['want'] => [
  '200 permitted',
  operation,
  rule,
]

const CASES: readonly Case[] = [
  {
    name: 'the user’s own files, by a condition on a parameter',
    path: '/repos/alice/site',
    want: permitted('repos/get', 'own-repositories'),
  },
  {
    name: 'another method of that path',
    method: 'PATCH',
    path: '/repos/alice/site',
    want: permitted('repos/update', 'own-repositories'),
  },
  {
    name: 'a path below it',
    path: '/repos/alice/site/issues/7?per_page=1',
    want: permitted('issues/get', 'own-repositories'),
  },
  {
    name: 'the more specific of two templates',
    path: '/gists/public',
    want: permitted('gists/list-public', 'gists'),
  },
  {
    name: 'the more general of them',
    path: '/gists/42',
    want: permitted('gists/get', 'gists'),
  },
  {
    name: 'two parameters in one segment',
    path: '/repos/alice/site/compare/v1...v2',
    want: permitted('repos/compare-commits', 'own-repositories'),
  },
  {
    name: 'a pattern of operations',
    path: '/orgs/acme',
    want: permitted('orgs/get', 'organisations'),
  },
  {
    name: 'the same operation, by a user without a group',
    path: '/orgs/acme',
    who: BOB,
    want: ['403 no-rule', 'orgs/get'],
  },
  {
    name: 'the files of another user',
    path: '/repos/bob/site',
    want: ['403 no-rule', 'repos/get'],
  },
  {
    name: 'a method that the rule of the tag lacks',
    method: 'POST',
    path: '/gists',
    want: ['403 no-rule', 'gists/create'],
  },
  {
    name: 'a forbidden operation',
    path: '/repos/alice/site/actions/secrets/KEY',
    want: ['403 rule-denied', 'actions/get-repo-secret', 'no-secrets'],
  },
  {
    name: 'a forbidden method of a template',
    method: 'DELETE',
    path: '/repos/alice/site',
    want: ['403 rule-denied', 'repos/delete', 'no-deletion'],
  },
  {
    name: 'a path that the document lacks',
    path: '/nothing/here',
    want: ['403 operation-undefined'],
  },
  {
    name: 'a method that the path lacks',
    method: 'PUT',
    path: '/repos/alice/site',
    want: ['403 operation-undefined'],
  },
  {
    name: 'HEAD, which is GET without the content',
    method: 'HEAD',
    path: '/repos/alice/site',
    want: permitted('repos/get', 'own-repositories'),
  },
  {
    name: 'HEAD of a forbidden operation',
    method: 'HEAD',
    path: '/repos/alice/site/actions/secrets/KEY',
    want: ['403 rule-denied', 'actions/get-repo-secret', 'no-secrets'],
  },
  {
    name: 'a path that the document lacks, where those are allowed',
    host: OPEN,
    path: '/status/now',
    want: ['200 permitted', undefined, 'status'],
  },
  {
    name: 'a request that no rule matches',
    host: OPEN,
    path: '/nothing/here',
    want: ['403 no-rule'],
  },
  {
    name: 'an operation, where every other request passes',
    host: OPEN,
    path: '/repos/alice/site',
    want: permitted('repos/get', 'own-repositories'),
  },
  {
    name: 'a forbidden operation, where every other request passes',
    host: OPEN,
    path: '/repos/alice/site/actions/secrets/KEY',
    want: ['403 rule-denied', 'actions/get-repo-secret', 'no-secrets'],
  },
]

/** One of each kind, since each explanation is a process. */
const PASTED = [...new Map(CASES.map((one) => [`${one.host} ${one.want[0]}`, one])).values()]

const SECRET = '/repos/alice/site/actions/secrets/KEY'

/** Ways to write a path, and the outcome of each, equal on both routes. */
const DISGUISES: readonly (readonly [name: string, path: string, want: RegExp, method?: string])[] =
  [
    ['a doubled slash at the start', `/${SECRET}`, /^403 rule-denied$/],
    ['a doubled slash inside', '/repos/alice//site/actions/secrets/KEY', /^403 rule-denied$/],
    ['a doubled slash in front of the last segment', '/gists//starred', /^403 rule-denied$/],
    ['a dot segment', '/repos/alice/site/./actions/secrets/KEY', /^403 rule-denied$/],
    [
      'a segment that is left again',
      '/repos/alice/site/x/../actions/secrets/KEY',
      /^403 rule-denied$/,
    ],
    ['somebody else’s by dot segments', '/repos/alice/../bob/site', /^403 no-rule$/],
    ['encoded dots', '/repos/alice/%2e%2e/bob/site', /^403 no-rule$/],
    ['encoded dots that lead to a forbidden one', '/gists/42/%2E%2E/starred', /^403 rule-denied$/],
    ['dots encoded twice', '/repos/alice/%252e%252e/bob/site', /^400 ambiguous-path$/],
    ['dots with a parameter', '/repos/alice/..;x=1/bob/site', /^403 no-rule$/],
    ['an encoded slash', '/repos/alice%2fsite/actions/secrets/KEY', /^400 by Envoy$/],
    ['encoded slashes and dots', '/repos/alice%2f..%2fbob/site', /^400 by Envoy$/],
    ['an encoded slash as the value of a parameter', '/gists/a%2Fstarred', /^400 by Envoy$/],
    ['a backslash', '/repos/alice\\site/actions/secrets/KEY', /^403 rule-denied$|^400 /],
    ['an encoded backslash', '/repos/alice%5csite/actions/secrets/KEY', /^400 /],
    ['an encoded letter', '/gists/%73tarred', /^403 rule-denied$/],
    ['a letter encoded twice', '/gists/%2573tarred', /^400 ambiguous-path$/],
    ['an encoded letter of an owner', '/repos/%61lice/site', /^200 permitted$/],
    ['an encoded letter of another owner', '/repos/%62ob/site', /^403 no-rule$/],
    ['a path parameter', '/gists/starred;x=1', /^400 ambiguous-path$/],
    ['a path parameter of a parameter', '/gists/42;x=1', /^400 ambiguous-path$/],
    ['a path parameter further up', '/repos/alice;x=1/site', /^400 ambiguous-path$/],
    ['an encoded path parameter', '/gists/starred%3bx=1', /^400 ambiguous-path$/],
    ['an empty path parameter', '/gists/starred;', /^400 ambiguous-path$/],
    ['a slash at the end', '/gists/starred/', /^400 ambiguous-path$/],
    ['a slash at the end of what is allowed', '/repos/alice/site/', /^400 ambiguous-path$/],
    ['a slash at the end of a doubled one', '/gists/starred//', /^400 ambiguous-path$/],
    ['a capital letter', '/gists/Starred', /^400 ambiguous-path$/],
    ['capitals', '/GISTS/STARRED', /^400 ambiguous-path$/],
    ['a capital in the owner', '/repos/Alice/site', /^403 no-rule$/],
    ['a long s, which some fold', '/gists/%C5%BFtarred', /^400 ambiguous-path$/],
    [
      'two templates without order',
      '/repos/alice/site/issues/comments/comments',
      /^400 ambiguous-path$/,
    ],
    [
      'a parameter that can be divided twice',
      '/repos/alice/site/compare/a...b...c',
      /^400 ambiguous-path$/,
    ],
    [
      'a parameter that is empty',
      '/repos/alice//',
      /^400 ambiguous-path$|^403 operation-undefined$|^403 no-rule$/,
    ],
    ['a NUL', '/gists/starred%00', /^400 /],
    ['a line feed', '/gists/starred%0a', /^400 malformed-path$/],
    ['bytes that are no UTF-8', '/gists/%ff', /^400 malformed-path$/],
    ['half an escape', '/gists/starred%7', /^400 malformed-path$/],
    ['a fragment', '/gists/42#/../starred', /^400 /],
    ['an encoded question mark', '/gists/starred%3fx', /^200 permitted$/],
    ['a deletion with a slash at the end', '/repos/alice/site/', /^400 ambiguous-path$/, 'DELETE'],
    ['a deletion behind dots', '/repos/alice/site/issues/..', /^400 ambiguous-path$/, 'DELETE'],
  ]

describe('rules about operations', { skip: skipWithoutEnvoy(), timeout: 120_000 }, () => {
  let site: Site
  let operations: readonly Routed[]
  before(async () => {
    operations = (await readApiDescription(await readFile(GITHUB, 'utf8'))).operations
    site = await startSite({
      route: { openapi: { file: GITHUB }, authorize: RULES },
      routes: [
        {
          name: 'open',
          match: { hosts: [OPEN] },
          openapi: { file: GITHUB, undefined: 'pass' },
          authorize: [...RULES, { allow: 'status', paths: ['/status/**'] }],
        },
      ],
    })
  })
  after(() => site[Symbol.asyncDispose]())

  for (const [version, over] of [
    ['HTTP/1.1', http1],
    ['HTTP/2', http2],
  ] as const) {
    for (const { name, method = 'GET', path, who = ALICE, host = HOST, want } of CASES) {
      it(`1. ${name}, over ${version}: ${want.filter(Boolean).join(', ')}`, async () => {
        site.upstream.clear()
        const answer = await over(site.target, { host, path, method, headers: [who] })
        const event = await eventOf(site, answer)
        const got = [`${answer.status} ${event.reason}`, event.operation, event.rule]
        assert.deepEqual(got, [...want, undefined, undefined].slice(0, 3))
        const arrived = site.upstream.requests.map((request) => [request.method, request.url])
        assert.deepEqual(arrived, event.decision === 'allow' ? [[method, path]] : [])
      })
    }

    for (const host of [HOST, OPEN]) {
      for (const [name, path, want, method = 'GET'] of DISGUISES) {
        it(`2. ${name} on ${host}, over ${version}: ${want.source}`, async () => {
          site.upstream.clear()
          const answer = await over(site.target, { host, path, method, headers: [ALICE] })
          const verdict = await verdictOf(site, answer)
          assert.match(verdict, want)
          const [arrived] = site.upstream.requests
          assert.equal(arrived !== undefined, verdict === '200 permitted')
          if (arrived === undefined) return
          const { operation } = await eventOf(site, answer)
          const [target = ''] = arrived.url.split('?')
          const read = operationsReadIn(operations, arrived.method, target)
          assert.deepEqual([...read], operation === undefined ? [] : [operation])
          assert.doesNotMatch(operation ?? '', FORBIDDEN)
        })
      }
    }
  }

  it('3. are explained by countersign explain, decision by decision', async () => {
    const events = await site.events()
    const hidden = events.filter(({ host, decision }) => host === HOST || decision === 'allow')
    await assertExplained(site, hidden)
  })

  for (const { name, method = 'GET', path, who = ALICE, host = HOST } of PASTED) {
    it(`4. ${name} is explained over HTTP, as decided`, async () => {
      const answer = await http1(site.target, { host, path, method, headers: [who] })
      const credential = `Authorization: ${who[1]}`
      const url = `https://${host}${path}`
      const words = ['curl', '-s', '-X', method, '-H', credential, '--path-as-is', url]
      const explained = await explain(site, ['--', ...words])
      assert.deepEqual(explained, expectedOf(await eventOf(site, answer)))
    })
  }
})
