// Browsers by what they call themselves.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { browserName } from '../../../src/pages/i18n/browser-name.ts'

const MOZILLA = 'Mozilla/5.0'
const WEBKIT = 'AppleWebKit/537.36 (KHTML, like Gecko)'
const WINDOWS = '(Windows NT 10.0; Win64; x64)'
const MAC = '(Macintosh; Intel Mac OS X 10_15_7)'

describe('the name of a browser, from its User-Agent', () => {
  const CASES = [
    {
      input: `${MOZILLA} (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0`,
      want: 'Firefox, Linux',
    },
    {
      input: `${MOZILLA} ${WINDOWS} ${WEBKIT} Chrome/141.0.0.0 Safari/537.36`,
      want: 'Chrome, Windows',
    },
    {
      input: `${MOZILLA} ${WINDOWS} ${WEBKIT} Chrome/141.0.0.0 Safari/537.36 Edg/141.0.0.0`,
      want: 'Edge, Windows',
    },
    {
      input: `${MOZILLA} ${WINDOWS} ${WEBKIT} Chrome/141.0.0.0 Safari/537.36 OPR/120.0`,
      want: 'Opera, Windows',
    },
    {
      input: `${MOZILLA} ${MAC} AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/605.1.15`,
      want: 'Safari, macOS',
    },
    {
      input: `${MOZILLA} (Linux; Android 10; K) ${WEBKIT} Chrome/141.0.0.0 Mobile Safari/537.36`,
      want: 'Chrome, Android',
    },
    {
      input: `${MOZILLA} (iPad; CPU OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1`,
      want: 'Safari, iPad',
    },
    {
      input: `${MOZILLA} (iPhone; CPU iPhone OS 18_0 like Mac OS X) ${WEBKIT} CriOS/141.0 Mobile/15E148 Safari/604.1`,
      want: 'Chrome, iPhone',
    },
    { input: 'curl/8.9.1', want: 'curl' },
    { input: 'Example client 1.0', want: 'Example client 1.0' },
    { input: '', want: '' },
    { input: `hostile ${'x'.repeat(10_000)}`, want: `hostile ${'x'.repeat(52)}` },
  ]
  for (const { input, want } of CASES) {
    it(`of ${input.slice(0, 100) || 'no User-Agent'} is ${JSON.stringify(want)}`, () =>
      assert.equal(browserName(input), want))
  }
})
