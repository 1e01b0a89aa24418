// Ending logins in the records of the provider: which records end, which remain, and which a request that is still
// being answered cannot write again.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { AdapterPayload } from 'oidc-provider'
import { LoginStore } from '../../src/logins/login-store.ts'
import { recordAdapter } from '../fakes/record-adapter.ts'
import { MemoryRecords } from '../../src/state/memory-records.ts'
import { FakeClock } from '../fakes/clock.ts'

const SECONDS = 600

const opened = () => {
  const records = new MemoryRecords(new FakeClock())
  const write = async (kind: string, id: string, payload: AdapterPayload): Promise<void> =>
    await recordAdapter(kind, records).upsert(id, payload, SECONDS)
  const has = async (kind: string, id: string): Promise<boolean> =>
    (await recordAdapter(kind, records).find(id)) !== undefined
  return { logins: new LoginStore(records), write, has }
}

const session = (accountId: string, uid: string, grantId = `grant-${uid}`): AdapterPayload => ({
  uid,
  accountId,
  loginTs: 1_000,
  authorizations: { spa: { sid: `sid-${uid}`, grantId } },
})

describe('logins in the records of the provider', () => {
  it('are listed of one user, and of all', async () => {
    const { logins, write } = opened()
    await write('Session', 'a', session('alice', 'one'))
    await write('Session', 'b', session('bob', 'two'))
    await write('Session', 'c', { uid: 'nobody' })
    assert.deepEqual(await logins.list('alice'), [
      {
        uid: 'one',
        user: 'alice',
        at: 1_000,
        clients: new Map([['spa', 'sid-one']]),
      },
    ])
    const users = (await logins.list()).map(({ user }) => user)
    assert.deepEqual(users.toSorted(), ['alice', 'bob'])
  })

  it('are found by their present session id, after a rotation', async () => {
    const { logins, write, has } = opened()
    await write('Session', 'before', session('alice', 'one'))
    await write('Session', 'after', session('alice', 'one'))
    await logins.end('one')
    assert.equal(await has('Session', 'after'), false)
  })

  it('end with their grants and the tokens and codes of these, and leave those of another login', async () => {
    const { logins, write, has } = opened()
    for (const [uid, id] of [
      ['one', 'a'],
      ['two', 'b'],
    ] as const) {
      const grantId = `grant-${uid}`
      await write('Session', id, session('alice', uid))
      for (const kind of ['AccessToken', 'RefreshToken', 'AuthorizationCode']) {
        await write(kind, id, { accountId: 'alice', grantId })
      }
      await write('Grant', grantId, { accountId: 'alice' })
    }
    assert.equal((await logins.end('one'))?.user, 'alice')
    for (const kind of ['Session', 'AccessToken', 'RefreshToken', 'AuthorizationCode']) {
      assert.deepEqual([await has(kind, 'a'), await has(kind, 'b')], [false, true], kind)
    }
    assert.deepEqual(
      [await has('Grant', 'grant-one'), await has('Grant', 'grant-two')],
      [false, true],
    )
    assert.equal(await logins.end('one'), undefined)
    assert.equal(await logins.end('none'), undefined)
  })

  const KINDS: readonly { kind: string; payload: AdapterPayload }[] = [
    { kind: 'Grant', payload: { accountId: 'alice' } },
    { kind: 'AccessToken', payload: { accountId: 'alice' } },
    { kind: 'RefreshToken', payload: { accountId: 'alice' } },
    { kind: 'AuthorizationCode', payload: { accountId: 'alice' } },
    { kind: 'DeviceCode', payload: { accountId: 'alice', userCode: 'ABCD' } },
    { kind: 'Interaction', payload: { uid: 'i', result: { login: { accountId: 'alice' } } } },
  ]
  for (const { kind, payload } of KINDS) {
    it(`of a user end with each ${kind}, even where it names no login`, async () => {
      const { logins, write, has } = opened()
      await write(kind, 'hers', payload)
      await write(kind, 'his', { ...payload, accountId: 'bob', result: {} })
      await logins.endUser('alice')
      assert.deepEqual([await has(kind, 'hers'), await has(kind, 'his')], [false, true])
      await logins.endEverybody()
      assert.equal(await has(kind, 'his'), false)
    })
  }

  it('hostile: are not written again by a request that began before their end', async () => {
    const { logins, write, has } = opened()
    await write('Session', 'a', session('alice', 'one'))
    await logins.endUser('alice')
    await write('Session', 'renewed', session('alice', 'one'))
    await write('RefreshToken', 'r', { accountId: 'alice', sessionUid: 'one' })
    await write('AuthorizationCode', 'c', { accountId: 'alice', sessionUid: 'one' })
    for (const [kind, id] of [
      ['Session', 'renewed'],
      ['RefreshToken', 'r'],
      ['AuthorizationCode', 'c'],
    ] as const) {
      assert.equal(await has(kind, id), false, kind)
    }
    assert.deepEqual(await logins.list('alice'), [])
    await write('Session', 'next', session('alice', 'three'))
    assert.equal((await logins.list('alice')).length, 1)
  })
})
