// A FreeRADIUS as Debian 12 installs it: its replies have no Message-Authenticator. What an administrator changes there
// is what docs/how-to/credentials-in.md says.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { RadiusFailure } from '../../../../src/clients/radius/failure.ts'
import { Secret } from '../../../../src/config/references.ts'
import { blocksTestedBy } from '../../../docs/examples/blocks.ts'
import { CALLER } from '../../../fakes/caller.ts'
import {
  INSTALLED,
  skipWithoutInstalledFreeRadius,
  startInstalledFreeRadius,
  type InstalledFreeRadius,
} from '../../../servers/installed-freeradius.ts'
import { radiusWith, serverAt, type LoggingRadius, type RadiusOptions } from './verifying.ts'

const USERS = { alice: 'wonderland', bob: 'builder' }

// What an administrator does who forgets rejects.
const SIGN_ACCEPTS_ALONE = `sed -i -E 's/^post-auth \\{/&\\nupdate reply {\\n\\&Message-Authenticator := 0x00\\n}/' ${INSTALLED}/sites-available/default`

const TEST = 'test/authenticate/password/radius/installed-freeradius.test.ts'

/** The commands of the guide, without the last line: here the server is started by the test, as this user. */
const documentedChange = (): string => {
  const [block] = blocksTestedBy(TEST, 'docs/how-to/credentials-in.md')
  const lines = block?.text.trimEnd().split('\n') ?? []
  assert.match(lines.pop() ?? '', /^sudo freeradius -C && sudo systemctl restart freeradius$/)
  return lines.join('\n').replaceAll(/^sudo /gm, '')
}

const radiusOf = (
  { port, secret }: InstalledFreeRadius,
  options: RadiusOptions = {},
): LoggingRadius =>
  // The product's own times.
  radiusWith([serverAt(port, { secret: new Secret(secret) })], options)

describe('FreeRADIUS as Debian installs it', { skip: skipWithoutInstalledFreeRadius() }, () => {
  it('sends replies that are discarded, which is the reason of the failure and opens no circuit', async () => {
    await using server = await startInstalledFreeRadius(USERS)
    await using radius = radiusOf(server)
    for (const password of ['wonderland', 'a', 'b', 'c', 'd']) {
      const verification = await radius.verify('alice', password, CALLER)
      assert.ok(verification.outcome === 'unavailable')
      assert.ok(verification.cause instanceof RadiusFailure)
      assert.equal(
        verification.cause.reason,
        password === USERS.alice ? 'unsigned' : 'unsigned-reject',
      )
      assert.match(verification.cause.message, /reply without Message-Authenticator was discarded/)
    }
    assert.ok(radius.servers.every(({ isUp }) => isUp()))
    assert.ok(!radius.lines.some((line) => line.includes('circuit opened')))
  })

  it('verifies passwords with messageAuthenticator: prefer', async () => {
    await using server = await startInstalledFreeRadius(USERS)
    await using radius = radiusOf(server, { messageAuthenticator: 'prefer' })
    assert.equal((await radius.verify('alice', 'wonderland', CALLER)).outcome, 'verified')
    assert.equal((await radius.verify('alice', 'guess', CALLER)).outcome, 'wrong-password')
  })

  it('verifies passwords once it is changed as the documentation says', async () => {
    await using server = await startInstalledFreeRadius(USERS, documentedChange())
    await using radius = radiusOf(server)
    assert.equal((await radius.verify('alice', 'wonderland', CALLER)).outcome, 'verified')
    assert.equal((await radius.verify('alice', 'guess', CALLER)).outcome, 'wrong-password')
    assert.equal((await radius.verify('stranger', 'guess', CALLER)).outcome, 'wrong-password')
    assert.deepEqual(radius.lines, [])
  })

  it('that signs accepts alone: wrong passwords take no other user down', async () => {
    await using server = await startInstalledFreeRadius(USERS, SIGN_ACCEPTS_ALONE)
    await using radius = radiusOf(server)
    const guesses = Array.from({ length: 6 }, (_, index) =>
      radius.verify('alice', `guess ${index}`, CALLER),
    )
    for (const { outcome } of await Promise.all(guesses)) assert.equal(outcome, 'unavailable')
    assert.equal((await radius.verify('bob', 'builder', CALLER)).outcome, 'verified')
  })
})
