// Addresses that may be followed, and the many that may not.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { contactUrl, imageUrl, ownPath, safeUrl } from '../../../src/pages/markup/url.ts'

const refuses = (name: string, inputs: readonly string[]): void => {
  for (const input of inputs) {
    it(`hostile: refuses a URL that ${name}: ${JSON.stringify(input).slice(0, 60)}`, () =>
      assert.equal(safeUrl(input), undefined))
  }
}

describe('a URL on a page', () => {
  const CASES = [
    { input: 'https://example.org', want: 'https://example.org/' },
    { input: 'https://example.org:8443/a?b=c#d', want: 'https://example.org:8443/a?b=c#d' },
    { input: 'HTTPS://EXAMPLE.ORG/', want: 'https://example.org/' },
    { input: 'https://bücher.example/', want: 'https://xn--bcher-kva.example/' },
    { input: 'https://[2001:db8::1]/', want: 'https://[2001:db8::1]/' },
    { input: 'http://localhost:8080/', want: 'http://localhost:8080/' },
    { input: 'http://127.0.0.1/', want: 'http://127.0.0.1/' },
    { input: 'http://[::1]:1/', want: 'http://[::1]:1/' },
    { input: '/', want: '/' },
    { input: '/a/b?c=d&e#f', want: '/a/b?c=d&e#f' },
  ]
  for (const { input, want } of CASES) {
    it(`is ${want === undefined ? 'refused' : 'accepted'}: ${input}`, () =>
      assert.equal(safeUrl(input)?.text, want))
  }

  refuses('runs code', [
    'javascript:alert(1)',
    'JaVaScRiPt:alert(1)',
    ' javascript:alert(1)',
    '\u0001javascript:alert(1)',
    'java\nscript:alert(1)',
    'java\tscript:alert(1)',
    'vbscript:x',
    'data:text/html,<script>alert(1)</script>',
    'data:image/svg+xml,<svg/>',
    'blob:https://example.org/x',
    'filesystem:https://example.org/x',
    'view-source:https://example.org/',
    'about:blank',
  ])
  refuses('is in the clear', ['http://example.org/', 'http://127.0.0.1.example.org/', 'ftp://a/'])
  refuses('looks like a path and leads elsewhere', [
    '//example.org/',
    '///example.org/',
    '/\\example.org/',
    '\\\\example.org\\',
    '/a\\b',
    '/\t/example.org',
    '/\n/example.org',
    '/a b',
    '/ä',
  ])
  refuses('has a name and a password', ['https://example.org@evil.example/', 'https://a:b@c.d/'])
  refuses('has what a policy could not say', ['https://a;b/', 'https://a,b/', "https://a'b/"])
  refuses('is none', ['', 'example.org', 'a/b', '#a', '?a', 'https://', 'https:///', 'file:///etc'])
  refuses('is too long', [`/${'a'.repeat(8_192)}`, `https://a.example/${'a'.repeat(8_192)}`])
})

describe('a URL that an operator configured', () => {
  it('may be that of a mailbox, or any that is safe', () => {
    assert.equal(contactUrl('mailto:help@example.org')?.text, 'mailto:help@example.org')
    assert.equal(contactUrl('https://example.org/')?.text, 'https://example.org/')
    assert.equal(safeUrl('mailto:help@example.org'), undefined)
    assert.equal(contactUrl('javascript:alert(1)'), undefined)
  })

  it('hostile: cannot end its attribute', () => {
    assert.doesNotMatch(contactUrl('mailto:a?subject="<b>\n')?.text ?? '', /[\n"<]/)
  })
})

describe('a path of Countersign’s own', () => {
  it('is accepted as a path', () => assert.equal(ownPath('/interaction/a').text, '/interaction/a'))

  it('is refused where it is not a path', () => {
    for (const text of ['https://example.org/', '//example.org', 'a', '', 'javascript:x']) {
      assert.throws(() => ownPath(text), TypeError)
    }
  })
})

it('an image is embedded as a data: URL', () => {
  assert.equal(imageUrl('image/png', Buffer.from('ab')).text, 'data:image/png;base64,YWI=')
})
