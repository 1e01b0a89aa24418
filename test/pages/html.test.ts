// HTML templates that escape their values: a text stays text, and a place where no value is safe is an error.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { attributes, html, inlineElement, render } from '../../src/pages/html.ts'
import { ownPath, safeUrl } from '../../src/pages/markup/url.ts'

// The formatter puts right what is in a template of that name.
const raw = html

describe('a text in a template', () => {
  const CASES = [
    { name: 'a plain text', input: 'alice', want: 'alice' },
    { name: 'an empty text', input: '', want: '' },
    { name: 'hostile: an element', input: '<script>', want: '&lt;script&gt;' },
    { name: 'hostile: the end tag of its element', input: '</p><b>', want: '&lt;/p&gt;&lt;b&gt;' },
    { name: 'hostile: a comment', input: '<!--', want: '&lt;!--' },
    { name: 'hostile: quotes', input: `"'`, want: '&quot;&#39;' },
    { name: 'hostile: a text that is already escaped', input: '&lt;', want: '&amp;lt;' },
    {
      name: 'hostile: a replacement pattern of replaceAll',
      input: "$&<$'",
      want: '$&amp;&lt;$&#39;',
    },
  ]
  for (const { name, input, want } of CASES) {
    it(`${name}, between tags`, () => assert.equal(render(html`<p>${input}</p>`), `<p>${want}</p>`))
    it(`${name}, in an attribute`, () =>
      assert.equal(render(html`<p title="${input}"></p>`), `<p title="${want}"></p>`))
    it(`${name}, in an attribute made by a function`, () =>
      assert.equal(
        render(html`<p ${attributes({ title: input })}></p>`),
        `<p title="${want}"></p>`,
      ))
  }

  it('may be next to another one, and inside a longer attribute', () => {
    const [a, b] = ['<', 7]
    assert.equal(
      render(html`<p title="x ${a} y ${b}">${a}${b}</p>`),
      '<p title="x &lt; y 7">&lt;7</p>',
    )
  })

  it('is empty where it is undefined', () =>
    assert.equal(render(html`<p>${undefined}</p>`), '<p></p>'))

  it('is not escaped again as a part of another template', () => {
    const part = html`<b>${'<'}</b>`
    assert.equal(render(html`<p>${part}${[part, part]}</p>`), `<p>${'<b>&lt;</b>'.repeat(3)}</p>`)
  })
})

describe('an HTML value', () => {
  it('hostile: is not a string, so it cannot be inserted unescaped', () => {
    assert.throws(() => String(html`<p></p>`), TypeError)
    // @ts-expect-error: nor for the compiler
    const text: string = html`<p></p>`
    assert.equal(typeof text, 'object')
  })

  it('hostile: cannot be imitated by an object of the same shape', () => {
    const alike = { markup: '<script></script>' }
    // @ts-expect-error: the compiler says the same
    assert.throws(() => render(html`<p>${alike}</p>`), TypeError)
    const parsed: unknown = JSON.parse('{"markup":"<script>","length":1}')
    // @ts-expect-error: nor this
    assert.throws(() => render(html`<p>${parsed}</p>`), TypeError)
    // @ts-expect-error: nor this
    assert.throws(() => render(html`<p ${parsed}></p>`), TypeError)
    // @ts-expect-error: nor this
    assert.throws(() => render(html`<a href="${parsed}"></a>`), TypeError)
  })

  it('hostile: is refused inside an attribute', () => {
    const part = html`<b></b>`
    assert.throws(() => html`<p title="${part}"></p>`, TypeError)
    assert.throws(() => html`<p title="${undefined}"></p>`, TypeError)
    assert.throws(() => html`<p ${part}></p>`, TypeError)
  })
})

