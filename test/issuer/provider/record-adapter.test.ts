// What the provider stores: what is good once is given to one.

import assert from 'node:assert/strict'
import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { describe, it } from 'node:test'
import { errors } from 'oidc-provider'
import { recordAdapter } from '../../fakes/record-adapter.ts'
import { BrowserRecords } from '../../../src/issuer/provider/browser-records.ts'
import { RecordAdapter } from '../../../src/issuer/provider/record-adapter.ts'
import { CountersignError } from '../../../src/runtime/errors.ts'
import { MemoryRecords } from '../../../src/state/memory-records.ts'
import { DerivedKeys } from '../../../src/state/derived-keys.ts'
import type { RevocableRecords } from '../../../src/state/record-store.ts'
import { FakeClock } from '../../fakes/clock.ts'

const made = () => {
  const clock = new FakeClock()
  const records = new MemoryRecords(clock)
  const adapterOf = (kind: string) => recordAdapter(kind, records)
  return { clock, records, adapterOf }
}

const refused = (cause: unknown): boolean => cause instanceof errors.InvalidGrant

describe('the records of oidc-provider', () => {
  it('are found by id and kind, until they end', async () => {
    const { clock, adapterOf } = made()
    await adapterOf('AccessToken').upsert('x', { kind: 'AccessToken' }, 60)
    assert.equal((await adapterOf('AccessToken').find('x'))?.kind, 'AccessToken')
    assert.equal(await adapterOf('RefreshToken').find('x'), undefined)
    clock.advance(61_000)
    assert.equal(await adapterOf('AccessToken').find('x'), undefined)
  })

  it('of sessions are found by uid, also under a new id', async () => {
    const { adapterOf } = made()
    const sessions = adapterOf('Session')
    await sessions.upsert('old', { uid: 'u', kind: 'Session' }, 60)
    await sessions.upsert('new', { uid: 'u', kind: 'Session', accountId: 'alice' }, 60)
    await sessions.destroy('old')
    assert.equal((await sessions.findByUid('u'))?.accountId, 'alice')
    await sessions.destroy('new')
    assert.equal(await sessions.findByUid('u'), undefined)
  })

  it('of device codes are found by the user code', async () => {
    const { adapterOf } = made()
    const codes = adapterOf('DeviceCode')
    await codes.upsert('d', { userCode: 'ABCD', kind: 'DeviceCode' }, 60)
    assert.equal((await codes.findByUserCode('ABCD'))?.kind, 'DeviceCode')
    assert.equal(await codes.findByUserCode('ABCE'), undefined)
    await codes.destroy('d')
    assert.equal(await codes.findByUserCode('ABCD'), undefined)
  })

  it('can be consumed once, by one of several simultaneous requests', async () => {
    const { adapterOf } = made()
    const codes = adapterOf('AuthorizationCode')
    await codes.upsert('c', { kind: 'AuthorizationCode', grantId: 'g' }, 60)
    const outcomes = await Promise.allSettled([1, 2, 3].map(() => codes.consume('c')))
    assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1)
    await assert.rejects(codes.consume('c'), refused)
    assert.equal(typeof (await codes.find('c'))?.consumed, 'number')
    await assert.rejects(codes.consume('none'), refused)
  })

  it('end with their grant, whatever their kind', async () => {
    const { adapterOf } = made()
    const kinds = ['AccessToken', 'RefreshToken', 'AuthorizationCode']
    for (const kind of kinds) {
      await adapterOf(kind).upsert('x', { kind, grantId: 'g' }, 60)
    }
    await adapterOf('AccessToken').upsert('other', { kind: 'AccessToken', grantId: 'h' }, 60)
    await adapterOf('AccessToken').revokeByGrantId('g')
    for (const kind of kinds) {
      assert.equal(await adapterOf(kind).find('x'), undefined, kind)
    }
    assert.ok(await adapterOf('AccessToken').find('other'))
  })

  it('the records of oidc-provider that cannot be reached cause temporarily_unavailable, except for bugs', async () => {
    const failing = (cause: unknown): RevocableRecords => {
      const { records } = made()
      return Object.assign(Object.create(records), { get: () => Promise.reject(cause) })
    }
    const away = recordAdapter('Session', failing(new CountersignError('unavailable', 'gone')))
    await assert.rejects(
      away.find('x'),
      (cause) => cause instanceof errors.TemporarilyUnavailable && cause.statusCode === 503,
    )
    const broken = recordAdapter('Session', failing(new TypeError('a bug')))
    await assert.rejects(broken.find('x'), TypeError)
  })

  it('are stored as logins only for a user or client that has authenticated', async () => {
    const { records } = made()
    const kinds: string[] = []
    const put = records.put.bind(records)
    records.put = async (key, record, indexes) => {
      kinds.push(record.kind)
      await put(key, record, indexes)
    }
    const browser = new BrowserRecords('https://id.example.org', new DerivedKeys(), new FakeClock())
    const kindOf = async (kind: string, payload: object, path = '/token'): Promise<string> => {
      const request = new IncomingMessage(new Socket())
      request.url = `${path}?x=1`
      await browser.within(request, new ServerResponse(request), async () => {
        await new RecordAdapter(kind, records, browser).upsert('id', { kind, ...payload }, 60)
      })
      return kinds.splice(0).join()
    }
    assert.equal(await kindOf('AccessToken', {}), 'login')
    assert.equal(await kindOf('Session', { uid: 'u', accountId: 'alice' }), 'login,login')
    assert.equal(await kindOf('Session', { uid: 'u', state: { secret: 's' } }), '')
    assert.equal(await kindOf('Interaction', { params: {} }), '')
    const login = { login: { accountId: 'alice' } }
    assert.equal(await kindOf('Interaction', { result: login }), 'login')
    assert.equal(await kindOf('DeviceCode', {}), 'anonymous')
    assert.equal(await kindOf('DeviceCode', { accountId: 'alice' }), 'login')
    // RFC 9126 §2.1: the client authenticates, where it can.
    assert.equal(await kindOf('PushedAuthorizationRequest', { trusted: false }), 'public')
    assert.equal(await kindOf('PushedAuthorizationRequest', { trusted: true }), 'login')
    // A DPoP proof that a public client shows with what it pushes must not take the room of those with tokens.
    assert.equal(await kindOf('ReplayDetection', {}), 'used')
    assert.equal(await kindOf('ReplayDetection', {}, '/par'), 'public')
  })
})
