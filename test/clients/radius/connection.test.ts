// One socket with the requests on it, over a wire that only keeps what it is given.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { REQUEST, type PacketFault } from '../../../src/clients/radius/packet.ts'
import { RadiusFailure } from '../../../src/clients/radius/failure.ts'
import { RadiusConnection } from '../../../src/clients/radius/connection.ts'
import { SharedSecret } from '../../../src/clients/radius/secret.ts'
import { FakeClock } from '../../fakes/clock.ts'
import { FAKE_SECRET, makeReply } from '../../fakes/radius-server.ts'
import { FOREVER } from '../../authenticate/password/radius/verifying.ts'

const CONTENT = { code: REQUEST.access, attributes: [], password: Buffer.from('x') }

const createLane = () => {
  const sent: Uint8Array[] = []
  const faults: PacketFault[] = []
  const ended: RadiusConnection[] = []
  const state = { closed: false }
  const connection = new RadiusConnection(
    {
      open: () => ({
        send: (bytes) => void sent.push(bytes),
        close: () => void (state.closed = true),
      }),
      secret: new SharedSecret(FAKE_SECRET),
      secure: false,
      signed: true,
      interval: 500,
      clock: new FakeClock(),
      onFault: (fault) => void faults.push(fault),
    },
    (which) => void ended.push(which),
  )
  return { connection, sent, faults, ended, state }
}

describe('a RADIUS connection', () => {
  it('sends requests from before it opened, except cancelled ones', () => {
    const { connection, sent } = createLane()
    const [kept, cancelled, late] = [
      connection.begin(CONTENT),
      connection.begin(CONTENT),
      connection.begin(CONTENT),
    ]
    connection.send(kept)
    connection.send(cancelled)
    cancelled[Symbol.dispose]()
    assert.deepEqual(sent, [])
    connection.opened()
    assert.deepEqual(sent, [kept.bytes])
    connection.send(late)
    assert.deepEqual(sent, [kept.bytes, late.bytes])
  })

  it('has 256 identifiers, uses them in turn, and refuses a 257th request', () => {
    const { connection } = createLane()
    const exchanges = Array.from({ length: 256 }, () => connection.begin(CONTENT))
    const identifiers = exchanges.map(({ bytes }) => bytes[1] ?? -1)
    assert.equal(new Set(identifiers).size, 256)
    assert.throws(() => connection.begin(CONTENT), { reason: 'overloaded' })
    exchanges[7]?.[Symbol.dispose]()
    assert.equal(connection.begin(CONTENT).bytes[1], identifiers[7])
  })

  it('passes a reply to the request that it answers, once', async () => {
    const { connection, faults } = createLane()
    connection.opened()
    const [one, other] = [connection.begin(CONTENT), connection.begin(CONTENT)]
    const reply = makeReply(Buffer.from(other.bytes))
    connection.received(reply)
    assert.equal((await other.within(10, FOREVER))?.identifier, other.bytes[1])
    assert.equal(await one.within(1, FOREVER), undefined)
    other[Symbol.dispose]()
    connection.received(reply)
    assert.deepEqual(faults, ['identifier-unexpected'])
  })

  it('a RADIUS connection that is retired ends with its last request', async () => {
    const { connection, ended, state } = createLane()
    connection.opened()
    const exchange = connection.begin(CONTENT)
    connection.retire()
    assert.equal(state.closed, false)
    connection.received(makeReply(Buffer.from(exchange.bytes)))
    assert.notEqual(await exchange.within(10, FOREVER), undefined)
    exchange[Symbol.dispose]()
    assert.equal(state.closed, true)
    assert.deepEqual(ended, [connection])
  })

  it('a RADIUS connection that is lost fails its requests, and ends once', async () => {
    const { connection, ended } = createLane()
    const exchange = connection.begin(CONTENT)
    const failure = new RadiusFailure('connection-lost', 'cut')
    connection.lost(failure)
    connection.lost(failure)
    await assert.rejects(exchange.within(10, FOREVER), failure)
    assert.deepEqual(ended, [connection])
  })

  it('a RADIUS connection that is refused fails the requests that are not sent again', async () => {
    const { connection, state } = createLane()
    const [persistent, single] = [connection.begin(CONTENT), connection.begin(CONTENT)]
    persistent.persistent = true
    connection.refused(new RadiusFailure('unreachable', 'no server there'))
    await assert.rejects(single.within(10, FOREVER), { reason: 'unreachable' })
    assert.equal(await persistent.within(1, FOREVER), undefined)
    assert.equal(state.closed, false)
  })
})
