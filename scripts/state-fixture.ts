// Writes state and configuration of this version to test/fixtures/state-VERSION: `node scripts/state-fixture.ts`. Run it when a version
// is released, and then never again for that version: test/release/compatibility.test.ts starts later versions on the folder. The
// keys in it protect nothing.

import { cp, mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import * as openid from 'openid-client'
import packageJson from '../package.json' with { type: 'json' }
import { GrantSeal } from '../src/grant/seal.ts'
import { newGrantKeyLine, parseGrantKeys } from '../src/keys/grant-keys.ts'
import type { Browser } from '../test/fakes/browser.ts'
import { grantOf } from '../test/fakes/grant.ts'
import { authorization, startSite, type Site } from '../test/issuer/authorization-server.ts'
import {
  ACCOUNT,
  ALICE,
  BOB,
  isIn,
  loggedIn,
  sessionOn,
  withSessions,
  type Credentials,
} from '../test/issuer/session/browsing.ts'
import { FIXTURES, KNOWN, type Known } from '../test/release/kept-state.ts'
import { tamperingWithFile } from '../test/state/tampering.ts'

const GRANT_KEYS = 'grant.keys'

/** What a version leaves behind. */
const FILES = [
  'countersign.yaml',
  'users.yaml',
  'secret',
  'keys',
  'audit.jsonl',
  'state.db',
  'state.db.secret',
  GRANT_KEYS,
]

/** A user's session, and tokens of an application. */
const logInOf = async (site: Site, user: Credentials) => {
  const { browser } = await loggedIn(site, user)
  const session = await sessionOn(browser)
  const client = await site.client('spa')
  const { url, checks } = await authorization(client, { scope: 'openid offline_access' })
  const callback = await browser.get(url)
  const tokens = await openid.authorizationCodeGrant(client, callback.url, checks)
  return { browser, session, tokens }
}

const logOutEverywhere = async (browser: Browser): Promise<void> =>
  void (await browser.submit(await browser.get(ACCOUNT), '/everywhere'))

const write = async (): Promise<void> => {
  const keyLine = newGrantKeyLine()
  const time = Date.now()
  const state = withSessions('state: { sqlite: state.db }')
  const files = { [GRANT_KEYS]: `${keyLine}\n` }
  const to = join(FIXTURES, `state-${packageJson.version}`)
  let known: Known
  {
    await using site = await startSite(state, files)
    // Times of tokens are whole seconds: these are later than the beginning of the store.
    await sleep(1_200)
    const alice = await logInOf(site, ALICE)
    const bob = await logInOf(site, BOB)
    const putBack = await tamperingWithFile(site.folder.file('state.db')).copyRecords()
    await logOutEverywhere(bob.browser)
    await putBack()
    if (!(await isIn(site.authz, alice.session)) || (await isIn(site.authz, bob.session))) {
      throw new Error('the sessions are not as they should be')
    }
    const sealing = new GrantSeal(parseGrantKeys(GRANT_KEYS, keyLine)).seal(grantOf())
    known = {
      time,
      session: alice.session,
      endedSession: bob.session,
      refreshToken: alice.tokens.refresh_token ?? '',
      endedRefreshToken: bob.tokens.refresh_token ?? '',
      idToken: alice.tokens.id_token ?? '',
      handle: sealing.outcome === 'sealed' ? sealing.handle : '',
    }
    // authz ends before its folder does: it then has written everything.
    await site.authz[Symbol.asyncDispose]()
    await rm(to, { recursive: true, force: true })
    await mkdir(to, { recursive: true })
    for (const name of FILES) {
      await cp(site.folder.file(name), join(to, name), { recursive: true })
    }
  }
  await writeFile(join(to, KNOWN), `${JSON.stringify(known, undefined, 2)}\n`)
  console.log(`wrote ${to}`)
}

await write()
