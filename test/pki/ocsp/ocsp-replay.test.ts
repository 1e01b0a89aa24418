// An attacker between authz and a real OCSP responder, that of openssl: answers are recorded, kept back
// and sent again, in place of later ones or in answer to questions about other certificates.

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { readIssuer, type Issued } from '../../../src/pki/issued.ts'
import { OcspSource, type OcspOptions } from '../../../src/pki/ocsp/ocsp.ts'
import { readCertificate } from '../../../src/x509/certificate.ts'
import { FakeClock } from '../../fakes/clock.ts'
import { memoryLogger } from '../../fakes/logger.ts'
import { createOpensslCa, skipWithoutOpenssl, type OpensslCa } from '../../servers/ocsp.ts'
import { startScriptedHttp } from '../../servers/scripted-http.ts'
import { OPTIONS } from './asking.ts'
import { statusOf } from '../../authenticate/certificate/source-conformance.ts'

const MINUTE = 60_000

/** Carries requests to a responder and answers back, until it is made to replay or to hold answers. */
const startAttacker = async (responder: string) => {
  let passed = Buffer.alloc(0)
  let replayed: Buffer | undefined
  let held: PromiseWithResolvers<void> | undefined
  const server = await startScriptedHttp(async ({ body: question }) => {
    await held?.promise
    if (replayed !== undefined) return { body: replayed }
    const headers = { 'content-type': 'application/ocsp-request' }
    const answer = await fetch(responder, { method: 'POST', headers, body: question })
    passed = Buffer.from(await answer.arrayBuffer())
    return { body: passed }
  })
  return {
    url: `${server.origin}/`,
    /** The last answer that was carried. */
    recorded: () => passed,
    /** Answers every question with this from now on. */
    replay(answer: Buffer) {
      replayed = answer
    },
    /** Keeps answers back until they are released. */
    hold() {
      held = Promise.withResolvers()
    },
    release() {
      held?.resolve()
      held = undefined
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

describe(
  'answers of openssl ocsp that an attacker has recorded',
  { skip: skipWithoutOpenssl() },
  () => {
    let ca: OpensslCa
    const names = ['nonce', 'plain', 'required', 'late', 'bob'] as const
    type Name = (typeof names)[number]
    const certificates = new Map<string, Issued>()
    before(async () => {
      ca = await createOpensslCa()
      const issuer = readIssuer(await ca.certificate('ca'))
      for (const name of names) {
        const der = await ca.issue(name)
        certificates.set(name, { certificate: readCertificate(der), issuer })
      }
      await ca.issue('responder', 'responder')
    })
    after(async () => await ca[Symbol.asyncDispose]())

    const setUp = (url: string, options: Partial<OcspOptions>) => {
      const clock = new FakeClock(Date.now())
      const { logger, lines } = memoryLogger()
      const source = new OcspSource(
        { ...OPTIONS, urls: [url], cacheTtl: MINUTE, timeout: 10_000, ...options },
        { clock, logger },
      )
      const ask = async (name: Name): Promise<string> => {
        const issued = certificates.get(name)
        assert.ok(issued !== undefined)
        return (await statusOf(source, issued)).outcome
      }
      return { clock, ask, lines }
    }

    /** As `ask` answers once the responder has read its list again, which it does one question late. */
    const revoke = async (name: Name, url: string): Promise<void> => {
      await ca.revoke(name)
      await setUp(url, {}).ask(name)
    }

    for (const [name, nonce, reason] of [
      ['nonce', 'optional', /it has another nonce/],
      ['required', 'required', /it has another nonce/],
      ['plain', 'none', /older than a previous one: possibly a replay/],
    ] as const) {
      it(`do not undo a known revocation (nonce: ${nonce})`, async () => {
        await using responder = await ca.respond('responder')
        await using attacker = await startAttacker(responder.url)
        const { ask, clock, lines } = setUp(attacker.url, { nonce })
        assert.equal(await ask(name), 'good')
        const good = attacker.recorded()
        await revoke(name, responder.url)
        // Answers tell times in seconds.
        while (Date.now() < clock.now() + 1_000) {
          await new Promise((resolve) => setTimeout(resolve, 50))
        }
        clock.advance(MINUTE)
        assert.equal(await ask(name), 'revoked')
        attacker.replay(good)
        for (let times = 0; times < 3; times += 1) {
          clock.advance(MINUTE)
          assert.equal(await ask(name), 'revoked')
        }
        assert.match(lines.join(), reason)
        // Nor does silence.
        attacker.replay(Buffer.alloc(0))
        clock.advance(60 * MINUTE)
        assert.equal(await ask(name), 'revoked')
      })
    }

    it('are accepted until their nextUpdate, and never where a nonce is required', async () => {
      await using responder = await ca.respond('responder')
      await using attacker = await startAttacker(responder.url)
      assert.equal(await setUp(attacker.url, { nonce: 'none' }).ask('bob'), 'good')
      attacker.replay(attacker.recorded())
      // The responder says that its answers count for 5 minutes.
      const late = setUp(attacker.url, { nonce: 'none' })
      assert.equal(await late.ask('bob'), 'good')
      late.clock.advance(5 * MINUTE + OPTIONS.skew)
      assert.equal(await late.ask('bob'), 'unavailable')
      assert.equal(await setUp(attacker.url, { nonce: 'required' }).ask('bob'), 'unavailable')
    })

    it('prove nothing about another certificate', async () => {
      await using responder = await ca.respond('responder')
      await using attacker = await startAttacker(responder.url)
      const { ask, lines } = setUp(attacker.url, { nonce: 'none' })
      assert.equal(await ask('bob'), 'good')
      attacker.replay(attacker.recorded())
      assert.equal(await ask('late'), 'unavailable')
      assert.match(lines.join(), /it is about another certificate/)
    })

    it('are refused where they arrive after the timeout', async () => {
      await using responder = await ca.respond('responder')
      await using attacker = await startAttacker(responder.url)
      const { ask, clock } = setUp(attacker.url, { nonce: 'none', timeout: 200 })
      attacker.hold()
      assert.equal(await ask('late'), 'unavailable')
      attacker.release()
      assert.equal(await ask('late'), 'unavailable') // the failure is kept for `coolDown`
      clock.advance(OPTIONS.coolDown)
      assert.equal(await setUp(attacker.url, { nonce: 'none' }).ask('late'), 'good')
    })
  },
)
