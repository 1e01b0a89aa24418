// Which values are alternative names of a kind. What passes here is minted, so a verifier must not
// read it in another way.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  decodeGeneralNames,
  encodeGeneralNames,
  NAME_KINDS,
  nameFault,
  type NameKind,
} from '../../src/x509/general-names.ts'

const LABEL = 'x'.repeat(63)

/** Values that are names, and values that are not. */
const VALUES: Readonly<Record<NameKind, { good: readonly string[]; bad: readonly string[] }>> = {
  dns: {
    good: [
      'a',
      'localhost',
      'a-b.c_d.example',
      '*.example.org',
      '_sip.example',
      LABEL,
      '1.example',
    ],
    bad: [
      '',
      '.',
      'a.',
      '.a',
      'a..b',
      '-a',
      'a-',
      '*',
      '*.',
      'a.*.b',
      '*a.b',
      '**.a',
      'a b',
      'a/b',
      'a:1',
      'ü.example',
      'a\0.b',
      'a\n',
      `${LABEL}x`,
      `${`${LABEL}.`.repeat(4)}x`,
      'a@b',
    ],
  },
  uri: {
    good: ['spiffe://example.org/a', 'https://a/b?c#d', 'urn:uuid:f81d4fae', 'a:b', 'mailto:a@b'],
    bad: [
      '',
      'a',
      '/a',
      '//a/b',
      'a b:c',
      '1a:b',
      ':b',
      'http://',
      'http://[',
      'https://ü/',
      'a:',
      'a:b c',
      'a:b\n',
      'a:\0',
      'a:ü',
    ],
  },
  email: {
    good: ['a@b', 'alice+x@example.org', '"a"@b', "a!#$%&'*/=?^`{|}~@b"],
    bad: [
      '',
      'a',
      '@',
      'a@',
      '@b',
      'a@b@c',
      'a b@c',
      'a@b\n',
      '\na@b',
      'a@b\0',
      'admin@evil.example\0.example.org',
      'a\u007f@b',
      'ü@b',
      'a@ü',
    ],
  },
  ip: {
    good: ['192.0.2.7', '::', '::1', '2001:DB8::7', '::ffff:192.0.2.7'],
    bad: [
      '',
      '192.0.2',
      '192.0.2.256',
      '192.0.2.07',
      '0x7f000001',
      '2130706433',
      '192.0.2.7/24',
      '[::1]',
      '::1/128',
      '1::2::3',
      'fe80::1%eth0',
      'fe80::1%',
      '::1 ',
      '192.0.2.7\n',
      'a',
    ],
  },
  upn: {
    good: ['a', 'alice@example.org', 'jürgen@bücher.example', '😀', 'a b'],
    bad: ['', 'a\0', 'a\n@b', '\u007f', '\u0085', 'a\ud800', '\udc00\ud800'],
  },
}

describe('a value of an alternative name', () => {
  for (const kind of NAME_KINDS) {
    const { good, bad } = VALUES[kind]
    for (const value of good) {
      it(`may be ${JSON.stringify(value).slice(0, 40)}, as ${kind}`, () => {
        assert.equal(nameFault(kind, value), undefined)
        const written = encodeGeneralNames([{ kind, value }])
        const [read] = decodeGeneralNames(written)
        assert.equal(read?.kind, kind)
        assert.deepEqual(encodeGeneralNames([{ kind, value: read.value }]), written)
        if (kind !== 'ip') assert.equal(read.value, value)
      })
    }
    for (const value of bad) {
      it(`cannot be ${JSON.stringify(value).slice(0, 40)}, as ${kind}`, () => {
        assert.match(nameFault(kind, value) ?? '', /^not an? /)
      })
    }
  }
})
