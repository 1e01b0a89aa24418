// `theme`: which values are valid, and which are refused.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { themeSchema } from '../../src/pages/theme-schema.ts'
import { resolvingFrom } from '../../src/config/values.ts'

/** The value, or the first complaint. */
const read = (input: unknown): unknown =>
  resolvingFrom('/etc/app', () => {
    const result = themeSchema.safeParse(input)
    return result.success ? result.data : `! ${result.error.issues[0]?.message}`
  })

describe('the theme section', () => {
  it('may be left out', () => {
    assert.deepEqual(read(undefined), {
      name: 'Countersign',
      nameInLogo: false,
      accent: '#0b57d0',
      language: 'en',
      timeZone: 'UTC',
    })
  })

  it('may have every key', () => {
    const input = {
      name: 'Example Works',
      logo: 'logo.svg',
      logoDark: '/srv/dark.png',
      nameInLogo: true,
      accent: { light: '#0B57D0', dark: '#A8C7FA' },
      support: { text: 'Service desk', url: 'mailto:help@example.org' },
      imprint: 'https://example.org/imprint',
      privacy: 'https://example.org/privacy',
      language: 'de',
      timeZone: 'Europe/Berlin',
    }
    assert.deepEqual(read(input), {
      ...input,
      logo: '/etc/app/logo.svg',
      accent: { light: '#0b57d0', dark: '#a8c7fa' },
    })
  })

  const REFUSED: readonly { name: string; input: unknown; want: RegExp }[] = [
    { name: 'an unknown key', input: { colour: '#000000' }, want: /unrecognized key/i },
    { name: 'an empty name', input: { name: '' }, want: /one line of text/ },
    { name: 'hostile: a name of two lines', input: { name: 'a\nb' }, want: /one line of text/ },
    {
      name: 'hostile: a name with a right-to-left override',
      input: { name: 'a\u202eb' },
      want: /one line of text/,
    },
    { name: 'a name that is too long', input: { name: 'x'.repeat(61) }, want: /60/ },
    { name: 'a colour by name', input: { accent: 'red' }, want: /invalid input|such as/i },
    {
      name: 'a colour of three digits',
      input: { accent: { light: '#fff', dark: '#000000' } },
      want: /./,
    },
    { name: 'hostile: a colour with text after it', input: { accent: '#000000;}' }, want: /./ },
    { name: 'a dark colour that is missing', input: { accent: { light: '#000000' } }, want: /./ },
    { name: 'a dark logo without a logo', input: { logoDark: 'a.svg' }, want: /need a "logo"/ },
    {
      name: 'the name in the logo without a logo',
      input: { nameInLogo: true },
      want: /need a "logo"/,
    },
    {
      name: 'a link without TLS',
      input: { imprint: 'http://example.org/' },
      want: /must be an https/,
    },
    {
      name: 'hostile: a javascript: link',
      input: { privacy: 'javascript:alert(1)' },
      want: /must be/,
    },
    { name: 'hostile: a link without a host', input: { imprint: 'https:///a' }, want: /must be/ },
    {
      name: 'hostile: a link with a backslash',
      input: { imprint: 'https://\\a' },
      want: /must be/,
    },
    { name: 'a language without translations', input: { language: 'fr' }, want: /./ },
    {
      name: 'an unknown time zone',
      input: { timeZone: 'Europe/Nowhere' },
      want: /must be a time zone/,
    },
  ]
  for (const { name, input, want } of REFUSED) {
    it(`refuses ${name}`, () =>
      assert.match(String(read(input)), new RegExp(`^! .*${want.source}`, want.flags)))
  }
})
