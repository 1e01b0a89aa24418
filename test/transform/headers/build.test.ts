// The sets of headers that a route names, built in an order of their own.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { buildHeaders } from '../../../src/transform/headers/build.ts'
import { forwardSchema } from '../../../src/transform/schema.ts'
import { NO_CERTIFICATE } from '../../../src/identity/certificate-fields.ts'
import type { Identity } from '../../../src/identity/identity.ts'
import { certificateOf } from '../../fixtures/certificate.ts'
import { forwardingOf, outcomeOf } from '../../fakes/transformed.ts'

const CERTIFIED: Partial<Identity> = {
  certificate: { ...NO_CERTIFICATE, subjectName: 'CN=alice' },
  certificateDer: certificateOf(),
}

/** The first header of each transformer. */
const headersOf = async (forward: object): Promise<readonly (string | undefined)[]> =>
  await Promise.all(
    buildHeaders(forwardSchema.parse(forward)).map(async (transformer) => {
      assert.equal(transformer.kind, 'headers')
      const { setHeaders } = await forwardingOf(transformer, CERTIFIED)
      return setHeaders[0]?.[0]
    }),
  )

describe('the headers of a route', () => {
  const CASES = [
    { name: 'none', input: {}, want: [] },
    { name: 'one set', input: { headers: 'grafana' }, want: ['x-webauth-user'] },
    { name: 'headers of its own', input: { set: { 'x-user': 'identity.user' } }, want: ['x-user'] },
    {
      name: 'everything, in whatever order it is written',
      input: {
        set: { 'x-user': 'identity.user' },
        headers: ['headlamp', 'grafana', 'certificate', 'impersonation', 'kubernetes'],
      },
      want: [
        'x-remote-user',
        'impersonate-user',
        'x-cert-subject',
        'x-webauth-user',
        'x-forwarded-user',
        'x-user',
      ],
    },
    {
      name: 'a set that is named twice, once',
      input: { headers: ['grafana', 'grafana'] },
      want: ['x-webauth-user'],
    },
  ]
  for (const { name, input, want } of CASES) {
    it(`are those of the configuration: ${name}`, async () =>
      assert.deepEqual(await headersOf(input), want))
  }

  it('go by what else is said of them', async () => {
    const [set] = buildHeaders(
      forwardSchema.parse({ set: { 'x-a': '"system:nodes"' }, allowReserved: ['system:nodes'] }),
    )
    const [certificate] = buildHeaders(
      forwardSchema.parse({ headers: 'certificate', certificateHeaders: { missing: 'omit' } }),
    )
    assert.ok(set !== undefined && certificate !== undefined)
    assert.equal(await outcomeOf(set), 'transformed')
    assert.equal(await outcomeOf(certificate), 'transformed')
  })
})
