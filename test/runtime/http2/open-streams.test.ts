// The table of open streams: the same answers as a Map, whatever comes and goes.

import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { OpenStreams } from '../../../src/runtime/http2/open-streams.ts'
import { Http2Stream, type StreamOwner } from '../../../src/runtime/http2/stream.ts'
import { randomFrom } from '../../fakes/random.ts'

const owner: StreamOwner = {
  peer: 'unix',
  remove() {},
  countFault() {},
  sender: {
    headers() {},
    data() {},
    trailers() {},
    response() {},
    reset() {},
    replenish() {},
  },
}

const streamOf = (id: number): Http2Stream => new Http2Stream(id, owner, 0, 0)

const idsOf = (streams: readonly Http2Stream[]): readonly number[] =>
  streams.map(({ id }) => id).toSorted((one, other) => one - other)

suite('open streams of a connection', () => {
  test('agree with a Map while streams come and go at random, close together and far apart', () => {
    for (let seed = 1; seed <= 40; seed++) {
      const below = randomFrom(seed)
      const most = 1 + below(700)
      const longestGap = [1, 3, 5_000, 2 ** 22][seed % 4] ?? 1
      const [open, expected] = [new OpenStreams(), new Map<number, Http2Stream>()]
      let next = 1
      for (let step = 0; step < 2_000; step++) {
        if (expected.size < most && below(5) < 3) {
          const stream = streamOf(next)
          next += 2 * (1 + below(longestGap))
          if (next > 2 ** 31) break
          open.add(stream)
          expected.set(stream.id, stream)
        } else {
          const ids = [...expected.keys()]
          const id = ids[below(ids.length + 1)] ?? next // also one that there is not
          open.delete(id)
          expected.delete(id)
        }
        assert.equal(open.size, expected.size)
        const looked = 1 + 2 * below((next + 1) / 2)
        assert.equal(open.get(looked), expected.get(looked), `seed ${seed}`)
      }
      assert.deepEqual(idsOf(open.all()), [...expected.keys()], `seed ${seed}`)
      for (const [id, stream] of expected) assert.equal(open.get(id), stream, `seed ${seed}`)
    }
  })

  test('finds the streams behind a removed one that all want the same slot', () => {
    const open = new OpenStreams()
    const ids = [1, 1 + 2 * 256, 1 + 4 * 256, 3, 1 + 6 * 256]
    for (const id of ids) open.add(streamOf(id))
    for (const [index, id] of ids.entries()) {
      open.delete(id)
      assert.deepEqual(idsOf(open.all()), idsOf(ids.slice(index + 1).map(streamOf)))
      for (const other of ids.slice(index + 1)) assert.equal(open.get(other)?.id, other)
    }
  })
})
