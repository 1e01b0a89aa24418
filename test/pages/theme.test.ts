// The theme from its configuration: values that cannot be displayed or read are problems that name an alternative.

import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { after, before, describe, it } from 'node:test'
import { ConfigurationFiles } from '../../src/config/files.ts'
import { themeSchema } from '../../src/pages/theme-schema.ts'
import { render } from '../../src/pages/html.ts'
import { loadTheme } from '../../src/pages/theme.ts'
import { loginPage } from '../../src/pages/views/login.ts'
import { CountersignError } from '../../src/runtime/errors.ts'
import { contextOf, FULL_THEME, themeOf } from '../fakes/pages.ts'
import { temporaryFolder, type TemporaryFolder } from '../servers/temporary.ts'

// 1 × 1, transparent.
const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
)
const SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><path d="M0 0h1v1z"/></svg>'

describe('a theme', () => {
  let folder: TemporaryFolder
  before(async () => {
    folder = await temporaryFolder()
  })
  after(() => folder[Symbol.asyncDispose]())

  const file = async (name: string, content: string | Buffer): Promise<string> => {
    await writeFile(folder.file(name), content)
    return folder.file(name)
  }
  const refusal = async (config: unknown): Promise<string> => {
    const error: unknown = await themeOf(config).then(
      () => undefined,
      (cause: unknown) => cause,
    )
    assert.ok(error instanceof CountersignError, String(error))
    return `${error.code}: ${error.message}`
  }
  const loginOf = async (config: unknown): Promise<string> =>
    render(loginPage({ password: {} }, contextOf(await themeOf(config))))

  it('has a logo that is embedded in the page', async () => {
    const svg = await file('logo.svg', SVG)
    const text = await loginOf({ logo: svg })
    const data = Buffer.from(SVG).toString('base64')
    assert.ok(text.includes(`<img src="data:image/svg+xml;base64,${data}" alt="" />`))
    assert.match(text, /<header>\s*<img[^>]*>\s*<p>Countersign<\/p>/)
  })

  it('has another logo for dark mode, and no name where the logo contains it', async () => {
    const [logo, logoDark] = [await file('light.png', PNG), await file('dark.svg', SVG)]
    const text = await loginOf({ logo, logoDark, nameInLogo: true })
    assert.match(text, /<source media="\(prefers-color-scheme: dark\)" srcset="data:image\/svg/)
    assert.match(text, /<img src="data:image\/png;base64,[^"]+" alt="Countersign" \/>/)
    assert.ok(!text.includes('<p>Countersign</p>'))
  })

  it('records its files, so that a changed logo causes a reload', async () => {
    const logo = await file('kept.svg', SVG)
    const files = new ConfigurationFiles()
    await loadTheme(themeSchema.parse({ logo }), files)
    assert.deepEqual(files.paths, [logo])
  })

  it('accepts SVG files with an XML declaration, a comment and a doctype', async () => {
    const head =
      '\ufeff<?xml version="1.0"?>\n<!-- made by hand -->\n<!DOCTYPE svg PUBLIC "a" "b">\n'
    const logo = await file('head.svg', head + SVG)
    assert.ok((await themeOf({ logo })).logo)
  })

  it('has a footer with the configured links, and none without links', async () => {
    const text = await loginOf(FULL_THEME)
    assert.match(
      text,
      /<a href="https:\/\/help\.example\.org\/login">Service desk, extension 4711<\/a>/,
    )
    assert.match(text, /<a href="https:\/\/example\.org\/imprint">Legal notice<\/a>/)
    assert.match(text, /<a href="https:\/\/example\.org\/privacy">Privacy<\/a>/)
    assert.ok(!(await loginOf({})).includes('<footer'))
    assert.match(
      await loginOf({ support: { text: 'a < b' } }),
      /<footer>\s*<p>a &lt; b<\/p>\s*<\/footer>/,
    )
  })

  it('uses the accent colour, adjusted to both modes where it is one colour', async () => {
    const text = await loginOf({ accent: '#ffcc00' })
    assert.match(text, /--fill:#ffcc00;--on-fill:#000000;--ink:#[0-9a-f]{6}/)
    assert.ok(!text.includes('--ink:#ffcc00}@media'), 'yellow on white')
    assert.ok(text.includes('--ink:#ffcc00}}'), 'yellow on black')
  })

  it('refuses a pair of colours of which one is unreadable', async () => {
    const problem = await refusal({ accent: { light: '#ffcc00', dark: '#ffcc00' } })
    assert.match(problem, /^configuration-invalid: accent\.light: #ffcc00 has a contrast of/)
    assert.match(
      await refusal({ accent: { light: '#0b57d0', dark: '#0b57d0' } }),
      /^configuration-invalid: accent\.dark: /,
    )
    assert.ok(await themeOf({ accent: { light: '#0b57d0', dark: '#a8c7fa' } }))
  })

  it('refuses a logo that is not an image, and one that is too large', async () => {
    const hostile: readonly [string, string | Buffer, RegExp][] = [
      ['page.svg', '<html><script>alert(1)</script></html>', /neither a PNG nor an SVG/],
      ['text.png', 'hello', /neither a PNG nor an SVG/],
      ['empty.svg', '', /neither a PNG nor an SVG/],
      ['bare.svg', '<svg></svg>', /lacks xmlns/],
      ['large.svg', SVG + ' '.repeat(32_768), /has 3\d{4} bytes.*at most 32 KB/],
    ]
    for (const [name, content, want] of hostile) {
      assert.match(await refusal({ logo: await file(name, content) }), want)
    }
    assert.match(await refusal({ logo: folder.file('none.svg') }), /^file-unreadable: .*not exist/)
  })

  it('hostile: refuses a link that the schema accepts and a page cannot contain', async () => {
    assert.match(
      await refusal({ imprint: 'https://a@b.example/' }),
      /^configuration-invalid: imprint/,
    )
    assert.match(
      await refusal({ privacy: 'https://a;b.example/' }),
      /^configuration-invalid: privacy/,
    )
    const support = { text: 'x', url: 'https://a:b@c.example/' }
    assert.match(await refusal({ support }), /^configuration-invalid: support\.url/)
  })
})
