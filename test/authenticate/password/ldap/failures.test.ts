// A real OpenLDAP on an unreliable network: down, slow, silent, disconnected, restarted, and with too many callers.
// Failures are fast, and recovery is automatic.

import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { LdapVerifier } from '../../../../src/authenticate/password/ldap/verifier.ts'
import type { DirectoryError } from '../../../../src/clients/ldap/failure.ts'
import type { LdapSettings } from '../../../../src/authenticate/password/ldap/schema.ts'
import type { Verification } from '../../../../src/authenticate/password/verifier.ts'
import { CountersignError } from '../../../../src/runtime/errors.ts'
import { CALLER, callerUntil } from '../../../fakes/caller.ts'
import { until } from '../../../fakes/until.ts'
import { skipWithoutSlapd, startOpenLdap, type OpenLdap } from '../../../servers/openldap.ts'
import { startTcpProxy, type TcpProxy } from '../../../servers/tcp-proxy.ts'
import { CONFORMANCE_USERS } from '../conformance.ts'
import { causeOf, FOREVER, LIMITS, openLdapSettings, serversAt } from './settings.ts'

const { password: ALICE } = CONFORMANCE_USERS.alice

const timed = async <T>(work: () => Promise<T>): Promise<readonly [T, number]> => {
  const started = performance.now()
  const result = await work()
  return [result, performance.now() - started]
}

