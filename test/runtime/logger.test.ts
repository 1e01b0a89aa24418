// How many lines of one kind the operational log takes.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { FakeClock } from '../fakes/clock.ts'
import { processLogger } from '../fakes/logger.ts'

describe('the log of a process', () => {
  it('has ten warnings of a kind at once, then one each six seconds, which counts those between', () => {
    const clock = new FakeClock()
    const { logger, lines } = processLogger(clock)
    const warn = (): void => logger.warn({ route: 'app', cause: 'no answer' }, 'check refused')
    for (let time = 0; time < 1_000; time += 1) warn()
    assert.equal(lines.length, 10)
    clock.advance(6_000)
    for (let time = 0; time < 1_000; time += 1) warn()
    assert.equal(lines.length, 11)
    assert.equal(JSON.parse(lines[10] ?? '').leftOut, 990)
    assert.equal(JSON.parse(lines[0] ?? '').leftOut, undefined)
  })

  it('keeps kinds apart: by message, and by what of the configuration they are about', () => {
    const { logger, lines } = processLogger(new FakeClock())
    const child = logger.child({ component: 'authz' })
    for (let time = 0; time < 100; time += 1) {
      logger.warn({ route: 'app' }, 'check refused')
      logger.warn({ route: 'other' }, 'check refused')
      logger.warn({ route: 'app' }, 'check took too long')
      child.error({ route: 'app' }, 'check refused')
    }
    assert.equal(lines.length, 40)
  })

  it('hostile: has no kind for each value of a request', () => {
    const { logger, lines } = processLogger(new FakeClock())
    for (let index = 0; index < 1_000; index += 1) {
      logger.warn({ user: `u${index}`, reason: `r${index}` }, 'check refused')
    }
    assert.equal(lines.length, 10)
  })

  it('has every line that is not a warning', () => {
    const { logger, lines } = processLogger(new FakeClock())
    for (let time = 0; time < 100; time += 1) logger.info({ route: 'app' }, 'loaded')
    assert.equal(lines.length, 100)
  })
})
