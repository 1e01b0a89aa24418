// Contrast: whatever colour an operator has, what is written in it and on it can be read.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  accentIn,
  accentProblem,
  contrast,
  isReadable,
  PALETTES,
  READABLE,
  readableIn,
  type Colour,
  type Scheme,
} from '../../../src/pages/frame/colour.ts'
import { randomFrom } from '../../fakes/random.ts'

const SCHEMES: readonly Scheme[] = ['light', 'dark']

// WCAG 2.2 §1.4.11, for the edges of fields.
const VISIBLE = 3

describe('the contrast of', () => {
  // As WebAIM's checker has them.
  const CASES: readonly { one: Colour; other: Colour; want: string }[] = [
    { one: '#000000', other: '#ffffff', want: '21.00' },
    { one: '#ffffff', other: '#ffffff', want: '1.00' },
    { one: '#777777', other: '#ffffff', want: '4.48' },
    { one: '#767676', other: '#ffffff', want: '4.54' },
    { one: '#ffcc00', other: '#ffffff', want: '1.51' },
    { one: '#0000ff', other: '#ffffff', want: '8.59' },
  ]
  for (const { one, other, want } of CASES) {
    it(`${one} on ${other}`, () => {
      assert.equal(contrast(one, other).toFixed(2), want)
      assert.equal(contrast(other, one).toFixed(2), want)
    })
  }
})

describe('the built-in colours', () => {
  for (const scheme of SCHEMES) {
    it(`are readable in the ${scheme} scheme`, () => {
      const { page, card, text, quiet, line, bad, badBack } = PALETTES[scheme]
      for (const back of [page, card]) {
        for (const ink of [text, quiet])
          assert.ok(contrast(ink, back) >= READABLE, `${ink} ${back}`)
      }
      assert.ok(contrast(text, badBack) >= READABLE)
      assert.ok(contrast(bad, badBack) >= READABLE)
      assert.ok(contrast(line, card) >= VISIBLE)
      assert.ok(contrast(bad, card) >= VISIBLE)
    })
  }
})

describe('an accent colour', () => {
  it('is adjusted until it is readable, whichever it is', () => {
    const below = randomFrom(1)
    const channel = (): string => below(256).toString(16).padStart(2, '0')
    const colours: readonly Colour[] = [
      '#000000',
      '#ffffff',
      '#ffcc00',
      '#001b44',
      '#808080',
      '#ff0000',
      ...Array.from({ length: 2_000 }, (): Colour => `#${channel()}${channel()}${channel()}`),
    ]
    for (const colour of colours) {
      for (const scheme of SCHEMES) {
        const { fill, onFill, ink } = accentIn(colour, scheme)
        assert.equal(fill, colour)
        assert.ok(contrast(fill, onFill) >= READABLE, `${onFill} on ${fill}`)
        assert.ok(isReadable(ink, scheme), `${ink}, ${scheme}`)
      }
    }
  })

  it('is left unchanged where it is readable', () => {
    assert.equal(readableIn('#0b57d0', 'light'), '#0b57d0')
    assert.equal(accentProblem('#0b57d0', 'light'), undefined)
  })

  it('is refused with its contrast and a colour that is readable', () => {
    const problem = accentProblem('#ffcc00', 'light')
    assert.match(problem ?? '', /^#ffcc00 has a contrast of 1\.4:1 in the light scheme/)
    const [, other = ''] = /(#[0-9a-f]{6}) would do/.exec(problem ?? '') ?? []
    assert.ok(isReadable(`#${other.slice(1)}`, 'light'))
  })
})
