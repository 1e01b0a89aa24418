// Instants and waits in words, in each language.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { render } from '../../../src/pages/html.ts'
import {
  clockTime,
  distanceInWords,
  instantInWords,
  waitInWords,
} from '../../../src/pages/i18n/times.ts'

const NOW = Date.UTC(2026, 10, 24, 14, 3)

describe('the time to wait, in words', () => {
  const CASES = [
    { input: 0, en: 'in 1 second', de: 'in 1 Sekunde' },
    { input: 1.2, en: 'in 2 seconds', de: 'in 2 Sekunden' },
    { input: 60, en: 'in 60 seconds', de: 'in 60 Sekunden' },
    { input: 61, en: 'in 2 minutes', de: 'in 2 Minuten' },
    { input: 121, en: 'in 3 minutes', de: 'in 3 Minuten' },
    { input: 5_400, en: 'in 90 minutes', de: 'in 90 Minuten' },
    { input: 7_201, en: 'in 3 hours', de: 'in 3 Stunden' },
    { input: 172_800, en: 'in 2 days', de: 'in 2 Tagen' },
    { input: -5, en: 'in 1 second', de: 'in 1 Sekunde' },
  ]
  for (const { input, en, de } of CASES) {
    it(`of ${input} s`, () => {
      assert.equal(waitInWords('en', input), en)
      assert.equal(waitInWords('de', input), de)
    })
  }
})

describe('the distance of an instant, in words', () => {
  const CASES = [
    { input: 0, en: 'now', de: 'jetzt' },
    { input: -59_999, en: 'now', de: 'jetzt' },
    { input: 30_000, en: 'now', de: 'jetzt' },
    { input: -60_000, en: '1 minute ago', de: 'vor 1 Minute' },
    { input: -3_599_999, en: '59 minutes ago', de: 'vor 59 Minuten' },
    { input: -7_200_000, en: '2 hours ago', de: 'vor 2 Stunden' },
    { input: -90_000_000, en: '1 day ago', de: 'vor 1 Tag' },
    { input: 18_000_000, en: 'in 5 hours', de: 'in 5 Stunden' },
  ]
  for (const { input, en, de } of CASES) {
    it(`of ${input} ms`, () => {
      assert.equal(distanceInWords('en', NOW + input, NOW), en)
      assert.equal(distanceInWords('de', NOW + input, NOW), de)
    })
  }
})

describe('the date and time of an instant', () => {
  it('is in the configured time zone', () => {
    assert.equal(clockTime('en', NOW, 'Europe/Berlin'), '24 Nov 2026, 15:03 CET')
    assert.equal(clockTime('en', NOW, 'UTC'), '24 Nov 2026, 14:03 UTC')
    assert.equal(clockTime('de', NOW, 'Europe/Berlin'), '24. Nov. 2026, 15:03 MEZ')
  })

  it('is a time element with the distance and the date', () => {
    const text = render(instantInWords('en', NOW - 3_600_000, NOW, 'UTC')).replaceAll(/\s+/g, ' ')
    assert.match(
      text,
      /^<time datetime="2026-11-24T13:03:00.000Z" ?>1 hour ago <small>\(24 Nov 2026, 13:03 UTC\)<\/small>/,
    )
  })
})
