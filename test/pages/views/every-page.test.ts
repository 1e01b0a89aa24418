// What every page must have, in every language.

import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { LANGUAGES } from '../../../src/pages/i18n/catalog.ts'
import { render, type Html } from '../../../src/pages/html.ts'
import type { Theme } from '../../../src/pages/theme.ts'
import { contextOf, themeOf, SAMPLES, type AnyContext } from '../../fakes/pages.ts'
import { tagsIn, textOf, titleOf } from './markup.ts'

let theme: Theme
before(async () => {
  theme = await themeOf()
})
const markupOf = (make: (context: AnyContext) => Html, language: 'en' | 'de' = 'en'): string =>
  render(make(contextOf(theme, language)))

describe('every page', () => {
  for (const { name, page, hasForms } of SAMPLES) {
    it(`${name} has language, title, heading and main`, () => {
      for (const language of LANGUAGES) {
        const markup = markupOf(page, language)
        assert.match(markup, new RegExp(`^<!doctype html>\\s*<html lang="${language}" dir="ltr">`))
        assert.match(titleOf(markup), /^\S.* – Countersign$/)
        assert.equal(tagsIn(markup, 'h1').length, 1)
        assert.equal(tagsIn(markup, 'main').length, 1)
        assert.equal(tagsIn(markup, 'script').length, hasForms ? 1 : 0)
        assert.doesNotMatch(textOf(markup), /undefined|\[object|NaN/)
        assert.ok(Buffer.byteLength(markup) < (name === 'account-many-groups' ? 200_000 : 10_240))
      }
    })

    it(`${name} has a label for every field, no id twice, and the CSRF token in every form`, () => {
      const markup = markupOf(page)
      const ids = tagsIn(markup).flatMap(({ attributes }) => attributes['id'] ?? [])
      assert.equal(new Set(ids).size, ids.length)
      const labels = tagsIn(markup, 'label').map(({ attributes }) => attributes['for'])
      const fields = tagsIn(markup, 'input').filter(
        ({ attributes }) => attributes['type'] !== 'hidden',
      )
      assert.deepEqual(
        fields.map(({ attributes }) => attributes['id']),
        labels,
      )
      for (const { attributes } of fields) {
        for (const id of (attributes['aria-describedby'] ?? '').split(' ')) {
          assert.ok(id === '' || ids.includes(id), id)
        }
      }
      const forms = tagsIn(markup, 'form')
      assert.equal(forms.length > 0, hasForms && name !== 'login-nothing')
      assert.ok(forms.every(({ attributes }) => attributes['method'] === 'post'))
      const tokens = tagsIn(markup, 'input').filter(
        ({ attributes }) => attributes['name'] === 'csrf',
      )
      assert.equal(tokens.length, forms.length)
    })
  }
})
