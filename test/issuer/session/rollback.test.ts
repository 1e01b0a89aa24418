// Two authz that share a store, and an attacker who restores records there that were deleted: the answers for a
// session, a token and a refresh token then, over HTTP and gRPC.

import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import * as openid from 'openid-client'
import { startAuthz, type Authz } from '../../../src/authz.ts'
import { newStateKeyLine } from '../../../src/state/state-secret.ts'
import { freePort } from '../../servers/ports.ts'
import { skipWithoutRedis, startRedis } from '../../servers/redis.ts'
import { eventually } from '../../state/redis/settings.ts'
import { tamperingWithFile, tamperingWithRedis, type Tampering } from '../../state/tampering.ts'
import { authorization, refusalOf, startSite, type Site } from '../authorization-server.ts'
import { ACCOUNT, BOB, isIn, loggedIn, sessionOn } from './browsing.ts'
import { API, answerTo, withTokens } from './tokens.ts'

/** Longer than an authz reads without looking up the revocations of other processes. */
const FRESH_MS = 1_200

const startBoth = async (
  stack: AsyncDisposableStack,
  state: string,
): Promise<readonly [Site, Authz]> => {
  const ports = [await freePort(), await freePort()] as const
  const files = { ring: newStateKeyLine() }
  const site = stack.use(await startSite(withTokens(state, ports[0]), files))
  const yaml = withTokens(state, ports[1]).replace('audit.jsonl', 'other.jsonl')
  await writeFile(site.folder.file('other.yaml'), yaml)
  return [site, stack.use(await startAuthz(site.folder.file('other.yaml')))]
}

const statusOf = async (authz: Authz, token: string): Promise<string> => {
  const outcome = await answerTo(authz, token)
  return outcome.allow ? 'OK' : outcome.status
}

const holds = async (site: Site, other: Authz, tampering: Tampering): Promise<void> => {
  // Whole seconds, as tokens have them: what is issued now is later than the floor of a new store.
  await sleep(FRESH_MS)
  const { browser } = await loggedIn(site)
  const cookie = await sessionOn(browser)
  const bystander = await sessionOn((await loggedIn(site, BOB)).browser)
  const web = await site.client('web')
  const redirect = await authorization(web, { resource: API, scope: 'openid read' })
  const tokens = await openid.authorizationCodeGrant(
    web,
    (await browser.get(redirect.url)).url,
    redirect.checks,
  )
  const spa = await site.client('spa')
  const offline = await authorization(spa, { scope: 'openid offline_access' })
  const { url } = await browser.get(offline.url)
  const { refresh_token: used = '' } = await openid.authorizationCodeGrant(spa, url, offline.checks)
  const token = tokens.access_token
  await eventually(async () => assert.equal(await statusOf(site.authz, token), 'OK'))
  await eventually(async () => assert.equal(await statusOf(other, token), 'OK'))
  assert.equal(await isIn(other, cookie), true)

  const putBack = await tampering.copyRecords()
  const { refresh_token: next } = await openid.refreshTokenGrant(spa, used)
  assert.ok(next !== undefined)
  await browser.submit(await browser.get(ACCOUNT), '/everywhere')
  await putBack()
  await sleep(FRESH_MS)

  for (const authz of [site.authz, other]) {
    assert.equal(await isIn(authz, cookie), false)
    assert.equal(await statusOf(authz, token), 'Unauthorized')
    assert.equal(await isIn(authz, bystander), true)
  }
  for (const refreshToken of [used, next]) {
    assert.equal(await refusalOf(openid.refreshTokenGrant(spa, refreshToken)), 'invalid_grant')
  }
}

describe('after a sign-out of a user whose records an attacker restores in the store,', () => {
  it('a session, a token and a used refresh token are refused by two authz with a state file', async () => {
    await using stack = new AsyncDisposableStack()
    const [site, other] = await startBoth(stack, 'state: { sqlite: state.db }')
    await holds(site, other, tamperingWithFile(site.folder.file('state.db')))
  })

  it(
    'a session, a token and a used refresh token are refused by two authz with Redis',
    { skip: skipWithoutRedis() },
    async () => {
      await using stack = new AsyncDisposableStack()
      const redis = stack.use(await startRedis())
      process.env['ROLLBACK_REDIS'] = redis.url
      const state = 'state: { redis: { url: env:ROLLBACK_REDIS, secret: file:ring, timeout: 10s } }'
      const [site, other] = await startBoth(stack, state)
      await holds(site, other, tamperingWithRedis(redis))
    },
  )
})
