// Random values in every form of header: they come back, and what differs never looks the same.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ENCODINGS, LIST_FORMS } from '../../../src/transform/schema.ts'
import { headerLines } from '../../../src/transform/headers/values.ts'
import { goQuotedPrintable, valuesIn } from '../../fakes/receivers.ts'
import { Seeded } from '../../fakes/seeded.ts'

const FORMS = LIST_FORMS.flatMap((list) => ENCODINGS.map((encode) => ({ list, encode })))

describe('random values', () => {
  const PIECES = [
    'a',
    'b',
    ',',
    ' ',
    '"',
    '\\',
    '[',
    ']',
    '=',
    '=3D',
    '%',
    '%2C',
    '0D',
    "UTF-8''",
    '\r\n',
    '\t',
    '\0',
    'ö',
    '\u00a0',
    '\u0085',
    '😀',
    '\ud83d',
    '\ude00',
    'YQ==',
    'u003d',
  ] as const

  for (const [index, form] of FORMS.entries()) {
    it(`come back, and equal lines mean equal values (${form.list}, ${form.encode})`, () => {
      const random = new Seeded(index + 1)
      const text = (): string =>
        Array.from({ length: random.below(4) }, () => random.pick(PIECES)).join('')
      const seen = new Map<string, string>()
      let written = 0
      for (let round = 0; round < 4_000; round += 1) {
        const values = Array.from({ length: random.below(4) }, text)
        const lines = headerLines(values, form)
        if (lines === undefined) continue
        written += 1
        assert.deepEqual(valuesIn(lines, form), values)
        const key = lines.join('\r\n')
        const said = JSON.stringify(values)
        assert.equal(seen.get(key) ?? said, said)
        seen.set(key, said)
      }
      assert.ok(written > 1_000, `only ${written} were written`)
    })
  }
})

describe('the quoted-printable reader of these tests', () => {
  // Each as Go 1.26 writes it.
  const CASES = [
    { name: 'octets', input: 'a=C3=B6', want: 'a\u00c3\u00b6' },
    { name: 'lower case', input: 'a=3d', want: 'a=' },
    { name: 'a "=" that encodes nothing', input: 'a=b', want: 'a=b' },
    { name: 'a "=" before one digit', input: 'a=3', want: 'a=3' },
    { name: 'a "=" at the end, a soft line break', input: 'a=', want: 'a' },
    { name: 'a "=" alone', input: '=', want: undefined },
    { name: 'space at the end, which goes', input: 'a  ', want: 'a' },
    { name: 'a control character', input: 'a\u0001', want: undefined },
    { name: 'bytes beyond ASCII', input: 'a\u00ff', want: 'a\u00ff' },
    { name: 'as long a line as there may be', input: 'a'.repeat(4_095), want: 'a'.repeat(4_095) },
    { name: 'a longer one', input: 'a'.repeat(4_096), want: undefined },
  ]
  for (const { name, input, want } of CASES) {
    it(`reads quoted-printable text: ${name}`, () => assert.equal(goQuotedPrintable(input), want))
  }
})
