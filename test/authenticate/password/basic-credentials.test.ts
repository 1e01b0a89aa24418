// Which Authorization headers are Basic credentials, and that arbitrary bytes do not break the reader.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readBasicCredentials } from '../../../src/authenticate/password/basic-credentials.ts'
import { basic } from '../../fakes/envoy.ts'
import { randomFrom } from '../../fakes/random.ts'

const base64 = (bytes: string | readonly number[]): string => Buffer.from(bytes).toString('base64')

describe('credentials that are present', () => {
  const CASES = [
    { name: 'the plain form', input: basic('alice', 'secret'), user: 'alice', password: 'secret' },
    { name: 'any case of the scheme', input: 'bAsIc YTpi', user: 'a', password: 'b' },
    { name: 'several spaces', input: 'Basic    YTpi', user: 'a', password: 'b' },
    { name: 'colons in the password', input: basic('a', ':b:c:'), user: 'a', password: ':b:c:' },
    { name: 'spaces', input: basic('a b', ' '), user: 'a b', password: ' ' },
    { name: 'UTF-8', input: basic('jürgen', 'пароль😀'), user: 'jürgen', password: 'пароль😀' },
    {
      name: 'decomposed letters, composed',
      input: basic('ju\u0308rgen', 'e\u0301'),
      user: 'j\u00fcrgen',
      password: '\u00e9',
    },
    {
      name: 'a byte order mark, kept',
      input: basic('\ufeffa', 'b'),
      user: '\ufeffa',
      password: 'b',
    },
    {
      name: 'the longest',
      input: basic('a', 'x'.repeat(3_070)),
      user: 'a',
      password: 'x'.repeat(3_070),
    },
  ]
  for (const { name, input, user, password } of CASES) {
    it(`are read from the header: ${name}`, () => {
      const want = { outcome: 'present', user, password }
      assert.deepEqual(readBasicCredentials(Buffer.from(input)), want)
    })
  }
})

describe('credentials that are absent', () => {
  const CASES = [
    { name: 'no header', input: undefined },
    { name: 'an empty header', input: '' },
    { name: 'another scheme', input: 'Bearer YTpi' },
    { name: 'a scheme that begins alike', input: 'Basically YTpi' },
    { name: 'the credentials alone', input: 'YTpi' },
    { name: 'space before', input: ' Basic YTpi' },
    { name: 'a tab after the scheme', input: 'Basic\tYTpi' },
    { name: 'a letter that folds to "s"', input: 'Ba\u017fic YTpi' },
  ]
  for (const { name, input } of CASES) {
    it(`are absent from the header: ${name}`, () => {
      const header = input === undefined ? undefined : Buffer.from(input)
      assert.deepEqual(readBasicCredentials(header), { outcome: 'absent' })
    })
  }
})

describe('credentials that are malformed', () => {
  const CASES = [
    { name: 'the scheme alone', input: 'Basic' },
    { name: 'nothing after the scheme', input: 'Basic ' },
    { name: 'two lines that Envoy joined', input: 'Basic YTpi,Basic YTpi' },
    { name: 'two lines that another proxy joined', input: 'Basic YTpi, Bearer x' },
    { name: 'two tokens', input: 'Basic YTpi YTpi' },
    { name: 'space after', input: 'Basic YTpi ' },
    { name: 'parameters', input: 'Basic YTpi; charset=utf-8' },
    { name: 'quotes', input: 'Basic "YTpi"' },
    { name: 'no base64', input: 'Basic a:b' },
    { name: 'the URL alphabet', input: 'Basic YTr_-w==' },
    { name: 'missing padding', input: 'Basic YTpiYw' },
    { name: 'too much padding', input: 'Basic YTpi====' },
    { name: 'padding that is not due', input: 'Basic YTpi=' },
    { name: 'bits left over behind the last byte', input: 'Basic YTpiY3==' },
    { name: 'a line break within', input: 'Basic YT\npi' },
    { name: 'a NUL within', input: 'Basic YT\0pi' },
    { name: 'no colon', input: `Basic ${base64('alice')}` },
    { name: 'no user', input: basic('', 'secret') },
    { name: 'no password', input: basic('alice', '') },
    { name: 'a colon alone', input: basic('', '') },
    { name: 'a NUL in the user', input: basic('ali\0ce', 'secret') },
    { name: 'a NUL in the password', input: basic('alice', 'sec\0ret') },
    { name: 'a line break in the user', input: basic('alice\r\nx: y', 'secret') },
    { name: 'a tab in the password', input: basic('alice', 'a\tb') },
    { name: 'a C1 control character', input: basic('alice\u0085', 'secret') },
    { name: 'Latin-1', input: `Basic ${base64([0x61, 0xfc, 0x3a, 0x62])}` },
    { name: 'an overlong colon', input: `Basic ${base64([0x61, 0xc0, 0xba, 0x62])}` },
    { name: 'an encoded surrogate', input: `Basic ${base64([0x61, 0x3a, 0xed, 0xa0, 0x80])}` },
    { name: 'cut UTF-8', input: `Basic ${base64([0x61, 0x3a, 0xe2, 0x82])}` },
    { name: 'UTF-16', input: `Basic ${Buffer.from('a:b', 'utf16le').toString('base64')}` },
    { name: 'more than a hash should read', input: basic('a', 'x'.repeat(3_072)) },
  ]
  for (const { name, input } of CASES) {
    it(`are rejected as malformed: ${name}`, () => {
      assert.deepEqual(readBasicCredentials(Buffer.from(input)), { outcome: 'malformed' })
    })
  }
})

describe('any bytes', () => {
  const SEED = 20_260_101
  const ROUNDS = 40_000
  const random = randomFrom(SEED)
  const ALPHABET = [
    'Basic ',
    'basic  ',
    'YTpi',
    '=',
    '==',
    ' ',
    ':',
    '\0',
    'é',
    'e\u0301',
    'A/+9',
    ',',
    '\u00e9',
    'x'.repeat(2_000),
  ]
  const bytes = (): Buffer => Buffer.from(Array.from({ length: random(24) }, () => random(256)))
  const pair = (): Buffer => Buffer.concat([bytes(), Buffer.from([0x3a]), bytes()])
  const text = (): string =>
    Array.from({ length: random(6) }, () => ALPHABET[random(ALPHABET.length)]).join('')
  const MAKERS = [
    bytes,
    () => Buffer.from(text()),
    () => Buffer.from(`Basic ${pair().toString('base64')}`),
    () => Buffer.from(`Basic ${Buffer.from(text()).toString('base64')}`),
    () => Buffer.concat([Buffer.from('Basic '), bytes()]),
    () => Buffer.from(basic(text(), text())),
  ]

  it(`read to what they encode, or not at all (seed ${SEED})`, () => {
    let present = 0
    for (let round = 0; round < ROUNDS; round++) {
      const header = MAKERS[random(MAKERS.length)]?.() ?? Buffer.alloc(0)
      const reading = readBasicCredentials(header)
      if (reading.outcome !== 'present') continue
      present += 1
      const { user, password } = reading
      const token = header.toString('latin1').replace(/^basic +/i, '')
      const decoded = Buffer.from(token, 'base64').toString('utf8').normalize('NFC')
      assert.deepEqual(Buffer.from(`${user}:${password}`), Buffer.from(decoded), token)
      assert.doesNotMatch(user, /:|\p{Cc}|\p{Cs}/u)
      assert.doesNotMatch(password, /\p{Cc}|\p{Cs}/u)
      assert.ok(user !== '' && password !== '')
    }
    assert.ok(present > ROUNDS / 100, `only ${present} were credentials`)
  })
})
