// Twenty clients for minutes, while everything is rotated and restarted. Steps are in README.md.

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { callerBy, ask } from '../kubernetes/asking.ts'
import { OUT } from '../kubernetes/configuration.ts'
import { Ticker } from '../kubernetes/following.ts'
import { skipWithoutServers, startKubeSite, type KubeSite } from '../kubernetes/kube-site.ts'
import { USERS } from '../kubernetes/users.ts'
import { grant, NAMESPACE } from '../kubernetes/roles.ts'
import {
  otherToken,
  tokenIn,
  CREDENTIALS_IN,
  type CredentialIn,
} from '../kubernetes/credentials-in.ts'
import { eventually } from '../site.ts'
import { CHANGES, NEW_RULE, type Outage } from './changes.ts'
import { Memory } from './memory.ts'
import { Walker } from './walker.ts'

const MINUTES = Number(process.env['COUNTERSIGN_SOAK_MINUTES'] ?? '1.5')
/** From then on nothing is restarted, and memory has to stay as it is. */
const STEADY = 0.6
/** Below this the processes are still young, and grow. */
const JUDGED_FROM = 5
const GROWTH = 1.15
const LIMIT = 30_000
const LIFETIME = '60s'

/** Tokens of another operator's issuer are not renewed. */
const OTHER_SECONDS = MINUTES * 60 + 600

const WAYS: Readonly<Record<string, CredentialIn>> = {
  ...CREDENTIALS_IN,
  'an access token of another issuer': async (site, user) =>
    await tokenIn(site, `other-${user.name}`, await otherToken(site, user, OTHER_SECONDS)),
}

const users = [USERS.alice, USERS.bob, USERS.crowd]

const options = { skip: skipWithoutServers(), timeout: (MINUTES + 4) * 60_000 }

describe(`a soak of ${MINUTES} minutes`, options, () => {
  let site: KubeSite
  let ticker: Ticker
  before(async () => {
    site = await startKubeSite({ lifetime: LIFETIME })
    const read = { resources: ['configmaps'], verbs: ['get', 'list', 'watch'] }
    const everybody = { kind: 'Group', name: 'system:authenticated' } as const
    await grant(site.server, 'maps-for-everybody', read, everybody)
    const alice = await callerBy(site, CREDENTIALS_IN['a password (users file)'], USERS.alice)
    const list = ['get', 'configmaps', '--namespace', NAMESPACE]
    await eventually(
      () => ask(site, alice, list),
      ({ code }) => code === 0,
      LIMIT,
    )
    ticker = new Ticker(site)
    await ticker.create()
  })
  after(() => site[Symbol.asyncDispose]())

  /** One for each way in and each way out. */
  const makeWalkers = async (): Promise<readonly Walker[]> => {
    const walkers: Walker[] = []
    for (const [wayName, way] of Object.entries(WAYS)) {
      for (const [out, address] of OUT) {
        const user = users[walkers.length % users.length] ?? USERS.alice
        const name = `${user.name}, ${wayName} → ${out}`
        const caller = await callerBy(site, way, user)
        walkers.push(new Walker(site, { name, user, caller, address }))
      }
    }
    return walkers
  }

  it('1.–4. no identity is mistaken, and requests fail only during an outage', async (t) => {
    await using stack = new AsyncDisposableStack()
    const walkers = await makeWalkers()
    assert.equal(walkers.length, 20)
    for (const walker of walkers) stack.use(walker)
    await Promise.all(walkers.map((walker) => walker.start()))
    const memory = {
      authz: new Memory(() => site.authz.pid),
      signer: new Memory(() => site.signer.pid),
      Envoy: new Memory(() => site.envoy.pid),
    }
    const outages: Outage[] = []
    const kubectls: Promise<void>[] = []
    const changes = [...CHANGES]
    const begun = Date.now()
    const share = (): number => (Date.now() - begun) / (MINUTES * 60_000)
    for (let second = 0; share() < 1; second += 1) {
      await ticker.change()
      const walker = walkers[second % walkers.length]
      if (walker !== undefined) kubectls.push(walker.askByKubectl())
      const [change] = changes
      if (change !== undefined && share() >= change.at) {
        changes.shift()
        const outage = await change.make(site)
        if (outage !== undefined) outages.push(outage)
        const took = outage === undefined ? '' : `: ${outage.to - outage.from} ms of outage at most`
        t.diagnostic(`${Math.round(share() * 100)} %: ${change.name}${took}`)
      }
      if (share() > STEADY) for (const process of Object.values(memory)) process.sample()
      await sleep(1_000)
    }
    assert.deepEqual(changes, [])
    await Promise.all(kubectls)
    const sum = (of: (walker: Walker) => number): number =>
      walkers.reduce((total, walker) => total + of(walker), 0)
    t.diagnostic(`${sum(({ answers }) => answers)} answers`)
    t.diagnostic(`${sum(({ restarts }) => restarts)} watches that were begun again`)
    assert.deepEqual(
      walkers.flatMap(({ mistaken }) => mistaken),
      [],
    )
    const failures = walkers.flatMap((walker) => walker.failures)
    const outside = failures.filter(
      ({ from, to }) => !outages.some((outage) => from <= outage.to && to >= outage.from),
    )
    t.diagnostic(`${failures.length} failures in ${outages.length} outages`)
    const decisions = await site.decisions()
    const explained = outside.map((failure) => {
      const decision = decisions.find(({ id }) => failure.message.includes(id))
      return { ...failure, decision }
    })
    assert.deepEqual(explained, [])
    const late = async () =>
      walkers
        .filter(({ turns }) => turns.at(-1) !== ticker.turns.at(-1))
        .map(({ name, turns, restarts }) => `${name}: ${restarts} restarts, at ${turns.at(-1)}`)
    await eventually(late, ({ length }) => length === 0, LIMIT)
    await stack.disposeAsync()
    const permitted = (await site.decisions()).findLast(({ decision }) => decision === 'allow')
    assert.equal(permitted?.rule, NEW_RULE)
    for (const { name, turns } of walkers) assert.deepEqual(turns, ticker.turns, name)
    for (const [name, process] of Object.entries(memory)) {
      const [first, last] = process.ends
      t.diagnostic(`${name}: ${first.toFixed(0)} MB, at the end ${last.toFixed(0)} MB`)
      if (MINUTES >= JUDGED_FROM) assert.ok(last < first * GROWTH, `${name} grows`)
    }
  })
})
