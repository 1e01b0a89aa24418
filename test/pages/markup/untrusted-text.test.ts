// Texts that other parties choose, such as names: displayed so that they cannot change the text around them.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { html, render } from '../../../src/pages/html.ts'
import { untrusted, untrustedLines, shown } from '../../../src/pages/markup/untrusted-text.ts'

describe('an untrusted text on a page', () => {
  const CASES = [
    { name: 'keeps a name', input: 'alice', want: 'alice' },
    { name: 'keeps letters beyond ASCII', input: 'Jürgen 密码 😀', want: 'Jürgen 密码 😀' },
    { name: 'keeps right-to-left script', input: 'אליס', want: 'אליס' },
    { name: 'keeps a zero-width joiner in a word', input: 'نامه\u200cای', want: 'نامه\u200cای' },
    { name: 'keeps an emoji of several code points', input: '👩\u200d💻', want: '👩\u200d💻' },
    {
      name: 'hostile: loses a right-to-left override',
      input: 'a\u202enimda',
      want: 'a\ufffdnimda',
    },
    { name: 'hostile: loses the end of an isolate', input: 'a\u2069b', want: 'a\ufffdb' },
    {
      name: 'hostile: loses line ends',
      input: 'a\r\nb\u2028c\u0085',
      want: 'a\ufffd\ufffdb\ufffdc\ufffd',
    },
    { name: 'hostile: loses NUL', input: 'a\0b', want: 'a\ufffdb' },
    {
      name: 'hostile: loses invisible characters',
      input: 'a\u200bb\ufeffc',
      want: 'a\ufffdb\ufffdc',
    },
    { name: 'hostile: loses tag characters', input: 'a\u{e0041}b', want: 'a\ufffdb' },
    { name: 'hostile: loses half of a surrogate pair', input: 'a\ud800', want: 'a\ufffd' },
    {
      name: 'hostile: loses all but four combining marks in a row',
      input: `a${'\u0301'.repeat(50)}b`,
      want: `a${'\u0301'.repeat(4)}b`,
    },
    { name: 'hostile: keeps markup as text', input: '<script>', want: '<script>' },
  ]
  for (const { name, input, want } of CASES) it(name, () => assert.equal(shown(input), want))

  it('hostile: is cut to 200 characters', () => {
    assert.equal(shown('x'.repeat(10_240)), `${'x'.repeat(200)}…`)
    assert.equal(shown('😀'.repeat(200), 3), '😀…', 'not between the halves of a pair')
  })

  it('is isolated (bdi) and escaped', () => {
    assert.equal(render(html`<p>${untrusted('<b>')}</p>`), '<p><bdi>&lt;b&gt;</bdi></p>')
  })

  it('may have lines, at most 20', () => {
    assert.equal(
      render(untrustedLines('a\r\nb\nc\rd')),
      ['a', 'b', 'c', 'd'].map((line) => `<bdi>${line}</bdi><br />`).join(''),
    )
    assert.equal(render(untrustedLines('\n'.repeat(1_000))).split('<br').length, 21)
    assert.ok(render(untrustedLines('x'.repeat(10_000))).length < 2_100)
  })
})
