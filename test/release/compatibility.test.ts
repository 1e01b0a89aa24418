// State, keys and configuration that earlier versions wrote: this version starts on them. Sessions and tokens are still valid, and
// revocations are in force.
//
// Own process: it has the time of the files.

import assert from 'node:assert/strict'
import { chmod, cp, readFile } from 'node:fs/promises'
import { globSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { createLocalJWKSet, jwtVerify } from 'jose'
import * as openid from 'openid-client'
import { GrantSeal } from '../../src/grant/seal.ts'
import { parseGrantKeys } from '../../src/keys/grant-keys.ts'
import { countersign } from '../cli/run.ts'
import { grantOf } from '../fakes/grant.ts'
import { ISSUER, openSite, refusalOf, type Site } from '../issuer/authorization-server.ts'
import { isIn } from '../issuer/session/browsing.ts'
import { temporaryFolder, type TemporaryFolder } from '../servers/temporary.ts'
import { FIXTURES, KNOWN, knownSchema, type Known } from './kept-state.ts'

const MINUTE = 60_000
const folders = globSync('state-*', { cwd: FIXTURES })

/** A copy with the modes that a clone does not have. */
const copyOf = async (name: string, folder: TemporaryFolder): Promise<void> => {
  await cp(join(FIXTURES, name), folder.path, { recursive: true })
  for (const file of globSync(folder.file('**/*'), { withFileTypes: true })) {
    await chmod(join(file.parentPath, file.name), file.isFile() ? 0o600 : 0o700)
  }
}

it('there is a folder of a version', () => assert.ok(folders.length > 0))

for (const name of folders) {
  describe(`this version, on ${name},`, () => {
    /** An authz a minute after the files were written. */
    const opened = async (
      context: TestContext,
    ): Promise<AsyncDisposable & { readonly site: Site; readonly known: Known }> => {
      await using stack = new AsyncDisposableStack()
      const folder = stack.use(await temporaryFolder())
      await copyOf(name, folder)
      const known = knownSchema.parse(JSON.parse(await readFile(folder.file(KNOWN), 'utf8')))
      context.mock.timers.enable({ apis: ['Date'], now: known.time + MINUTE })
      const site = stack.use(await openSite(folder))
      const running = stack.move()
      return { site, known, [Symbol.asyncDispose]: () => running.disposeAsync() }
    }

    it('accepts a session, and refuses one that was revoked though its record is there', async (context) => {
      await using at = await opened(context)
      const { authz } = at.site
      assert.equal(await isIn(authz, at.known.session), true)
      assert.equal(await isIn(authz, at.known.endedSession), false)
    })

    it('accepts a refresh token, and refuses one that was revoked though its record is there', async (context) => {
      await using at = await opened(context)
      const client = await at.site.client('spa')
      const tokens = await openid.refreshTokenGrant(client, at.known.refreshToken)
      assert.equal(tokens.claims()?.sub, 'alice')
      const ended = openid.refreshTokenGrant(client, at.known.endedRefreshToken)
      assert.equal(await refusalOf(ended), 'invalid_grant')
    })

    it('publishes the keys of tokens', async (context) => {
      await using at = await opened(context)
      const { body } = await at.site.browser().get(`${ISSUER}/jwks`)
      const options = { issuer: ISSUER, currentDate: new Date(at.known.time) }
      const { payload } = await jwtVerify(
        at.known.idToken,
        createLocalJWKSet(JSON.parse(body)),
        options,
      )
      assert.equal(payload.sub, 'alice')
    })

    it('opens a certificate grant', async () => {
      const known = knownSchema.parse(
        JSON.parse(await readFile(join(FIXTURES, name, KNOWN), 'utf8')),
      )
      const keys = parseGrantKeys(name, await readFile(join(FIXTURES, name, 'grant.keys'), 'utf8'))
      assert.deepEqual(new GrantSeal(keys).open(known.handle), {
        outcome: 'opened',
        grant: grantOf(),
      })
    })

    it('finds the configuration valid, and decides the requests of the audit log in the same way', async () => {
      await using folder = await temporaryFolder()
      await copyOf(name, folder)
      const config = ['--config', folder.file('countersign.yaml')]
      const validated = await countersign(['validate', ...config])
      assert.equal(validated.status, 0, validated.stderr)
      const replayed = await countersign(['replay', folder.file('audit.jsonl'), ...config])
      assert.equal(replayed.status, 0, replayed.stdout + replayed.stderr)
    })
  })
}
