// Own process: it measures the heap of its process.
//
// Streams and held messages live for a moment. None of them may get into the old generation of the heap only because the
// table that had it did: there it stays until the next collection of the whole heap, a pause for all requests.

import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { systemClock } from '../../../src/runtime/clock.ts'
import { HoldBudget, type Holder } from '../../../src/runtime/grpc/hold-budget.ts'
import { OpenStreams } from '../../../src/runtime/http2/open-streams.ts'
import { Http2Stream, type StreamOwner } from '../../../src/runtime/http2/stream.ts'

setFlagsFromString('--expose-gc')
const collect: NonNullable<typeof gc> = runInNewContext('gc')

const oldBytes = (): number =>
  getHeapSpaceStatistics().find(({ space_name: name }) => name === 'old_space')?.space_used_size ??
  0

const TURNS = 1_500
const PER_TURN = 100
// As measured: 50 KB; with Maps 27 and 35 MB.
const MOST_BYTES = 5e6

/** The most bytes by which the old generation grew while as many things as usual in a turn came and went. */
const promotedBy = (begin: (number: number) => () => void): number => {
  let number = 0
  const ends: (() => void)[] = []
  const turn = (): void => {
    for (let at = 0; at < PER_TURN; at++) ends.push(begin((number += 1)))
    for (const end of ends.splice(0)) end()
  }
  for (let at = 0; at < 500; at++) turn()
  // The table is promoted while it has a few entries.
  for (let at = 0; at < 7; at++) begin((number += 1))
  collect({ type: 'minor' })
  collect({ type: 'minor' })
  const before = oldBytes()
  let most = 0
  for (let at = 0; at < TURNS; at++) {
    turn()
    if (at % 100 === 0) most = Math.max(most, oldBytes() - before)
  }
  return most
}

/** What a request brings. */
const content = (): readonly number[] => Array.from({ length: 50 }, (_, index) => index)

const owner: StreamOwner = {
  peer: 'unix',
  remove() {},
  countFault() {},
  sender: { headers() {}, data() {}, trailers() {}, response() {}, reset() {}, replenish() {} },
}

suite('memory of what has ended', () => {
  test('streams that were closed do not fill the old generation', () => {
    const open = new OpenStreams()
    const promoted = promotedBy((number) => {
      const stream = new Http2Stream(2 * number + 1, owner, 0, 0)
      stream.waiting = { parts: [Buffer.from(content())], bytes: 0, trailers: undefined }
      open.add(stream)
      return () => open.delete(stream.id)
    })
    assert.ok(promoted < MOST_BYTES, `${promoted} bytes`)
  })

  test('messages that were held do not fill the old generation', () => {
    using budget = new HoldBudget({ most: Number.POSITIVE_INFINITY }, systemClock)
    const promoted = promotedBy(() => {
      const [message, drop] = [content(), () => {}]
      const holder: Holder & { readonly message: readonly number[] } = { message, drop }
      budget.hold(holder, 1)
      return () => budget.release(holder)
    })
    assert.ok(promoted < MOST_BYTES, `${promoted} bytes`)
  })
})
