// What everything that knows of revocations must do, whatever it asks.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Issued } from '../../../src/pki/issued.ts'
import type { RevocationSource, SourceStatus } from '../../../src/pki/revocation-source.ts'

/** A source that knows the two certificates, and one that knows nothing. */
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

/** The outcome, with whoever asks gone at the end of the test. */
export const statusOf = async (source: RevocationSource, issued: Issued): Promise<SourceStatus> =>
  await source.status(issued, new AbortController().signal)

/** Tests of every source. */
export const sourceConformance = (name: string, setUp: () => Promise<SourceSite>): void => {
  describe(`${name} as a source of revocation`, () => {
    it('knows who is good, and for how long', async () => {
      await using site = await setUp()
      const status = await statusOf(site.source, site.good)
      assert.ok(status.outcome === 'good' && status.until > site.now)
    })

    it('knows who is revoked', async () => {
      await using site = await setUp()
      assert.deepEqual(await statusOf(site.source, site.revoked), { outcome: 'revoked' })
    })

    for (const who of ['stranger', 'impostor'] as const) {
      it(`takes no ${who} for somebody good`, async () => {
        await using site = await setUp()
        assert.equal((await statusOf(site.source, site.good)).outcome, 'good')
        assert.notEqual((await statusOf(site.source, site[who])).outcome, 'good')
      })
    }

    it('says the same again, and to many at once', async () => {
      await using site = await setUp()
      const asked = Array.from({ length: 20 }, (_, index) =>
        statusOf(site.source, index % 2 === 0 ? site.good : site.revoked),
      )
      const outcomes = (await Promise.all(asked)).map(({ outcome }) => outcome)
      assert.deepEqual(
        outcomes,
        Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? 'good' : 'revoked')),
      )
    })

    it('is unavailable where it knows nothing', async () => {
      await using site = await setUp()
      assert.equal((await statusOf(site.silent, site.good)).outcome, 'unavailable')
    })

    it('lets a caller go at once, and does not reject', async () => {
      await using site = await setUp()
      const reason = new Error('gone')
      const status = await site.source.status(site.good, AbortSignal.abort(reason))
      assert.deepEqual(status, { outcome: 'unavailable', cause: reason })
    })
  })
}
