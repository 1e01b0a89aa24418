import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { FLOODS } from './floods.ts'
import { ALICE, HOST, startFloodedSite, type FloodedSite } from './flooded-site.ts'
import { chartLimit, peakOf, resetPeak } from './limited.ts'

const TIMES = Number(process.env['COUNTERSIGN_FLOOD_TIMES'] ?? '1')

describe('authz within the memory limit of the Helm chart', () => {
  let site: FloodedSite
  let limit: number
  before(async () => {
    limit = await chartLimit()
    site = await startFloodedSite(limit)
  })
  after(() => site[Symbol.asyncDispose]())

  /** Whether a user is let in, from an address that nothing else comes from. */
  const isLetIn = async (authorization: string): Promise<boolean> => {
    using client = site.client()
    const headers = [['authorization', authorization]] as const
    return (await client.check({ host: HOST, sourceAddress: '192.0.2.1', headers })).allow
  }

  for (const { name, run } of FLOODS) {
    it(`stays below it, and answers other clients, in a flood of ${name}`, async (t) => {
      const honest = `Bearer ${await site.token('bob')}`
      const { pid } = site.authz
      resetPeak(pid)
      const over = new AbortController()
      const asking = async (): Promise<readonly boolean[]> => {
        const answers: boolean[] = []
        while (!over.signal.aborted) {
          answers.push(await isLetIn(honest))
          await sleep(50)
        }
        return answers
      }
      const others = asking()
      try {
        await run(site, TIMES)
      } finally {
        over.abort()
      }
      const peak = peakOf(pid)
      t.diagnostic(`${Math.round(peak / 1e6)} MB at most${site.isEnforced ? '' : ', not enforced'}`)
      assert.ok(peak < limit, `${peak} bytes`)
      assert.ok((await others).every((allowed) => allowed))
      assert.equal(await isLetIn(ALICE), true)
    })
  }
})
