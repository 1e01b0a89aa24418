// Clients that open requests and abandon them at once, through Envoy: it abandons the checks, too, which share a
// connection to authz with those of all other clients.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { constants } from 'node:http2'
import { describe, it } from 'node:test'
import { http1, openHttp2 } from '../../servers/client.ts'
import { skipWithoutEnvoy } from '../../servers/envoy.ts'
import { ALICE, HOST, startSite, type Site } from '../site.ts'

// Of each connection: below the 250 at which Envoy takes it for an attack.
const ABANDONED = 200
const AT_ONCE = 50
// Together far beyond what Node's HTTP/2 server allows a connection by default: 1,000 resets at once, 33 a second.
const CONNECTIONS = 30

const abandonRequests = async (site: Site): Promise<void> => {
  const session = await openHttp2(site.target)
  for (let sent = 0; sent < ABANDONED; sent += AT_ONCE) {
    const closed = Array.from({ length: AT_ONCE }, async () => {
      const stream = session.request({ ':path': '/', ':authority': HOST })
      const closes = once(stream, 'close')
      setImmediate(() => stream.close(constants.NGHTTP2_CANCEL))
      await closes
    })
    await Promise.all(closed)
  }
  session.destroy()
}

const resetChecks = async (site: Site): Promise<number> => {
  const statistics = await site.envoy.admin('/stats?filter=countersign_authz.*tx_reset')
  return Number(/http2\.tx_reset: (\d+)/.exec(statistics)?.[1])
}

describe('requests that clients cancel at once', { skip: skipWithoutEnvoy() }, () => {
  it('do not end the connection that the checks of other callers use', async () => {
    await using site = await startSite()
    const flood = new AbortController()
    const statuses: number[] = []
    const honest = async (): Promise<void> => {
      while (!flood.signal.aborted) {
        statuses.push((await http1(site.target, { headers: [ALICE] })).status)
      }
    }
    const others = Promise.all(Array.from({ length: 8 }, honest))
    for (let index = 0; index < CONNECTIONS; index += 1) {
      await abandonRequests(site)
    }
    flood.abort()
    await others
    const resets = await resetChecks(site)
    assert.ok(resets > 1_500, `${resets} checks were abandoned`)
    assert.ok(statuses.length > 0)
    assert.deepEqual(
      statuses.filter((status) => status !== 200),
      [],
    )
  })
})
