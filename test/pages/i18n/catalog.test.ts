// The texts: each language has each, filled in, and with everything that is put into it.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { themeSchema } from '../../../src/pages/theme-schema.ts'
import { directionOf, LANGUAGES, textsIn, type Language } from '../../../src/pages/i18n/catalog.ts'
import { html, render, type Html } from '../../../src/pages/html.ts'

/** A text, and what it is with parameters that are easy to find again. */
type Said = readonly [path: string, text: string, parameters: number]

const isHtml = (value: unknown): value is Html =>
  typeof value === 'object' && value !== null && 'markup' in value

// What reads a number writes it in its own way, and what reads HTML is given some.
const ARGUMENTS = [
  [html`§1`, html`§2`],
  ['§1', '§2'],
  [41, 42],
] as const

/** What a text says with parameters; `undefined` where they are not of the kind that it takes. */
const saidWith = (text: Function, parameters: readonly unknown[]): string | undefined => {
  try {
    const said: unknown = Reflect.apply(text, undefined, parameters)
    if (isHtml(said)) return render(said)
    return typeof said === 'string' ? said : undefined
  } catch {
    return undefined
  }
}

const saidBy = (path: string, value: unknown): readonly Said[] => {
  if (typeof value === 'string') return [[path, value, 0]]
  if (typeof value === 'function') {
    const text = ARGUMENTS.map((parameters) => saidWith(value, parameters)).find(
      (said) => said !== undefined && !said.includes('[object'),
    )
    assert.ok(text !== undefined, path)
    return [[path, text, value.length]]
  }
  assert.ok(typeof value === 'object' && value !== null, path)
  return Object.entries(value).flatMap(([key, inner]) => saidBy(`${path}.${key}`, inner))
}

const textsOf = (language: Language): readonly Said[] => saidBy(language, textsIn(language))

const withoutLanguage = (path: string): string => path.slice(path.indexOf('.'))

describe('the catalogue of texts', () => {
  const model = textsOf('en')

  it('has more than 150 texts', () => assert.ok(model.length > 150, String(model.length)))

  for (const language of LANGUAGES) {
    it(`${language} has the same texts as English`, () => {
      assert.deepEqual(
        textsOf(language).map(([path]) => withoutLanguage(path)),
        model.map(([path]) => withoutLanguage(path)),
      )
    })

    it(`${language} has no empty text, and none with a placeholder left`, () => {
      for (const [path, text] of textsOf(language)) {
        assert.match(text, /\S/, path)
        assert.doesNotMatch(text, /^\s|\s$|undefined|\[object|NaN|\$\{|TODO/, path)
      }
    })

    it(`${language} uses every parameter`, () => {
      for (const [path, text, parameters] of textsOf(language)) {
        if (parameters === 0) continue
        const missing = Array.from({ length: parameters }, (_, index) => index).filter(
          (index) => !text.includes(`§${index + 1}`) && !text.includes(String(41 + index)),
        )
        assert.deepEqual(missing, [], `${path}: ${text}`)
      }
    })

    it(`${language} is a tag of BCP 47 with a direction`, () => {
      assert.equal(new Intl.Locale(language).toString(), language)
      assert.match(directionOf(language), /^(ltr|rtl)$/)
    })
  }

  it('German differs from English', () => {
    const german = textsOf('de')
    const same = model
      .filter(([, text], index) => text === german[index]?.[1])
      .map(([path]) => withoutLanguage(path))
    assert.deepEqual(same, ['.challenge.code', '.device.code', '.account.name'])
  })

  it('has the languages that the configuration allows', () => {
    for (const language of LANGUAGES) {
      assert.equal(themeSchema.parse({ language }).language, language)
    }
    assert.equal(themeSchema.safeParse({ language: 'xx' }).success, false)
  })
})
