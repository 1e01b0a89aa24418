import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { shared } from '../../src/runtime/shared.ts'

describe('a wait for shared work', () => {
  it('ends with the result of the work', async () => {
    assert.equal(await shared(async () => 'result', new AbortController().signal), 'result')
  })

  it('ends with the failure of the work', async () => {
    const work = async () => await Promise.reject(new Error('failed'))
    await assert.rejects(shared(work, new AbortController().signal), /^Error: failed$/)
  })

  it('ends with the reason of the signal, while the work continues', async () => {
    const { promise, resolve } = Promise.withResolvers<string>()
    const one = new AbortController()
    const first = shared(() => promise, one.signal)
    const second = shared(() => promise, new AbortController().signal)
    one.abort(new Error('the client disconnected'))
    await assert.rejects(first, /the client disconnected/)
    resolve('result')
    assert.equal(await second, 'result')
  })

  it('begins no work where the signal has aborted already', async () => {
    let begun = 0
    const work = async () => (begun += 1)
    await assert.rejects(shared(work, AbortSignal.abort(new Error('too late'))), /too late/)
    assert.equal(begun, 0)
  })
})

describe('work that is done at once', () => {
  it('is not waited for', () => {
    assert.equal(
      shared((): string | Promise<string> => 'result', new AbortController().signal),
      'result',
    )
  })
})