describe('a directory that fails', { skip: skipWithoutSlapd() }, () => {
  let server: OpenLdap
  let settings: LdapSettings
  const unhandled: unknown[] = []
  const onUnhandled = (cause: unknown): void => {
    unhandled.push(cause)
  }
  before(async () => {
    process.on('unhandledRejection', onUnhandled)
    server = await startOpenLdap()
    settings = await openLdapSettings(server)
  })
  after(async () => {
    await server[Symbol.asyncDispose]()
    process.off('unhandledRejection', onUnhandled)
    assert.deepEqual(unhandled, [])
  })

  const verifierBehind = (
    proxies: readonly TcpProxy[],
    limits: Partial<LdapSettings> = {},
    report: (url: string, failure: DirectoryError | undefined) => void = () => undefined,
  ): LdapVerifier => {
    const servers = serversAt(...proxies.map(({ port }) => `ldaps://127.0.0.1:${port}`))
    return new LdapVerifier({ ...settings, servers, ...limits }, { report })
  }
  const alice = async (verifier: LdapVerifier, signal = FOREVER): Promise<Verification> =>
    await verifier.verify('alice', ALICE, callerUntil(signal))
  const outcome = async (verifier: LdapVerifier): Promise<string> => (await alice(verifier)).outcome
  const proxied = async (): Promise<TcpProxy> => await startTcpProxy({ port: server.tlsPort })

  it('is replaced by the next one, and used again when it is back', async () => {
    await using first = await proxied()
    await using second = await proxied()
    const reports: string[] = []
    using verifier = verifierBehind([first, second], {}, (url, failure) => {
      reports.push(`${url} ${failure?.failure}`)
    })
    assert.equal(await outcome(verifier), 'verified')
    assert.equal(second.total, 0)
    await first.refuse()
    assert.equal(await outcome(verifier), 'verified')
    assert.ok(second.open > 0)
    await first.accept()
    await wait(LIMITS.coolDown)
    // It is tried in the background, so that no request waits for it.
    assert.equal(await outcome(verifier), 'verified')
    await until(() => reports.length === 2)
    second.silent = true
    assert.equal(await outcome(verifier), 'verified')
    const url = `ldaps://127.0.0.1:${first.port}`
    assert.deepEqual(reports, [`${url} unreachable`, `${url} undefined`])
  })

  it('is skipped while it is silent, so that the next one answers at once', async () => {
    await using first = await proxied()
    await using second = await proxied()
    first.silent = true
    using verifier = verifierBehind([first, second], { connectTimeout: 1_000, coolDown: 60_000 })
    // The handshake never ends: only the first request waits for it.
    const [, slow] = await timed(() => alice(verifier))
    const rounds = Array.from({ length: 5 }, () => timed(() => alice(verifier)))
    for (const [verification, quick] of await Promise.all(rounds)) {
      assert.equal(verification.outcome, 'verified')
      assert.ok(quick < 900, `${quick} ms`)
    }
    assert.ok(slow >= 1_000)
  })

  it('causes no delay once its circuit is open', async () => {
    await using proxy = await proxied()
    using verifier = verifierBehind([proxy], { coolDown: 60_000 })
    await proxy.refuse()
    assert.equal(causeOf(await alice(verifier)).failure, 'unreachable')
    const [verifications, time] = await timed(() =>
      Promise.all(Array.from({ length: 100 }, () => alice(verifier))),
    )
    for (const verification of verifications) {
      const { failure, message } = causeOf(verification)
      assert.equal(failure, 'skipped')
      assert.match(message, /failed a moment ago: ldaps:.* cannot be reached: .*ECONNREFUSED/)
    }
    assert.ok(time < 1_000, `${time} ms for 100`)
  })

  it('a directory that falls silent times out, then its circuit opens, then it is tried again', async () => {
    await using proxy = await proxied()
    const limits = { connectTimeout: 400, operationTimeout: 200, coolDown: 500 }
    using verifier = verifierBehind([proxy], limits)
    assert.equal(await outcome(verifier), 'verified')
    proxy.silent = true
    // First on the existing connection, then on new ones, which cannot be opened.
    for (const [failure, least] of [
      ['timeout', 190],
      ['unreachable', 390],
      ['skipped', 0],
    ] as const) {
      const [verification, time] = await timed(() => alice(verifier))
      assert.equal(causeOf(verification).failure, failure)
      assert.ok(time >= least && time < least + 2_000, `${failure} in ${time} ms`)
    }
    proxy.silent = false
    await wait(limits.coolDown)
    assert.equal(await outcome(verifier), 'verified')
  })

  it('a directory that accepts connections without answering is skipped after three users', async () => {
    await using proxy = await proxied()
    const limits = { operationTimeout: 100, coolDown: 60_000 }
    using verifier = verifierBehind([proxy], limits)
    const warm = await Promise.all(Array.from({ length: 4 }, () => outcome(verifier)))
    assert.deepEqual(new Set(warm), new Set(['verified']))
    proxy.silent = true
    const rounds: string[] = []
    for (const user of ['alice', 'alice', 'bob', 'carol', 'alice']) {
      rounds.push(causeOf(await verifier.verify(user, ALICE, CALLER)).failure)
    }
    assert.deepEqual(rounds, ['timeout', 'timeout', 'timeout', 'timeout', 'skipped'])
  })

  it('whose connections are cut is queried on new ones without a failure', async () => {
    await using proxy = await proxied()
    using verifier = verifierBehind([proxy])
    for (let round = 0; round < 5; round += 1) {
      assert.equal(await outcome(verifier), 'verified')
      proxy.cut()
    }
  })

  it('a directory that is restarted answers again at once', async () => {
    using verifier = new LdapVerifier(settings)
    assert.equal(await outcome(verifier), 'verified')
    await server.kill()
    assert.equal(await outcome(verifier), 'unavailable')
    await server.start()
    await wait(LIMITS.coolDown)
    assert.equal(await outcome(verifier), 'verified')
  })

  it('a directory that hangs times out in the configured time', async () => {
    using verifier = new LdapVerifier({
      ...settings,
      connectTimeout: 300,
      operationTimeout: 300,
    })
    server.pause()
    try {
      const [verification, time] = await timed(() => alice(verifier))
      assert.equal(causeOf(verification).failure, 'unreachable')
      assert.ok(time >= 290 && time < 2_000, `${time} ms`)
    } finally {
      server.resume()
    }
  })

  it('a directory that is slow does not count as failing', async () => {
    await using proxy = await proxied()
    proxy.delay = 50
    using verifier = verifierBehind([proxy])
    const all = await Promise.all(Array.from({ length: 24 }, () => outcome(verifier)))
    assert.deepEqual(new Set(all), new Set(['verified']))
  })

  it('receives at most the configured number of connections, and every request is answered', async () => {
    await using proxy = await proxied()
    proxy.delay = 1
    using verifier = verifierBehind([proxy], { concurrency: 4, maxPending: 512 })
    const all = await Promise.all(
      Array.from({ length: 200 }, async (_, index) =>
        index % 2 === 0
          ? (await alice(verifier)).outcome
          : (await verifier.verify(`nobody${index}`, 'x', CALLER)).outcome,
      ),
    )
    for (const [index, said] of all.entries()) {
      assert.equal(said, index % 2 === 0 ? 'verified' : 'unknown-user')
    }
    assert.ok(proxy.most <= 8, `${proxy.most} connections at a time`)
    assert.ok(proxy.total <= 8, `${proxy.total} connections in all`)
  })

  it('refuses requests beyond the length of its queue', async () => {
    await using proxy = await proxied()
    proxy.delay = 20
    using verifier = verifierBehind([proxy], { concurrency: 2, maxPending: 3 })
    const all = await Promise.all(Array.from({ length: 20 }, () => alice(verifier)))
    const refused = all.filter((one) => one.outcome === 'unavailable')
    assert.equal(refused.length, 15)
    for (const { cause } of refused) {
      assert.ok(cause instanceof CountersignError)
      assert.equal(cause.code, 'overloaded')
    }
    assert.equal(await outcome(verifier), 'verified')
  })

  it('releases a cancelled request at once, and serves the next one', async () => {
    await using proxy = await proxied()
    using verifier = verifierBehind([proxy], { concurrency: 1 })
    for (const warm of [false, true]) {
      proxy.silent = true
      const gone = new AbortController()
      const reason = new Error('the caller is gone')
      setTimeout(() => gone.abort(reason), 30)
      const [[one, time], waiting] = await Promise.all([
        timed(() => alice(verifier, gone.signal)),
        alice(verifier, gone.signal),
      ])
      assert.deepEqual(one, { outcome: 'unavailable', cause: reason })
      assert.deepEqual(waiting, { outcome: 'unavailable', cause: reason })
      assert.ok(time < 2_000, `${time} ms, ${warm}`)
      proxy.silent = false
      assert.equal(await outcome(verifier), 'verified')
    }
    // The connection of a cancelled request is closed, and not used for the next.
    await until(() => proxy.open <= 2)
  })

  it('closes idle connections, and does not keep the process alive', async () => {
    await using proxy = await proxied()
    using verifier = verifierBehind([proxy], { idleTimeout: 50 })
    assert.equal(await outcome(verifier), 'verified')
    assert.ok(proxy.open > 0)
    await until(() => proxy.open === 0)
    assert.equal(await outcome(verifier), 'verified')
  })

  it('never verifies a wrong password, whatever happens to its connections', async (context) => {
    await using proxy = await proxied()
    const limits = { operationTimeout: 60, connectTimeout: 200, coolDown: 5, concurrency: 6 }
    using verifier = verifierBehind([proxy], limits)
    const said = new Map<string, number>()
    const began = performance.now()
    // Two seconds, and on a busy machine until each outcome has been seen.
    const goesOn = (): boolean => {
      const seconds = (performance.now() - began) / 1_000
      return seconds < 2 || (said.size < 4 && seconds < 60)
    }
    const trouble = async (): Promise<void> => {
      while (goesOn()) {
        proxy.silent = true
        if (randomInt(2) === 0) proxy.cut()
        await wait(randomInt(20))
        proxy.silent = false
        await wait(randomInt(50, 150))
      }
    }
    const caller = async (user: string, password: string, want: string): Promise<void> => {
      while (goesOn()) {
        const signal = AbortSignal.timeout(randomInt(1, 200))
        const { outcome: got } = await verifier.verify(user, password, callerUntil(signal))
        assert.ok(got === want || got === 'unavailable', `${user}: ${got}`)
        said.set(got, (said.get(got) ?? 0) + 1)
        if (got === 'unavailable') await wait(2)
      }
    }
    await Promise.all([
      trouble(),
      ...Array.from({ length: 4 }, () => [
        caller('alice', ALICE, 'verified'),
        caller('alice', 'wrong', 'wrong-password'),
        caller('nobody', ALICE, 'unknown-user'),
      ]).flat(),
    ])
    context.diagnostic([...said].join(' '))
    assert.equal(said.size, 4)
    await wait(limits.coolDown + 50)
    assert.equal(await outcome(verifier), 'verified')
    // Twice that number, and those that are just being closed.
    assert.ok(proxy.most <= 4 * limits.concurrency, `${proxy.most} connections`)
  })

  it('is closed with the verifier', async () => {
    await using proxy = await proxied()
    const verifier = verifierBehind([proxy])
    const running = alice(verifier)
    verifier[Symbol.dispose]()
    assert.equal((await running).outcome, 'verified')
    await until(() => proxy.open === 0)
  })
})
