// RADIUS against a real FreeRADIUS, over UDP and over TLS.

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { after, before, describe, it } from 'node:test'

import { RadiusFailure } from '../../../../src/clients/radius/failure.ts'
import { Secret } from '../../../../src/config/references.ts'
import type { PasswordVerifier } from '../../../../src/authenticate/password/verifier.ts'
import { CALLER } from '../../../fakes/caller.ts'
import { SILENT_USER } from '../../../servers/freeradius-configuration.ts'
import {
  skipWithoutFreeRadius,
  startFreeRadius,
  type FreeRadius,
} from '../../../servers/freeradius.ts'
import { CONFORMANCE_USERS, verifierConformance } from '../conformance.ts'
import {
  radiusWith,
  serverAt,
  type LoggingRadius,
  type RadiusOptions,
  type RadiusServer,
} from './verifying.ts'

type Way = 'UDP' | 'TLS'

const skip = skipWithoutFreeRadius()

const USERS = [
  ...Object.entries(CONFORMANCE_USERS).map(([name, user]) => ({
    name,
    ...user,
    reply: ['Class = "developers"', 'Class += "staff"', 'Filter-Id = "vpn"'],
  })),
  { name: 'vera', password: 'v', reply: ['Cisco-AVPair = "shell:roles=admin"', 'Class = 0xff00'] },
  { name: 'canon', password: 'c', reply: ['User-Name = "canon@example.org"'] },
  { name: 'carol', password: 'c', second: 'code', reply: ['Class = "otp-users"'] },
  { name: 'pia', password: 'p', second: 'pin' },
  { name: 'sam', password: 's', slow: true },
  { name: 'holly', password: 'h', from: '192.0.2.7', reply: ['Class = "%{Calling-Station-Id}"'] },
  { name: 'ivy', password: 'i', from: '2001:db8::7' },
  ...Array.from({ length: 20 }, (_, index) => ({
    name: `user${index}`,
    password: `password${index}`,
    reply: [`Class = "group${index}"`],
  })),
] as const

let server: FreeRadius
const shared = new Map<Way, Promise<LoggingRadius>>()

const serverBy = async (way: Way): Promise<RadiusServer> => {
  if (way === 'UDP') return serverAt(server.port, { secret: new Secret(server.secret) })
  const client = {
    certificate: new Secret(await readFile(server.client.certificate)),
    key: new Secret(await readFile(server.client.key)),
  }
  const tls = { ca: new Secret(await readFile(server.authority.ca)), client }
  return serverAt(server.tlsPort, { tls })
}

const radiusBy = async (way: Way, options: RadiusOptions = {}): Promise<LoggingRadius> =>
  radiusWith([await serverBy(way)], options)

/**
 * RADIUS answers Access-Reject for a wrong password, an unknown user and a disabled account, which the contract
 * distinguishes. Here the list of users distinguishes them afterwards, so that the verifier is only required to refuse
 * a user who is disabled or not listed.
 */
const distinguishingRejects = (verifier: PasswordVerifier): PasswordVerifier => ({
  lookup: async (account, signal) => await verifier.lookup(account, signal),
  verify: async (user, password, context) => {
    const verification = await verifier.verify(user, password, context)
    if (verification.outcome !== 'wrong-password') return verification
    const known = Object.entries(CONFORMANCE_USERS).find(([name]) => name === user)?.[1]
    if (known === undefined) return { outcome: 'unknown-user' }
    const isDisabled = known.disabled && known.password === password
    return isDisabled ? { outcome: 'barred', code: 'user-disabled' } : verification
  },
})

