// What log and audit log say of a reload.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { RevocationSources } from '../../src/pki/revocation-sources.ts'
import { CredentialCache } from '../../src/authenticate/credential-cache.ts'
import { KeySets } from '../../src/authenticate/bearer/key-sets.ts'
import { reloadReports } from '../../src/check/reload-reports.ts'
import type { Snapshot } from '../../src/check/snapshot.ts'
import { ConfigurationError } from '../../src/config/problem.ts'
import type { Config } from '../../src/configuration/schema.ts'
import { newStateKeyLine, parseStateSecret } from '../../src/state/state-secret.ts'
import { MemoryAudit } from '../fakes/audit-sink.ts'
import { FakeClock } from '../fakes/clock.ts'
import { memoryLogger } from '../fakes/logger.ts'
import { snapshotOf } from '../fakes/snapshot.ts'

const FILE = '/etc/countersign.yaml'

const setUp = () => {
  const audit = new MemoryAudit()
  const { logger, lines } = memoryLogger()
  const keySets = new KeySets(new FakeClock(), logger)
  const revocations = new RevocationSources(new FakeClock(), logger)
  const reports = reloadReports(FILE, {
    audit,
    logger,
    credentialCache: new CredentialCache(new FakeClock()),
    keySets,
    revocations,
    tls: undefined,
    issuerTls: undefined,
  })
  return { audit, logger, lines, revocations, reports }
}

const withConfig = (changes: Partial<Config>): Snapshot => {
  const snapshot = snapshotOf([])
  return { ...snapshot, config: { ...snapshot.config, ...changes } }
}

const before = { value: withConfig({}), generation: 1 }

describe('the report of a loaded configuration', () => {
  it('is an audit event and a line of the log', () => {
    const { audit, lines, reports } = setUp()
    reports.onLoaded({ value: withConfig({}), generation: 2 }, before)
    assert.deepEqual(audit.events, [{ event: 'configuration-loaded', generation: 2, file: FILE }])
    assert.equal(lines.length, 1)
    assert.match(lines[0] ?? '', /"generation":2.*configuration loaded/)
  })

  it('comes with the configured log level', () => {
    const { logger, reports } = setUp()
    reports.onLoaded({ value: withConfig({ log: { level: 'error' } }), generation: 2 }, before)
    assert.equal(logger.level, 'error')
  })

  it('names the changes that need a restart', () => {
    const { lines, reports } = setUp()
    const { listen } = before.value.config
    const value = withConfig({
      listen: { authz: { ...listen.authz, mode: '0600' } },
      audit: {
        ...before.value.config.audit,
        file: '/var/log/audit.jsonl',
        unauthenticated: 'unlimited',
      },
    })
    reports.onLoaded({ value, generation: 2 }, before)
    assert.match(
      lines.join(),
      /"keys":\["listen","audit\.file","audit\.unauthenticated"\].*after a restart/,
    )
  })
})

describe('the report of changed TLS files', () => {
  it('asks for a restart only where TLS is new', () => {
    const { listen } = before.value.config
    const withTls = (certificate: string): Snapshot => {
      const tls = {
        certificate,
        key: { kind: 'file', path: '/tls.key' },
        clientCa: '/ca.crt',
      } as const
      return withConfig({ listen: { authz: { ...listen.authz, tls } } })
    }
    const warnings = (from: Snapshot, to: Snapshot): string => {
      const { lines, reports } = setUp()
      reports.onLoaded({ value: to, generation: 2 }, { value: from, generation: 1 })
      return lines.join()
    }
    assert.doesNotMatch(warnings(withTls('/tls.crt'), withTls('/new.crt')), /restart/)
    assert.match(
      warnings(before.value, withTls('/tls.crt')),
      /"keys":\["listen"\].*after a restart/,
    )
  })

  it('of the issuer asks for a restart only where client names change', () => {
    const { listen } = before.value.config
    const withIssuer = (certificate: string, ...clientNames: readonly string[]): Snapshot => {
      const key = { kind: 'file', path: '/tls.key' } as const
      const tls = { certificate, key, clientCa: '/ca.crt', clientNames: [...clientNames] }
      const address = { kind: 'tcp', host: '10.0.0.7', port: 8081 } as const
      const issuer = { address, plaintext: false, mode: '0660', tls }
      return withConfig({ listen: { ...listen, issuer } })
    }
    const linesAfter = (next: Snapshot): string => {
      const { lines, reports } = setUp()
      const previous = { value: withIssuer('/a.crt', 'envoy'), generation: 1 }
      reports.onLoaded({ value: next, generation: 2 }, previous)
      return lines.join()
    }
    assert.doesNotMatch(linesAfter(withIssuer('/b.crt', 'envoy')), /after a restart/)
    assert.match(linesAfter(withIssuer('/a.crt', 'other')), /"keys":\["listen"\].*after a restart/)
  })
})

