// Which language is chosen, by RFC 9110 §12.5.4 and the lookup of RFC 4647 §3.4.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { languageFor } from '../../../src/pages/i18n/language.ts'
import { cpuTime } from '../../fakes/cpu-time.ts'

const LANGUAGES = ['en', 'de', 'zh-Hant', 'pt-BR'] as const

describe('the language for a browser', () => {
  const CASES: readonly { name?: string; input: string | undefined; want: string | undefined }[] = [
    { name: 'a missing header', input: undefined, want: undefined },
    { name: 'an empty header', input: '', want: undefined },
    { input: 'de', want: 'de' },
    { input: 'DE', want: 'de' },
    { input: 'de-CH-1996', want: 'de' },
    { input: 'de-CH, en;q=0.9', want: 'de' },
    { input: 'fr, de;q=0.3, en;q=0.7', want: 'en' },
    { input: 'fr;q=1.0,de;q=0.001', want: 'de' },
    { name: 'equal weights: the first wins', input: 'de;q=0.5, en;q=0.5', want: 'de' },
    { input: 'fr-CH, fr;q=0.9', want: undefined },
    { input: 'zh-hant-tw', want: 'zh-Hant' },
    { name: 'a range matches no longer tag than it names', input: 'zh', want: undefined },
    { input: 'pt', want: undefined },
    {
      name: 'a singleton is removed together with its subtag',
      input: 'zh-Hant-x-foo',
      want: 'zh-Hant',
    },
    { input: '*', want: 'en' },
    { input: 'fr, *;q=0.1', want: 'en' },
    { name: 'any language except English', input: '*, en;q=0', want: 'de' },
    { name: 'German refused by q=0', input: 'de;q=0, fr', want: undefined },
    { name: 'a language both accepted and refused', input: 'de, de;q=0', want: undefined },
    { name: 'spaces where RFC 9110 allows them', input: ' de ; q=0.5 , en ; q=0.4 ', want: 'de' },
    { name: 'ui_locales, separated by commas', input: 'fr,de,en', want: 'de' },
    {
      name: 'hostile: malformed ranges',
      input: 'd e, "de", de;q, de;q=2, de;q=0.1234, -de, de-',
      want: undefined,
    },
    { name: 'hostile: malformed ranges before a valid one', input: ';;;,,, de;q=0.5', want: 'de' },
    {
      name: 'hostile: names of properties of Object',
      input: 'constructor, __proto__',
      want: undefined,
    },
    { name: 'hostile: too many ranges', input: `${'fr,'.repeat(40)}de`, want: undefined },
    {
      name: 'hostile: a header that is too long',
      input: `${' '.repeat(1_000)}de`,
      want: undefined,
    },
  ]
  for (const { name, input, want } of CASES) {
    it(`is ${want} for ${name ?? String(input)}`, () =>
      assert.equal(languageFor(input, LANGUAGES), want))
  }

  it('hostile: 100 KB take less than half a second of CPU time', () => {
    const before = cpuTime()
    languageFor('a-'.repeat(50_000), LANGUAGES)
    languageFor(`de${' '.repeat(100_000)};`, LANGUAGES)
    languageFor(','.repeat(100_000), LANGUAGES)
    assert.ok(cpuTime() - before < 500)
  })
})
