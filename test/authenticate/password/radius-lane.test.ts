// One socket with the requests on it, over a wire that only keeps what it is given.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { REQUEST, type PacketFault } from '../../../src/authenticate/password/radius-packet.ts'
import { RadiusFailure } from '../../../src/authenticate/password/radius/failure.ts'
import { Lane } from '../../../src/authenticate/password/radius/lane.ts'
import { SharedSecret } from '../../../src/authenticate/password/radius/secret.ts'
import { FakeClock } from '../../fakes/clock.ts'
import { FAKE_SECRET, makeReply } from '../../fakes/radius-server.ts'
import { FOREVER } from './radius-client.ts'

const CONTENT = { code: REQUEST.access, attributes: [], password: Buffer.from('x') }

const createLane = () => {
  const sent: Uint8Array[] = []
  const faults: PacketFault[] = []
  const ended: Lane[] = []
  const state = { closed: false }
  const lane = new Lane(
    {
      open: () => ({
        send: (bytes) => void sent.push(bytes),
        close: () => void (state.closed = true),
      }),
      secret: new SharedSecret(FAKE_SECRET),
      secure: false,
      clock: new FakeClock(),
      onFault: (fault) => void faults.push(fault),
    },
    (which) => void ended.push(which),
  )
  return { lane, sent, faults, ended, state }
}

describe('a lane', () => {
  it('sends what was asked for before it opened, but not what was given up by then', () => {
    const { lane, sent } = createLane()
    const [kept, gone, late] = [lane.begin(CONTENT), lane.begin(CONTENT), lane.begin(CONTENT)]
    lane.send(kept)
    lane.send(gone)
    gone[Symbol.dispose]()
    assert.deepEqual(sent, [])
    lane.opened()
    assert.deepEqual(sent, [kept.bytes])
    lane.send(late)
    assert.deepEqual(sent, [kept.bytes, late.bytes])
  })

  it('has 256 identifiers, uses them in turn, and refuses a 257th request', () => {
    const { lane } = createLane()
    const exchanges = Array.from({ length: 256 }, () => lane.begin(CONTENT))
    const identifiers = exchanges.map(({ bytes }) => bytes[1] ?? -1)
    assert.equal(new Set(identifiers).size, 256)
    assert.throws(() => lane.begin(CONTENT), { reason: 'overloaded' })
    exchanges[7]?.[Symbol.dispose]()
    assert.equal(lane.begin(CONTENT).bytes[1], identifiers[7])
  })

  it('gives a reply to the request that it answers, once', async () => {
    const { lane, faults } = createLane()
    lane.opened()
    const [one, other] = [lane.begin(CONTENT), lane.begin(CONTENT)]
    const reply = makeReply(Buffer.from(other.bytes))
    lane.received(reply)
    assert.equal((await other.within(10, FOREVER))?.identifier, other.bytes[1])
    assert.equal(await one.within(1, FOREVER), undefined)
    other[Symbol.dispose]()
    lane.received(reply)
    assert.deepEqual(faults, ['identifier-unexpected'])
  })

  it('that is retired ends with its last request', async () => {
    const { lane, ended, state } = createLane()
    lane.opened()
    const exchange = lane.begin(CONTENT)
    lane.retire()
    assert.equal(state.closed, false)
    lane.received(makeReply(Buffer.from(exchange.bytes)))
    assert.notEqual(await exchange.within(10, FOREVER), undefined)
    exchange[Symbol.dispose]()
    assert.equal(state.closed, true)
    assert.deepEqual(ended, [lane])
  })

  it('that is lost fails its requests, and ends once', async () => {
    const { lane, ended } = createLane()
    const exchange = lane.begin(CONTENT)
    const failure = new RadiusFailure('connection-lost', 'cut')
    lane.lost(failure)
    lane.lost(failure)
    await assert.rejects(exchange.within(10, FOREVER), failure)
    assert.deepEqual(ended, [lane])
  })

  it('that is turned away fails those who will not try again', async () => {
    const { lane, state } = createLane()
    const [patient, impatient] = [lane.begin(CONTENT), lane.begin(CONTENT)]
    patient.persistent = true
    lane.refused(new RadiusFailure('unreachable', 'nobody there'))
    await assert.rejects(impatient.within(10, FOREVER), { reason: 'unreachable' })
    assert.equal(await patient.within(1, FOREVER), undefined)
    assert.equal(state.closed, false)
  })
})
