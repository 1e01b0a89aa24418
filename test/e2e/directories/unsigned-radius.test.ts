import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { after, before, describe, it } from 'node:test'
import { http1 } from '../../servers/client.ts'
import { skipWithoutEnvoy } from '../../servers/envoy.ts'
import { startFreeRadius } from '../../servers/freeradius.ts'
import { SILENT_USER } from '../../servers/freeradius-configuration.ts'
import {
  skipWithoutInstalledFreeRadius,
  startInstalledFreeRadius,
} from '../../servers/installed-freeradius.ts'
import { temporaryFolder } from '../../servers/temporary.ts'
import { basic, HOST, startSite, type Site } from '../site.ts'

// No wait for delays of brute-force protection: each request is of another user.
const send = async (site: Site, user: string, password = 'guess') => {
  const { status } = await http1(site.target, { host: HOST, headers: [basic(user, password)] })
  const { reason, detail } = (await site.events()).at(-1) ?? {}
  return { status, reason, detail }
}

describe(
  'RADIUS with the default times, through Envoy',
  { skip: skipWithoutEnvoy() || skipWithoutInstalledFreeRadius() },
  () => {
    const stack = new AsyncDisposableStack()
    const siteOf = async (server: { port: number; secret: string }): Promise<Site> => {
      const secret = stack.use(await temporaryFolder()).file('radius.secret')
      await writeFile(secret, server.secret, { mode: 0o600 })
      const servers = [{ host: `127.0.0.1:${server.port}`, secret: `file:${secret}` }]
      return stack.use(await startSite({ verify: [{ radius: { servers } }] }))
    }
    let installed: Site
    let silent: Site
    before(async () => {
      installed = await siteOf(
        stack.use(await startInstalledFreeRadius({ alice: 'wonderland', bob: 'builder' })),
      )
      silent = await siteOf(stack.use(await startFreeRadius([])))
    })
    after(() => stack.disposeAsync())

    it('the server signs no reply: 503, and the audit event has the reason, for users one after the other', async () => {
      for (const [user, password] of [
        ['alice', 'wonderland'],
        ...['a', 'b', 'c'].map((name) => [name, 'guess'] as const),
        ['bob', 'builder'],
      ] as const) {
        const { status, reason, detail } = await send(installed, user, password)
        assert.deepEqual({ status, reason }, { status: 503, reason: 'authenticator-unavailable' })
        assert.match(
          detail ?? '',
          /^RADIUS: 127\.0\.0\.1:\d+: a reply without Message-Authenticator was discarded/,
        )
      }
    })

    it('the server sends no reply: the event has that reason, and not that the check took too long', async () => {
      const { status, reason, detail } = await send(silent, SILENT_USER)
      assert.deepEqual({ status, reason }, { status: 503, reason: 'authenticator-unavailable' })
      assert.match(detail ?? '', /^RADIUS: 127\.0\.0\.1:\d+: no reply within \d+ ms$/)
    })
  },
)
