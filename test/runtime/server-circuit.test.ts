// When the circuit breaker of a server opens that is called on behalf of callers, and which caller may try whether it
// is back.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  ServerCircuit,
  type CircuitCaller,
  type CircuitChange,
  type Evidence,
} from '../../src/runtime/server-circuit.ts'
import { FakeClock } from '../fakes/clock.ts'

const open = (failures = 5) => {
  const clock = new FakeClock()
  const changes: CircuitChange['state'][] = []
  const circuit = new ServerCircuit({
    failures,
    coolDown: 5_000,
    clock,
    report: ({ state }) => changes.push(state),
  })
  /** Whether a query was sent; it took a moment. */
  const ask = (caller: Partial<CircuitCaller>, evidence: Evidence): boolean => {
    const pass = circuit.pass({ wasGood: false, ...caller })
    clock.advance(1)
    pass?.end(evidence)
    return pass !== undefined
  }
  const from = (caller: string, subject: string, wasGood = false): CircuitCaller => ({
    caller,
    subject,
    wasGood,
  })
  const failAll = (): void => {
    for (let index = 0; index < failures; index += 1) ask(from(`c${index}`, `s${index}`), 'failed')
  }
  return { clock, changes, circuit, ask, from, failAll }
}

describe('a circuit', () => {
  it('opens when no connection can be made, whichever caller queries', () => {
    const { circuit, ask, from, changes } = open()
    for (let time = 0; time < 5; time += 1) {
      assert.equal(circuit.isOpen, false)
      ask(from('alice', 'one'), 'failed')
    }
    assert.equal(circuit.isOpen, true)
    assert.deepEqual(changes, ['open'])
  })

  it('hostile: does not open by one subject without an answer, however often it is presented', () => {
    const { circuit, ask, from } = open()
    for (let time = 0; time < 100; time += 1) ask(from(`c${time}`, 'odd'), 'silent')
    assert.equal(circuit.isOpen, false)
  })

  it('opens by different subjects without an answer', () => {
    const { circuit, ask, from } = open()
    for (let index = 0; index < 5; index += 1) ask(from('c', `s${index}`), 'silent')
    assert.equal(circuit.isOpen, true)
  })

  it('opens by questions of our own without an answer', () => {
    const { circuit, ask } = open()
    for (let index = 0; index < 5; index += 1) ask({}, 'silent')
    assert.equal(circuit.isOpen, true)
  })

  it('hostile: does not open by different subjects while the server answers other callers', () => {
    const { circuit, ask, from } = open()
    for (let round = 0; round < 100; round += 1) {
      const slow = Array.from({ length: 20 }, (_, index) =>
        circuit.pass(from('mallory', `odd-${round}-${index}`)),
      )
      ask(from('alice', `good-${round}`), 'answered')
      for (const pass of slow) pass?.end('silent')
    }
    assert.equal(circuit.isOpen, false)
  })

  it('does not open while half of the outcomes are answers', () => {
    const { circuit, ask, from } = open()
    for (let round = 0; round < 50; round += 1) {
      ask(from('c', `bad-${round}`), 'failed')
      ask(from('c', `good-${round}`), 'answered')
      ask(from('c', `better-${round}`), 'answered')
    }
    assert.equal(circuit.isOpen, false)
  })

  it('says nothing of what lies in a question', () => {
    const { circuit, ask, from } = open()
    for (let index = 0; index < 100; index += 1) ask(from('c', `s${index}`), 'nothing')
    assert.equal(circuit.isOpen, false)
  })

  it('forgets failures of long ago', () => {
    const { circuit, ask, from, clock } = open()
    for (let index = 0; index < 20; index += 1) {
      ask(from('c', `s${index}`), 'silent')
      clock.advance(20_000)
    }
    assert.equal(circuit.isOpen, false)
  })
})

describe('a circuit that is open', () => {
  it('refuses every caller for a while, and closes by the first answer', () => {
    const { circuit, ask, from, clock, failAll, changes } = open()
    failAll()
    assert.equal(ask(from('alice', 'a', true), 'answered'), false)
    clock.advance(5_000)
    assert.equal(ask(from('alice', 'a'), 'answered'), true)
    assert.equal(circuit.isOpen, false)
    assert.deepEqual(changes, ['open', 'closed'])
  })

  it('refuses every caller again after a trial without a connection', () => {
    const { ask, from, clock, failAll } = open()
    failAll()
    clock.advance(5_000)
    ask(from('alice', 'a'), 'failed')
    assert.equal(ask(from('bob', 'b'), 'answered'), false)
  })

  it('hostile: keeps trials for other callers, and one for credentials that were valid before', () => {
    const { circuit, from, clock, failAll, ask } = open()
    failAll()
    clock.advance(5_000)
    const slow = circuit.pass(from('mallory', 'odd-1'))
    assert.ok(slow)
    assert.equal(circuit.pass(from('mallory', 'odd-2')), undefined)
    const other = circuit.pass(from('mallory-2', 'odd-3'))
    assert.ok(other)
    assert.equal(circuit.pass(from('mallory-3', 'odd-4')), undefined)
    const good = circuit.pass(from('alice', 'a', true))
    assert.ok(good)
    // What a stranger shows can be the reason, so it keeps only that caller from another trial.
    slow.end('silent')
    other.end('silent')
    assert.equal(ask(from('mallory', 'odd-5'), 'answered'), false)
    assert.equal(ask(from('bob', 'b'), 'nothing'), true)
    good.end('answered')
    assert.equal(circuit.isOpen, false)
  })

  it('stays open where what was good before gets no answer', () => {
    const { from, clock, failAll, ask } = open()
    failAll()
    clock.advance(5_000)
    assert.equal(ask(from('alice', 'a', true), 'silent'), true)
    assert.equal(ask(from('bob', 'b'), 'answered'), false)
  })
})
