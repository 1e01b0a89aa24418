// The contract of every source of revocation status.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Issued } from '../../../src/pki/issued.ts'
import type { RevocationSource, SourceStatus } from '../../../src/pki/revocation-source.ts'

/** A source with two certificates, and a source without any. */
export interface SourceSite extends AsyncDisposable {
  readonly source: RevocationSource
  readonly silent: RevocationSource
  readonly now: number
  readonly good: Issued
  readonly revoked: Issued
  /** Of the same serial number as the good one, and of another issuer. */
  readonly stranger: Issued
  /** Of the same serial number and issuer's name as the good one, and of another key. */
  readonly impostor: Issued
}

/** The status, by a request that lasts until the end of the test. */
export const statusOf = async (source: RevocationSource, issued: Issued): Promise<SourceStatus> =>
  await source.status(issued, new AbortController().signal)

/** Tests of every source. */
export const sourceConformance = (name: string, setUp: () => Promise<SourceSite>): void => {
  describe(`${name} as a source of revocation`, () => {
    it('knows a certificate that is not revoked, and until when', async () => {
      await using site = await setUp()
      const status = await statusOf(site.source, site.good)
      assert.ok(status.outcome === 'good' && status.until > site.now)
    })

    it('knows a revoked certificate', async () => {
      await using site = await setUp()
      assert.deepEqual(await statusOf(site.source, site.revoked), { outcome: 'revoked' })
    })

    for (const who of ['stranger', 'impostor'] as const) {
      it(`does not report a ${who} certificate as good`, async () => {
        await using site = await setUp()
        assert.equal((await statusOf(site.source, site.good)).outcome, 'good')
        assert.notEqual((await statusOf(site.source, site[who])).outcome, 'good')
      })
    }

    it('gives the same answer again, also to concurrent queries', async () => {
      await using site = await setUp()
      const pending = Array.from({ length: 20 }, (_, index) =>
        statusOf(site.source, index % 2 === 0 ? site.good : site.revoked),
      )
      const outcomes = (await Promise.all(pending)).map(({ outcome }) => outcome)
      assert.deepEqual(
        outcomes,
        Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? 'good' : 'revoked')),
      )
    })

    it('is unavailable for an unknown certificate', async () => {
      await using site = await setUp()
      assert.equal((await statusOf(site.silent, site.good)).outcome, 'unavailable')
    })

    it('yields unavailable at once when the query is cancelled', async () => {
      await using site = await setUp()
      const reason = new Error('gone')
      const status = await site.source.status(site.good, AbortSignal.abort(reason))
      assert.deepEqual(status, { outcome: 'unavailable', cause: reason })
    })
  })
}
