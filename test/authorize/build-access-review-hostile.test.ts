// An API server that answers rules badly, late or not at all: no request is allowed by that.

import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import type { QuestionParts } from '../fakes/question.ts'
import { createAuthority } from '../servers/pki.ts'
import { startTokenServer, type Answer } from '../servers/token-server.ts'
import { buildRulesFrom } from '../authenticate/building.ts'
import { BY_REVIEW, NO, pod, review, start, YES } from '../clients/kubernetes/reviewing.ts'

describe('access reviews by a Kubernetes API server', () => {
  const HOSTILE: readonly {
    readonly name: string
    readonly answer: Answer
    readonly cause: RegExp
  }[] = [
    {
      name: '`allowed` as a text',
      answer: { body: review({ allowed: 'true' }) },
      cause: /answered nonsense: "allowed" is not a boolean/,
    },
    {
      name: '`allowed` twice',
      answer: { body: review({ allowed: true }).replace('"status"', '"status":{},"status"') },
      cause: /sent no JSON object/,
    },
    {
      name: 'an object of another kind',
      answer: { body: review({ allowed: true }).replace('SubjectAccessReview', 'TokenReview') },
      cause: /it is not a SubjectAccessReview/,
    },
    {
      name: 'a denial because its evaluation failed',
      answer: { body: review({ allowed: false, evaluationError: 'webhook is down' }) },
      cause: /could not decide: "webhook is down"/,
    },
    { name: 'malformed JSON', answer: { body: 'yes' }, cause: /sent no JSON object/ },
    {
      name: 'more bytes than the limit',
      answer: { body: `${review({ allowed: true })}${' '.repeat(600_000)}` },
      cause: /more than 524288 bytes/,
    },
    ...[401, 403].map((status) => ({
      name: String(status),
      answer: { ...YES, status },
      cause: new RegExp(`refuses our own credentials \\(${status}\\): .*system:auth-delegator`),
    })),
    ...[202, 302, 404, 422, 429, 500, 503].map((status) => ({
      name: String(status),
      answer: { ...YES, status },
      cause: new RegExp(`answered ${status}`),
    })),
    {
      name: 'a truncated answer',
      answer: {
        write(response) {
          response.writeHead(201, { 'content-length': 1_000 })
          response.write('{', () => response.destroy())
        },
      },
      cause: /cannot be fetched/,
    },
  ]
  for (const { name, answer, cause } of HOSTILE) {
    it(`hostile: allow nothing, and work again, after ${name}`, async () => {
      // With a rule that allows what the API server refuses. It must not match because of a failure.
      const authorize = [{ deny: 'by-rbac', subjectAccessReview: true }, { allow: 'rest' }]
      await using site = await start({}, { authorize })
      const { scripted, decide } = site
      scripted.answer = () => answer
      assert.match(await decide(pod('a')), cause)
      scripted.answer = () => NO
      site.clock.advance(1_000) // for which a failure of this question is remembered
      assert.equal(await decide(pod('a')), 'permit rest')
    })
  }

  it('hostile: accept a long path that the answer repeats, escaped', async () => {
    await using site = await start({ failureThreshold: 1 }, { kind: 'http' })
    const { scripted, decide } = site
    scripted.answer = ({ body }) => ({
      status: 201,
      // As Go writes it (encoding/json: HTML escaping).
      body: review({ allowed: true }, JSON.parse(body).spec).replaceAll('&', '\\u0026'),
    })
    const longest = `/${'&'.repeat(60_000)}`
    assert.equal(await decide({ request: { path: longest } }), 'permit by-rbac')
    assert.match(
      await decide({ request: { path: `${longest}${longest}` } }),
      /^unavailable: .*long/,
    )
    assert.equal(site.built.dependencies[0]?.isUp(), true)
  })

  it('end at the timeout', async () => {
    await using site = await start({ timeout: '50ms' })
    const { promise, resolve } = Promise.withResolvers<void>()
    site.scripted.answer = () => ({ ...YES, after: promise })
    assert.match(await site.decide(pod('a')), /^unavailable: .*timeout/)
    resolve()
  })

  it('end for a caller that has left, and continue for the remaining one', async () => {
    await using site = await start()
    const { scripted, decide } = site
    const { promise, resolve } = Promise.withResolvers<void>()
    scripted.answer = () => ({ ...YES, after: promise })
    const leaving = new AbortController()
    const [first, second] = [decide(pod('a'), leaving.signal), decide(pod('a'))]
    leaving.abort(new Error('gone'))
    assert.equal(await first, 'unavailable: gone')
    resolve()
    assert.equal(await second, 'permit by-rbac')
    assert.equal(scripted.requests.length, 1)
  })

  it('are not requested for a while after failures, as the metrics show', async () => {
    await using site = await start({ failureThreshold: 2, coolDown: '5s' })
    const { scripted, decide, clock, built } = site
    const [dependency, ...more] = built.dependencies
    assert.deepEqual(more, [])
    assert.ok(dependency?.kind === 'access-review')
    assert.equal(dependency.route, 'app')
    assert.equal(dependency.name, scripted.origin)
    await scripted.stop()
    assert.match(await decide(pod('a')), /^unavailable: .*ECONNREFUSED/)
    assert.equal(dependency.isUp(), true)
    assert.match(await decide(pod('a')), /^unavailable: /)
    assert.equal(dependency.isUp(), false)
    assert.match(await decide(pod('a')), /^unavailable: .*circuit breaker is open/)
    const identity = await site.authority.issue({
      commonName: 'api',
      names: ['127.0.0.1'],
      usage: 'server',
    })
    await using again = await startTokenServer(identity, () => YES, { port: scripted.port })
    assert.match(await decide(pod('a')), /^unavailable: .*circuit breaker is open/)
    clock.advance(5_000)
    assert.equal(await decide(pod('a')), 'permit by-rbac')
    assert.equal(again.requests.length, 1)
    assert.equal(dependency.isUp(), true)
  })

  it('hostile: are at most as many at once as the limit', async () => {
    await using site = await start({ concurrency: 4 })
    const { scripted, decide } = site
    let [open, most] = [0, 0]
    scripted.answer = () => {
      open += 1
      most = Math.max(most, open)
      return { ...YES, after: pause(20).then(() => (open -= 1)) }
    }
    const all = Array.from({ length: 10 }, (_, index) => decide(pod(`p${index}`)))
    assert.deepEqual(new Set(await Promise.all(all)), new Set(['permit by-rbac']))
    assert.equal(most, 4)
  })

  it('hostile: of one user with ever new names leave room for other users', async () => {
    await using site = await start({ perCaller: { concurrency: 5, perSecond: 10 } })
    const { decide, scripted } = site
    const asMallory = (name: string): QuestionParts => ({
      ...pod(name),
      identity: { user: 'mallory' },
    })
    const flood = await Promise.all(
      Array.from({ length: 100 }, (_, index) => decide(asMallory(`m${index}`))),
    )
    assert.equal(flood.filter((verdict) => verdict === 'permit by-rbac').length, 5)
    assert.ok(flood.some((verdict) => /^unavailable: one caller asks .* too much$/.test(verdict)))
    assert.equal(scripted.requests.length, 5)
    assert.equal(await decide(pod('a')), 'permit by-rbac')
    assert.equal(await decide(asMallory('m0')), 'permit by-rbac') // which is remembered
  })
})

describe('the configuration of a Kubernetes API server', () => {
  const CASES = [
    {
      name: 'http: as the scheme',
      apiServer: { server: 'http://10.0.0.1' },
      want: /must begin with https/,
    },
    { name: 'a missing token', apiServer: { token: 'file:missing' }, want: /does not exist/ },
    {
      name: '`inCluster` outside of a cluster',
      apiServer: { server: undefined, token: undefined, inCluster: true },
      want: /not in a pod/,
    },
    { name: 'a missing CA', apiServer: { ca: 'missing.pem' }, want: /missing\.pem/ },
  ]
  for (const { name, apiServer, want } of CASES) {
    it(`is a problem where it has ${name}`, async () => {
      await using authority = await createAuthority('Countersign API server test CA')
      await writeFile(`${authority.folder}/own.token`, 'own-token-1\n')
      const server = { server: 'https://10.0.0.1', token: `file:${authority.folder}/own.token` }
      await using built = await buildRulesFrom(`${authority.folder}/countersign.yaml`, {
        authorize: BY_REVIEW,
        apiServer: { ...server, ...apiServer },
      })
      assert.equal(built.authorizer, undefined)
      assert.match(built.problems.join('; '), want)
    })
  }
})
