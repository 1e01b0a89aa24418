// The id of a decision in the audit log of a real API server, whichever way leads to it.

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { after, before, describe, it } from 'node:test'
import { http1, http2, valuesOf, type HeaderLine } from '../../servers/client.ts'
import { skipWithoutEnvoy } from '../../servers/envoy.ts'
import { skipWithoutApiServer } from '../../servers/kube-apiserver.ts'
import { kubectl, skipWithoutKubectl } from '../../servers/kubectl.ts'
import { ApiProxy, startWebServer } from '../../servers/web-server.ts'
import { ALICE, eventually, PASSWORDS } from '../site.ts'
import { startTracedSite, untilIssuerFound, WAYS, type TracedSite } from './site.ts'

const skip = skipWithoutEnvoy() || skipWithoutApiServer() || skipWithoutKubectl()
const PODS = '/api/v1/namespaces/default/pods'
const FORGED = '11111111-2222-4333-8444-555555555555'

const FORGERIES: Readonly<Record<string, readonly HeaderLine[]>> = {
  'no Audit-ID': [],
  'an Audit-ID': [['Audit-ID', FORGED]],
  'an Audit-ID in lower case': [['audit-id', FORGED]],
  'two of them': [
    ['Audit-ID', FORGED],
    ['Audit-Id', `${FORGED}0`],
  ],
  'an empty one': [['Audit-ID', '']],
  'a nominated one': [
    ['Audit-ID', FORGED],
    ['Connection', 'keep-alive, Audit-ID'],
  ],
}

describe('the decision id as Audit-ID', { skip, timeout: 300_000 }, () => {
  let site: TracedSite
  before(async () => {
    site = await startTracedSite()
    await untilIssuerFound(site)
  })
  after(() => site[Symbol.asyncDispose]())

  /** Ids by which the API server knows requests for that path; it may log after it answers. */
  const loggedFor = (path: string): Promise<readonly string[]> =>
    eventually(
      async () =>
        (await site.server.audited())
          .filter(({ requestURI }) => requestURI === path)
          .map(({ auditID }) => auditID),
      ({ length }) => length > 0,
    )

  for (const [way, host] of Object.entries(WAYS)) {
    for (const [index, [what, headers]] of Object.entries(FORGERIES).entries()) {
      it(`is the audit id of the API server by ${way}, for a caller who sends ${what}`, async () => {
        const path = `${PODS}?limit=${index + 1}&labelSelector=way%3D${way}`
        const answer = await http1(site.target(host), { path, headers: [ALICE, ...headers] })
        assert.equal(answer.status, 403, answer.body)
        assert.match(answer.body, /User \\"alice\\" cannot list resource/)
        const { id } = await site.lastDecision()
        assert.deepEqual(valuesOf(answer, 'x-countersign-decision'), [id])
        assert.deepEqual(valuesOf(answer, 'audit-id'), [id]) // the API server's own word
        assert.deepEqual(await loggedFor(path), [id])
      })
    }
  }

  it('is the audit id over HTTP/2 as well', async () => {
    const path = `${PODS}?limit=100`
    const headers: readonly HeaderLine[] = [ALICE, ['audit-id', FORGED]]
    await http2(site.target(WAYS.certificate), { host: WAYS.certificate, path, headers })
    assert.deepEqual(await loggedFor(path), [(await site.lastDecision()).id])
  })

  it('is the audit id of requests by a real kubectl, with a forged Audit-ID or without', async () => {
    const onward = new ApiProxy(
      `https://127.0.0.1:${site.target(WAYS.token).port}`,
      await readFile(site.pki.ca),
    )
    await using forging = await startWebServer(site.pki.edge, {
      request: (request, response) => {
        const headers = { ...request.headers, 'audit-id': FORGED }
        onward.request(request.url ?? '', request, headers, response)
      },
    })
    const { complaint } = await kubectl([
      `--server=https://127.0.0.1:${forging.port}`,
      `--certificate-authority=${site.pki.ca}`,
      '--username=alice',
      `--password=${PASSWORDS.alice}`,
      'get',
      '--raw',
      '/apis/apps/v1/deployments',
    ])
    assert.match(complaint, /User "alice" cannot list resource "deployments"/)
    assert.deepEqual(await loggedFor('/apis/apps/v1/deployments'), [(await site.lastDecision()).id])
  })

  it('is never one that a caller sent', async () => {
    const ids = (await site.server.audited()).map(({ auditID }) => auditID)
    assert.ok(!ids.some((id) => id.startsWith(FORGED)))
  })
})