describe('the report of changed state', () => {
  it('asks for a restart, also where only the secret has changed', () => {
    const { lines, reports } = setUp()
    const settings = (...secret: readonly string[]): Snapshot['stateSettings'] => ({
      kind: 'sqlite',
      file: '/var/lib/countersign/state.db',
      maxBytes: 1e9,
      secret: parseStateSecret('keyring', secret.join('\n')),
    })
    const [one, other] = [newStateKeyLine(), newStateKeyLine()]
    const previous = { ...before, value: { ...before.value, stateSettings: settings(one) } }
    const load = (...secret: readonly string[]): void =>
      reports.onLoaded(
        { value: { ...before.value, stateSettings: settings(...secret) }, generation: 2 },
        previous,
      )
    load(one)
    assert.doesNotMatch(lines.join(), /restart/)
    load(other, one)
    assert.match(lines.join(), /"keys":\["state"\].*after a restart/)
  })
})

describe('the report of a refused configuration', () => {
  it('is an audit event and a line of the log with every problem', () => {
    const { audit, lines, reports } = setUp()
    const cause = new ConfigurationError([
      { file: FILE, position: { line: 2, column: 3 }, path: 'a.b', message: 'unknown key' },
      { file: '/etc/users.yaml', path: '', message: 'holds no users' },
    ])
    reports.onRejected(cause, before)
    const problems = [`${FILE}:2:3: a.b: unknown key`, '/etc/users.yaml: holds no users']
    assert.deepEqual(audit.events, [
      { event: 'configuration-rejected', generation: 1, file: FILE, problems },
    ])
    assert.match(lines.join(), /configuration rejected, the previous one stays active/)
  })

  for (const cause of [new Error('a bug'), 'a bug']) {
    it(`is made for ${typeof cause === 'string' ? 'a thrown text' : 'an error'} as well`, () => {
      const { audit, reports } = setUp()
      reports.onRejected(cause, before)
      const problems = ['a bug']
      assert.deepEqual(audit.events, [
        { event: 'configuration-rejected', generation: 1, file: FILE, problems },
      ])
    })
  }
})

describe('a resource that one configuration acquired', () => {
  const times = { refresh: { min: 60_000, max: 60_000 }, coolDown: 60_000, timeout: 1 }
  const acquire = ({ revocations }: ReturnType<typeof setUp>, host: string): object =>
    revocations.pointed({ hosts: [host] }, { ca: undefined, times, maxBytes: 1_024 })
  const using = (...acquired: readonly object[]) => ({
    value: { ...withConfig({}), inUse: new Set(acquired) },
    generation: 2,
  })

  it('ends with that configuration', () => {
    const site = setUp()
    const [old, next] = [acquire(site, 'old'), acquire(site, 'next')]
    site.reports.onLoaded(using(next), before)
    assert.equal(acquire(site, 'next'), next)
    assert.notEqual(acquire(site, 'old'), old)
  })

  it('ends where that configuration was refused', () => {
    const site = setUp()
    const [kept, refused] = [acquire(site, 'kept'), acquire(site, 'refused')]
    site.reports.onRejected(new Error('x'), using(kept))
    assert.equal(acquire(site, 'kept'), kept)
    assert.notEqual(acquire(site, 'refused'), refused)
  })
})

describe('a full audit log', () => {
  it('does not stop a reload, whose event is in the log', async () => {
    const { audit, lines, reports } = setUp()
    audit.full = true
    reports.onLoaded({ value: withConfig({}), generation: 2 }, before)
    reports.onRejected(new Error('x'), before)
    await setImmediate() // the reports are not awaited
    assert.equal(lines.filter((line) => line.includes('audit event lost')).length, 2)
  })
})
