// What others chose to be called: shown so that it disturbs nothing around it.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { html, render } from '../../../src/pages/html.ts'
import { untrusted, untrustedLines, shown } from '../../../src/pages/markup/untrusted-text.ts'

describe('a foreign text', () => {
  const CASES = [
    { name: 'a name', input: 'alice', want: 'alice' },
    { name: 'not ASCII', input: 'Jürgen 密码 😀', want: 'Jürgen 密码 😀' },
    { name: 'right to left', input: 'אליס', want: 'אליס' },
    { name: 'with a joiner', input: 'نامه\u200cای', want: 'نامه\u200cای' },
    { name: 'an emoji of several', input: '👩\u200d💻', want: '👩\u200d💻' },
    { name: 'hostile: a right-to-left override', input: 'a\u202enimda', want: 'a\ufffdnimda' },
    { name: 'hostile: the end of an isolate', input: 'a\u2069b', want: 'a\ufffdb' },
    { name: 'hostile: lines', input: 'a\r\nb\u2028c\u0085', want: 'a\ufffd\ufffdb\ufffdc\ufffd' },
    { name: 'hostile: NUL', input: 'a\0b', want: 'a\ufffdb' },
    { name: 'hostile: what cannot be seen', input: 'a\u200bb\ufeffc', want: 'a\ufffdb\ufffdc' },
    { name: 'hostile: a tag in tag characters', input: 'a\u{e0041}b', want: 'a\ufffdb' },
    { name: 'hostile: half of a pair', input: 'a\ud800', want: 'a\ufffd' },
    {
      name: 'hostile: marks over marks',
      input: `a${'\u0301'.repeat(50)}b`,
      want: `a${'\u0301'.repeat(4)}b`,
    },
    { name: 'hostile: an element', input: '<script>', want: '<script>' },
  ]
  for (const { name, input, want } of CASES) it(name, () => assert.equal(shown(input), want))

  it('hostile: 10 KB', () => {
    assert.equal(shown('x'.repeat(10_240)), `${'x'.repeat(200)}…`)
    assert.equal(shown('😀'.repeat(200), 3), '😀…', 'not between the halves of a pair')
  })

  it('is isolated, and escaped', () => {
    assert.equal(render(html`<p>${untrusted('<b>')}</p>`), '<p><bdi>&lt;b&gt;</bdi></p>')
  })

  it('may have lines of its own, as many as fit', () => {
    assert.equal(
      render(untrustedLines('a\r\nb\nc\rd')),
      ['a', 'b', 'c', 'd'].map((line) => `<bdi>${line}</bdi><br />`).join(''),
    )
    assert.equal(render(untrustedLines('\n'.repeat(1_000))).split('<br').length, 21)
    assert.ok(render(untrustedLines('x'.repeat(10_000))).length < 2_100)
  })
})
