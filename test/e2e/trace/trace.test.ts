// Whichever id is known: `countersign trace` reports the same events of a request, from real logs.

import assert from 'node:assert/strict'
import { request as httpsRequest } from 'node:https'
import { readFile } from 'node:fs/promises'
import { after, before, describe, it } from 'node:test'
import type { DecisionEvent } from '../../../src/audit/event.ts'
import { countersign, type Result } from '../../cli/run.ts'
import { http1 } from '../../servers/client.ts'
import { skipWithoutEnvoy } from '../../servers/envoy.ts'
import { skipWithoutApiServer } from '../../servers/kube-apiserver.ts'
import { ALICE, basic, eventually, PASSWORDS } from '../site.ts'
import { startTracedSite, untilIssuerFound, WAYS, type TracedSite } from './site.ts'

const skip = skipWithoutEnvoy() || skipWithoutApiServer()
const PODS = '/api/v1/namespaces/default/pods'
const BOB = basic('bob', PASSWORDS.bob)

describe('countersign trace, with real logs', { skip, timeout: 300_000 }, () => {
  let site: TracedSite
  before(async () => {
    site = await startTracedSite()
    await untilIssuerFound(site)
  })
  after(() => site[Symbol.asyncDispose]())

  const trace = async (id: string, ...more: readonly string[]): Promise<Result> =>
    await countersign([
      'trace',
      id,
      '--audit',
      site.logs.audit,
      '--issuance',
      site.logs.issuance,
      '--kube-audit',
      site.server.auditLog,
      ...more,
    ])

  /** Bob asks once, and the API server has written it down. */
  const ask = async (way: keyof typeof WAYS): Promise<DecisionEvent> => {
    await http1(site.target(WAYS[way]), { path: PODS, headers: [BOB] })
    const decision = await site.lastDecision()
    await eventually(
      () => site.server.audited(),
      (requests) => requests.some(({ auditID }) => auditID === decision.id),
    )
    return decision
  }

  const assertSame = async (ids: readonly (string | undefined)[]): Promise<string> => {
    const results = await Promise.all(ids.map((id) => trace(id ?? '')))
    const [first] = results
    assert.ok(first)
    for (const [index, result] of results.entries()) {
      assert.deepEqual([result.status, result.stderr], [0, ''], `${ids[index]}\n${result.stdout}`)
      assert.equal(result.stdout, first.stdout, ids[index])
    }
    return first.stdout
  }

  it('connects decisions with identity headers', async () => {
    const { id, request } = await ask('headers')
    const report = await assertSame([id, request])
    assert.match(
      report,
      /Countersign decided: allow, permitted by rule rbac-decides on route headers/,
    )
    assert.match(report, /API server: list pods in default -> 403/)
    assert.doesNotMatch(report, /JTI=|X509SHA256=/) // it logs none for its front proxy
    assert.match(report, /the API server saw the same/)
  })

  it('connects a token with its decision, by the decision, the request, and the token', async () => {
    const { id, request, jti = [] } = await ask('token')
    const report = await assertSame([id, request, jti[0], `JTI=${jti[0]}`])
    assert.match(report, new RegExp(`credential {2}JTI=${jti[0]}`))
    assert.match(report, /the API server saw the same/)
  })

  it('connects a certificate with its decision, by the decision, the grant, and the certificate', async () => {
    const { id, request, handle } = await ask('certificate')
    const issued = (await site.issuances()).find(
      (event) => event.event === 'certificate-issued' && event.handle === handle,
    )
    assert.ok(issued?.event === 'certificate-issued')
    const { fingerprint, serial } = issued
    const colons = fingerprint.toUpperCase().replaceAll(/(..)(?!$)/g, '$1:')
    const ids = [id, request, handle, fingerprint, `X509SHA256=${fingerprint}`, colons, serial]
    const report = await assertSame(ids)
    assert.match(report, /signer: issued a certificate of kube\n {6}subject {5}CN=bob\n/)
    assert.match(report, new RegExp(`credential {2}X509SHA256=${fingerprint}`))
    assert.match(report, /the API server saw the same/)
  })

  it('connects groups, and a service account that acts for the caller', async () => {
    await http1(site.target(WAYS.impersonation), { path: PODS, headers: [ALICE] })
    const { id } = await site.lastDecision()
    await eventually(
      () => site.server.audited(),
      (requests) => requests.some(({ auditID }) => auditID === id),
    )
    const { status, stdout } = await trace(id)
    assert.equal(status, 0, stdout)
    assert.match(stdout, /user {8}system:serviceaccount:kube-system:countersign/)
    assert.match(stdout, /as {10}alice\n {6}as groups {3}"dev", "ops", "with, comma"/)
    assert.match(stdout, /the API server saw the same/)
  })

  it('reports a refusal, of which the API server has no event', async () => {
    await http1(site.target(WAYS.token), { path: '/api/v1/secrets', headers: [BOB] })
    const { id } = await site.lastDecision()
    const { status, stdout } = await trace(id)
    assert.equal(status, 0)
    assert.match(stdout, /decided: deny, rule-denied by rule no-secrets on route token/)
    assert.doesNotMatch(stdout, /API server:/)
  })

  it('warns where a credential of Countersign is used without a decision', async () => {
    const { id } = await ask('impersonation')
    assert.equal((await trace(id)).status, 0)
    const { url, ca } = site.server
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    httpsRequest(new URL('/api/v1/namespaces', url), {
      ca: await readFile(ca),
      headers: { authorization: `Bearer ${site.accountToken}` },
    })
      .on('response', (response) => response.resume().on('end', resolve))
      .on('error', reject)
      .end()
    await promise
    const { status, stdout } = await eventually(
      () => trace(id),
      (result) => result.status === 3,
    )
    assert.equal(status, 3)
    assert.match(
      stdout,
      /!!! 1 request at the API server with this credential and without a decision/,
    )
    assert.match(
      stdout,
      /system:serviceaccount:kube-system:countersign {2}list \/api\/v1\/namespaces/,
    )
  })

  it('reports an unknown id, and the logs that it searched', async () => {
    const { status, stdout, stderr } = await trace('00000000-0000-4000-8000-000000000000')
    assert.deepEqual([status, stdout], [1, ''])
    assert.match(stderr, /nothing is found of 00000000-.*looked in 3 files: .*audit\.jsonl/)
  })
})