describe('a URL in a template', () => {
  const URLS = ['href', 'src', 'action', 'formaction', 'srcset', 'poster', 'cite', 'data', 'ping']

  it('is accepted where it was checked', () => {
    const url = safeUrl('https://example.org/?a=1&b="2"')
    assert.ok(url)
    assert.equal(
      render(html`<a href="${url}">x</a>`),
      '<a href="https://example.org/?a=1&amp;b=%222%22">x</a>',
    )
    assert.equal(
      render(html`<a ${attributes({ href: ownPath('/a') })}>x</a>`),
      '<a href="/a">x</a>',
    )
  })

  it('hostile: is refused as a string, whatever it contains', () => {
    for (const text of ['javascript:alert(1)', 'https://example.org/', '/path']) {
      assert.throws(() => html`<a href="${text}">x</a>`, /cannot have/)
      assert.throws(() => html`<form action="${text}"></form>`, /cannot have/)
      for (const name of URLS) assert.throws(() => attributes({ [name]: text }), /not an address/)
    }
  })

  it('hostile: is the whole attribute, so that no text can precede its scheme', () => {
    const url = ownPath('/a')
    assert.throws(() => html`<a href="javascript:${url}">x</a>`, /no value can follow/)
    assert.throws(() => html`<a href="${url}${url}">x</a>`, /no value can follow/)
    assert.throws(() => html`<a href="${url}/more">x</a>`, /no value can follow/)
  })

  it('is refused in attributes that are not URLs', () => {
    assert.throws(() => html`<p title="${ownPath('/a')}"></p>`, /cannot have/)
    assert.throws(() => attributes({ title: ownPath('/a') }), /not for one/)
  })
})

describe('hostile: a template refuses a value', () => {
  const CASES: readonly { readonly name: string; readonly make: () => unknown }[] = [
    {
      name: 'in a script element',
      make: () =>
        raw`<script>
          ${'x'}
        </script>`,
    },
    {
      name: 'in a style element',
      make: () =>
        raw`<style>
          ${'x'}
        </style>`,
    },
    { name: 'in a textarea', make: () => raw`<textarea>${'x'}</textarea>` },
    { name: 'in a frame’s document', make: () => raw`<iframe srcdoc="${'x'}"></iframe>` },
    { name: 'in the name of an element', make: () => raw`<${'x'}></p>` },
    { name: 'directly after the name of an element', make: () => raw`<p${attributes({})}></p>` },
    { name: 'directly after an attribute', make: () => raw`<p title="a"${attributes({})}></p>` },
    { name: 'in the name of an attribute', make: () => raw`<p data-${'x'}="1"></p>` },
    { name: 'in an attribute without quotes', make: () => raw`<p title=${'x'}></p>` },
    { name: 'in an attribute in single quotes', make: () => raw`<p title='${'x'}'></p>` },
    { name: 'in an event handler', make: () => raw`<p onclick="${'x'}"></p>` },
    { name: 'in a style attribute', make: () => raw`<p style="${'x'}"></p>` },
    { name: 'in a comment', make: () => raw`<!-- ${'x'} -->` },
    { name: 'in an end tag', make: () => raw`<p></${'x'}>` },
    { name: 'in a meta element', make: () => raw`<meta content="${'x'}" />` },
    { name: 'in the target of a link', make: () => raw`<a target="${'x'}"></a>` },
    { name: 'after a tag that does not end', make: () => raw`<p title="` },
    {
      name: 'as an event handler, by the attribute’s name',
      make: () => attributes({ onclick: 'x' }),
    },
    { name: 'as a style, by the attribute’s name', make: () => attributes({ style: 'x' }) },
    {
      name: 'as a frame’s document, by the attribute’s name',
      make: () => attributes({ srcdoc: 'x' }),
    },
    {
      name: 'for an attribute with a space in its name',
      make: () => attributes({ 'a onclick': 'x' }),
    },
    { name: 'for an attribute in capitals', make: () => attributes({ ONCLICK: 'x' }) },
  ]
  for (const { name, make } of CASES) it(name, () => assert.throws(make, TypeError))
})

describe('attributes of an element', () => {
  it('are written with a value or alone, or left out', () => {
    const written = attributes({
      id: 'a',
      required: true,
      autofocus: false,
      value: undefined,
      maxlength: 3,
    })
    assert.equal(render(raw`<input ${written}>`), '<input id="a" required maxlength="3">')
  })
})

describe('an inline element', () => {
  it('has the hash by which the policy allows it', () => {
    // From the example of CSP Level 3 §8.3: the hash of alert('Hello, world.');
    const { element, source } = inlineElement('script', "alert('Hello, world.');")
    assert.equal(source, "'sha256-qznLcsROx4GACP2dm0UCKCzCG+HiZ1guq6ZZDob/Tng='")
    assert.equal(render(element), "<script>alert('Hello, world.');</script>")
  })

  it('hostile: refuses content that ends it early', () => {
    assert.throws(() => inlineElement('style', 'a{}</style>'), TypeError)
    assert.throws(() => inlineElement('script', '"</script>"'), TypeError)
    assert.throws(() => inlineElement('script', '<!--'), TypeError)
  })
})
