import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { CircuitBreaker } from '../../src/runtime/circuit-breaker.ts'
import { FakeClock } from '../fakes/clock.ts'

const create = () => {
  const clock = new FakeClock()
  const pause = (_: unknown, failedTrials: number): number => Math.min(100 * 2 ** failedTrials, 300)
  return { clock, circuit: new CircuitBreaker<unknown>({ failures: 2, pause, clock }) }
}

const open = ({ circuit }: ReturnType<typeof create>): void => {
  circuit.failed('first', false)
  circuit.failed('second', false)
}

describe('a circuit breaker', () => {
  it('opens after a number of failures in a row, and returns that it did', () => {
    const { circuit } = create()
    assert.equal(circuit.failed('x', false), false)
    circuit.succeeded()
    assert.equal(circuit.failed('x', false), false)
    assert.equal(circuit.state, 'closed')
    assert.equal(circuit.failed('last', false), true)
    assert.deepEqual([circuit.state, circuit.failure], ['open', 'last'])
  })

  it('admits one trial after its pause, and pauses anew after each that fails', () => {
    const parts = create()
    const { circuit, clock } = parts
    open(parts)
    for (const length of [100, 200, 300, 300]) {
      clock.advance(length - 1)
      assert.equal(circuit.state, 'open')
      clock.advance(1)
      assert.equal(circuit.state, 'due')
      circuit.beginTrial()
      assert.equal(circuit.state, 'open')
      circuit.failed('trial', true)
    }
  })

  it('stays open no longer for failures of requests that began before it opened', () => {
    const parts = create()
    open(parts)
    parts.clock.advance(99)
    assert.equal(parts.circuit.failed('late', false), false)
    parts.clock.advance(1)
    assert.deepEqual([parts.circuit.state, parts.circuit.failure], ['due', 'second'])
  })

  it('is due again where a trial was abandoned', () => {
    const parts = create()
    open(parts)
    parts.clock.advance(100)
    parts.circuit.beginTrial()
    parts.circuit.abandonTrial()
    assert.equal(parts.circuit.state, 'due')
  })

  it('closes at a success, and returns whether it was open', () => {
    const parts = create()
    assert.equal(parts.circuit.succeeded(), false)
    open(parts)
    assert.equal(parts.circuit.succeeded(), true)
    assert.equal(parts.circuit.state, 'closed')
  })

  it('refuses work while it is open, and runs one piece of work as its trial', async () => {
    const { circuit, clock } = create()
    const refusal = (): Error => new Error('refused')
    const fail = async (): Promise<never> => await Promise.reject(new Error('failed'))
    for (let count = 0; count < 2; count += 1)
      await assert.rejects(circuit.run(fail, refusal), /failed/)
    await assert.rejects(circuit.run(fail, refusal), /refused/)
    clock.advance(100)
    const { promise, resolve } = Promise.withResolvers<string>()
    const trial = circuit.run(() => promise, refusal)
    await assert.rejects(circuit.run(fail, refusal), /refused/)
    resolve('answer')
    assert.equal(await trial, 'answer')
    assert.equal(circuit.state, 'closed')
  })
})
