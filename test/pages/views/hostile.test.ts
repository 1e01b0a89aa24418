// Names, messages and codes that other parties choose cannot change the structure of a page.

import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { render, type Html } from '../../../src/pages/html.ts'
import type { Theme } from '../../../src/pages/theme.ts'
import { pagesWith } from '../../fakes/hostile-pages.ts'
import { contextOf, themeOf, type AnyContext } from '../../fakes/pages.ts'
import { HOSTILE } from '../../fakes/hostile-text.ts'
import { skeletonOf } from './markup.ts'

let theme: Theme
before(async () => {
  theme = await themeOf()
})
const markupOf = (make: (context: AnyContext) => Html): string => render(make(contextOf(theme)))

const MARKUP: Readonly<Record<string, string>> = {
  'a script': '<script>alert(1)</script>',
  'the end of everything': `"></title></style></script>--></p></main></body>`,
  'an event handler': `" autofocus onfocus="alert(1)" x="`,
  'an event handler in single quotes': `' onfocus='alert(1)' x='`,
  'a form': '</form><form action="https://evil.example">',
  'a base': '<base href="https://evil.example/">',
  'a comment': '<!-- ',
  CDATA: '<![CDATA[',
  'a processing instruction': '<?php',
  entities: '&lt;script&gt;&#x3c;',
  'a template': '${html`<b>`}',
}

describe('hostile: the structure of every page stays the same where a name contains', () => {
  // What is too long to be put back into a field, and what has lines where lines are shown, does.
  const shapeOf = (markup: string): readonly string[] =>
    skeletonOf(markup)
      .filter((tag) => tag !== '<br />' && tag !== '<bdi>' && tag !== '</bdi>')
      .map((tag) => tag.replace(/ value=""| autofocus/g, ''))
  for (const [name, text] of Object.entries({ ...MARKUP, ...HOSTILE })) {
    it(`keeps its structure with ${name} in a name`, () => {
      const plain = pagesWith('plain').map((make) => shapeOf(markupOf(make)))
      const hostile = pagesWith(text).map((make) => markupOf(make))
      assert.deepEqual(hostile.map(shapeOf), plain)
      for (const markup of hostile) assert.ok(Buffer.byteLength(markup) < 14_000)
    })
  }
})

describe('hostile: a name with a right-to-left override', () => {
  it('is replaced and isolated', () => {
    for (const make of pagesWith('a\u202eb\u2066c')) {
      // A message of Countersign’s own, and what is put back into the field of the user who typed it, stay as they are.
      const seen = markupOf(make).replaceAll(/\svalue="[^"]*"/g, '')
      if (!seen.includes('<title>Error – a')) assert.doesNotMatch(seen, /[\u202e\u2066]/)
    }
  })
})
