// A directory that sends without end: memory and CPU time of one login attempt are bounded, and it is not verified.
//
// Own process: it measures the memory of the process.
// Slow: it floods a client for seconds.

import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { LdapVerifier } from '../../../../src/authenticate/password/ldap/verifier.ts'
import type { LdapGroups, LdapSettings } from '../../../../src/authenticate/password/ldap/schema.ts'
import { CALLER } from '../../../fakes/caller.ts'
import { cpuTime } from '../../../fakes/cpu-time.ts'
import { causeOf } from './settings.ts'
import { ALICE, settingsFor } from './scripted.ts'

// The 8 MiB that an attempt may receive, the message that they are joined to, and what the garbage collector has not
// freed yet. Without a bound it is a gigabyte and more in the 5 s of an operation.
const MOST_BYTES = 48 * 1_048_576
// The CPU time of an attempt. Without a bound it is seconds.
const MOST_CPU_MS = 400

const startDirectory = async (
  ...parameters: readonly string[]
): Promise<AsyncDisposable & { readonly port: number }> => {
  const script = fileURLToPath(new URL('flooding-directory.ts', import.meta.url))
  const child = fork(script, [...parameters])
  const [address] = await once(child, 'message')
  return {
    port: z.object({ port: z.number() }).parse(address).port,
    async [Symbol.asyncDispose]() {
      const ended = once(child, 'exit')
      child.disconnect()
      await ended
    },
  }
}

/** The largest growth of the process while the work lasts. */
const growthDuring = async (work: () => Promise<void>): Promise<number> => {
  const before = process.memoryUsage.rss()
  let most = before
  const look = setInterval(() => {
    most = Math.max(most, process.memoryUsage.rss())
  }, 5)
  try {
    await work()
  } finally {
    clearInterval(look)
  }
  return Math.max(most, process.memoryUsage.rss()) - before
}

const SEARCH = {
  base: 'ou=groups',
  scope: 'sub',
  filter: '(member={dn})',
  nested: 0,
} as const
const GROUPS: LdapGroups = {
  search: SEARCH,
  limit: 500,
}

describe('a directory that answers', () => {
  const FLOODS = [
    ['large entries', /sent more than 8388608 bytes for one login attempt|more than the 2 entries/],
    ['small entries', /sent more than the 2 requested entries/],
    ['entries of many values', /does not answer as an LDAP server does/],
    ['references', /sent more than 100000 BER elements for one login attempt/],
  ] as const
  for (const [flood, reason] of FLOODS) {
    it(`with ${flood} without end to the search of the user is disconnected, within bounds`, async () => {
      await attemptIsBounded([flood, '0'], undefined, reason)
    })
  }

  it('with small entries without end to the search of groups is disconnected, within bounds', async () => {
    const reason = /sent more than the 501 requested entries/
    await attemptIsBounded(['small entries', '1'], GROUPS, reason)
  })

  it('with one more large group to each search of nested groups is disconnected, within bounds', async () => {
    const reason = /sent more than 8388608 bytes for one login attempt/
    const nested = { ...GROUPS, search: { ...SEARCH, nested: 32 } }
    await attemptIsBounded(['a large group', '1'], nested, reason)
  })
})

const attemptIsBounded = async (
  parameters: readonly string[],
  groups: LdapGroups | undefined,
  reason: RegExp,
): Promise<void> => {
  await using directory = await startDirectory(...parameters)
  const settings: LdapSettings = {
    ...settingsFor([directory]),
    operationTimeout: 5_000,
    ...(groups === undefined ? {} : { groups }),
  }
  using verifier = new LdapVerifier(settings)
  const cpu = cpuTime()
  const growth = await growthDuring(async () => {
    const { failure, message } = causeOf(await verifier.verify('alice', ALICE.password, CALLER))
    assert.ok(failure === 'answered' || failure === 'malformed', failure)
    assert.match(message, reason)
  })
  const took = cpuTime() - cpu
  assert.ok(growth < MOST_BYTES, `${growth} bytes`)
  assert.ok(took < MOST_CPU_MS, `${took} ms`)
}