describe('with FreeRADIUS', { skip }, () => {
  before(async () => {
    server = await startFreeRadius(USERS)
  })
  after(async () => {
    for (const radius of shared.values()) await (await radius)[Symbol.asyncDispose]()
    await server?.[Symbol.asyncDispose]()
  })

  for (const way of ['UDP', 'TLS'] as const) {
    verifierConformance(`RADIUS over ${way}`, async () => {
      const radius = shared.get(way) ?? radiusBy(way)
      shared.set(way, radius)
      return distinguishingRejects(await radius)
    })

    describe(`over ${way}`, () => {
      it('yields groups of Class, Filter-Id and a vendor’s attribute, of Access-Accept only', async () => {
        await using radius = await radiusBy(way, {
          groups: [
            { attribute: 'Class' },
            { attribute: 'Filter-Id', prefix: 'filter:' },
            { attribute: { vendor: 9, type: 1 }, pattern: /^shell:roles=(.*)$/gu },
          ],
        })
        const groupsOf = async (user: string, password: string): Promise<unknown> => {
          const verification = await radius.verify(user, password, CALLER)
          return 'user' in verification ? verification.user.groups : verification
        }
        const { password } = CONFORMANCE_USERS.alice
        assert.deepEqual(await groupsOf('alice', password), ['developers', 'staff', 'filter:vpn'])
        assert.deepEqual(await groupsOf('vera', 'v'), ['admin'])
        assert.deepEqual(await groupsOf('alice', 'x'), { outcome: 'wrong-password' })
      })

      it('sends the address of the caller to the server, which accepts the user from there only', async () => {
        await using radius = await radiusBy(way, { groups: [{ attribute: 'Class' }] })
        await using silent = await radiusBy(way, { callingStationId: false })
        const at = (source: string) => ({ ...CALLER, source })
        const verification = await radius.verify('holly', 'h', at('192.0.2.7'))
        assert.ok(verification.outcome === 'verified')
        assert.deepEqual(verification.user.groups, ['192.0.2.7'])
        const outcomes = [
          await radius.verify('holly', 'h', at('192.0.2.8')),
          await radius.verify('holly', 'h', at('')),
          await silent.verify('holly', 'h', at('192.0.2.7')),
          await radius.verify('ivy', 'i', at('2001:db8::7')),
        ].map(({ outcome }) => outcome)
        const wrong = 'wrong-password'
        assert.deepEqual(outcomes, [wrong, wrong, wrong, 'verified'])
      })

      it('takes the User-Name of the reply', async () => {
        await using radius = await radiusBy(way, { user: 'from-reply' })
        const verification = await radius.verify('canon', 'c', CALLER)
        assert.ok(verification.outcome === 'verified')
        assert.equal(verification.user.user, 'canon@example.org')
      })

      it('returns a challenge for a code, which is accepted once', async () => {
        await using radius = await radiusBy(way, { groups: [{ attribute: 'Class' }] })
        const challenge = await radius.verify('carol', 'c', CALLER)
        assert.ok(challenge.outcome === 'challenged')
        assert.equal(challenge.challenge.message, 'Enter your one-time code:')
        const { state } = challenge.challenge
        const answered = await radius.answerChallenge('carol', '123456', state, CALLER)
        assert.ok(answered.outcome === 'verified')
        assert.deepEqual(answered.user.groups, ['otp-users'])
        const again = await radius.answerChallenge('carol', '123456', state, CALLER)
        assert.equal(again.outcome, 'wrong-password')
      })

      it('rejects a wrong code, and a code without its challenge', async () => {
        await using radius = await radiusBy(way)
        const challenge = await radius.verify('carol', 'c', CALLER)
        assert.ok(challenge.outcome === 'challenged')
        const { state } = challenge.challenge
        const wrong = await radius.answerChallenge('carol', '000000', state, CALLER)
        assert.equal(wrong.outcome, 'wrong-password')
        assert.equal((await radius.verify('carol', '123456', CALLER)).outcome, 'wrong-password')
      })

      it('returns a second challenge when the server sends one', async () => {
        await using radius = await radiusBy(way)
        const first = await radius.verify('pia', 'p', CALLER)
        assert.ok(first.outcome === 'challenged')
        const second = await radius.answerChallenge('pia', '4711', first.challenge.state, CALLER)
        assert.ok(second.outcome === 'challenged')
        assert.match(second.challenge.message, /^PIN accepted/)
        const { state } = second.challenge
        const { outcome } = await radius.answerChallenge('pia', '123456', state, CALLER)
        assert.equal(outcome, 'verified')
      })

      it('verifies 500 users concurrently', async () => {
        await using radius = await radiusBy(way, { groups: [{ attribute: 'Class' }] })
        const all = await Promise.all(
          Array.from({ length: 500 }, async (_, index) => {
            const number = index % 20
            const password = index % 3 === 0 ? 'x' : `password${number}`
            return await radius.verify(`user${number}`, password, CALLER)
          }),
        )
        for (const [index, verification] of all.entries()) {
          assert.equal(verification.outcome, index % 3 === 0 ? 'wrong-password' : 'verified')
          const groups = 'user' in verification ? verification.user.groups : undefined
          if (groups !== undefined) assert.deepEqual(groups, [`group${index % 20}`])
        }
      })

      it('answers other users while the server is slow for one', async () => {
        await using radius = await radiusBy(way)
        const order: string[] = []
        const ask = async (user: string, password: string): Promise<void> => {
          assert.equal((await radius.verify(user, password, CALLER)).outcome, 'verified')
          order.push(user)
        }
        await Promise.all([ask('sam', 's'), ask('vera', 'v')])
        assert.deepEqual(order, ['vera', 'sam'])
      })

      it('times out when the server is silent', async () => {
        await using radius = await radiusBy(way, { timeout: 2_000, retransmitAfter: 100 })
        const { outcome } = await radius.verify(SILENT_USER, 'x', CALLER)
        assert.equal(outcome, 'unavailable')
        assert.equal((await radius.verify('vera', 'v', CALLER)).outcome, 'verified')
      })

      it('opens its circuit for a server that was killed, and verifies again once it is back', async () => {
        await using radius = await radiusBy(way, {
          timeout: 2_000,
          retransmitAfter: 50,
          coolDown: 2_000,
        })
        assert.equal((await radius.verify('vera', 'v', CALLER)).outcome, 'verified')
        await server.kill()
        await Promise.all(Array.from({ length: 4 }, () => radius.verify('vera', 'v', CALLER)))
        await assertLeftAlone(radius)
        await server.start()
        await untilVerified(radius, 20_000)
      })

      it('opens its circuit for a server that hangs, and verifies again once it answers', async () => {
        await using radius = await radiusBy(way, {
          timeout: 2_000,
          retransmitAfter: 50,
          coolDown: 2_000,
          statusServer: true,
        })
        assert.equal((await radius.verify('vera', 'v', CALLER)).outcome, 'verified')
        server.pause()
        const all = await Promise.all(
          Array.from({ length: 3 }, () => radius.verify('vera', 'v', CALLER)),
        )
        assert.ok(all.every(({ outcome }) => outcome === 'unavailable'))
        await assertLeftAlone(radius)
        server.resume()
        await untilVerified(radius, 20_000)
      })

      it('verifies across a restart that is shorter than its timeout', async () => {
        await using radius = await radiusBy(way, {
          timeout: 8_000,
          retransmitAfter: 400,
          retries: 3,
        })
        assert.equal((await radius.verify('vera', 'v', CALLER)).outcome, 'verified')
        await server.kill()
        const verification = radius.verify('vera', 'v', CALLER)
        await server.start()
        assert.equal((await verification).outcome, 'verified')
      })
    })
  }

  it('times out with another secret', async () => {
    const secret = new Secret('another')
    await using radius = radiusWith([serverAt(server.port, { secret })], { timeout: 300 })
    assert.equal((await radius.verify('vera', 'v', CALLER)).outcome, 'unavailable')
  })
})

/** Asserts that the circuit of a server that is down is open. */
const assertLeftAlone = async (radius: PasswordVerifier): Promise<void> => {
  const verification = await radius.verify('vera', 'v', CALLER)
  assert.ok(verification.outcome === 'unavailable')
  assert.ok(verification.cause instanceof RadiusFailure)
  assert.equal(verification.cause.reason, 'servers-down')
}

const untilVerified = async (radius: PasswordVerifier, limit: number): Promise<void> => {
  const until = performance.now() + limit
  while ((await radius.verify('vera', 'v', CALLER)).outcome !== 'verified') {
    assert.ok(performance.now() < until, `not verified after ${limit} ms`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
