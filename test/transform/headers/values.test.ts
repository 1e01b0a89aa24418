// Values → header lines and back: each receiver reads exactly what was given, or nothing was written.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  ENCODINGS,
  LIST_FORMS,
  type HeaderEncoding,
  type ListForm,
} from '../../../src/transform/schema.ts'
import { headerLines } from '../../../src/transform/headers/values.ts'
import { HOSTILE } from '../../fakes/hostile-text.ts'
import { valuesIn } from '../../fakes/receivers.ts'

const FORMS = LIST_FORMS.flatMap((list) => ENCODINGS.map((encode) => ({ list, encode })))

describe('a value in a header of its own', () => {
  const CASES: readonly {
    readonly name: string
    readonly input: string
    readonly want: Partial<Record<HeaderEncoding, string | undefined>>
  }[] = [
    {
      name: 'plain',
      input: 'alice',
      want: {
        refuse: 'alice',
        utf8: 'alice',
        percent: 'alice',
        rfc8187: "UTF-8''alice",
        'quoted-printable': 'alice',
        base64: 'YWxpY2U=',
      },
    },
    {
      name: 'not ASCII',
      input: 'jürgen',
      want: {
        refuse: undefined,
        utf8: 'jürgen',
        percent: 'j%C3%BCrgen',
        rfc8187: "UTF-8''j%C3%BCrgen",
        'quoted-printable': 'j=C3=BCrgen',
        base64: 'asO8cmdlbg==',
      },
    },
    {
      name: 'of all that is printable',
      input: ` !"#$%&'()*+,-./0:;<=>?@A[\\]^_\`a{|}~`.trimStart(),
      want: {
        refuse: `!"#$%&'()*+,-./0:;<=>?@A[\\]^_\`a{|}~`,
        percent:
          '%21%22%23%24%25%26%27%28%29%2A%2B%2C-.%2F0%3A%3B%3C%3D%3E%3F%40A%5B%5C%5D%5E_%60a%7B%7C%7D~',
        rfc8187:
          "UTF-8''!%22#$%25&%27%28%29%2A+%2C-.%2F0%3A%3B%3C%3D%3E%3F%40A%5B%5C%5D^_`a%7B|%7D~",
        'quoted-printable': `!"#$%&'()*+,-./0:;<=3D>?@A[\\]^_\`a{|}~`,
      },
    },
    {
      name: 'with a space within',
      input: 'a b',
      want: {
        refuse: 'a b',
        utf8: 'a b',
        percent: 'a%20b',
        rfc8187: "UTF-8''a%20b",
        'quoted-printable': 'a b',
      },
    },
    {
      name: 'with spaces at the ends',
      input: '  a  ',
      want: {
        refuse: undefined,
        utf8: undefined,
        percent: '%20%20a%20%20',
        'quoted-printable': '=20 a =20',
      },
    },
    {
      name: 'with a control character',
      input: 'a\r\nb',
      want: {
        refuse: undefined,
        utf8: undefined,
        percent: 'a%0D%0Ab',
        rfc8187: "UTF-8''a%0D%0Ab",
        'quoted-printable': 'a=0D=0Ab',
        base64: 'YQ0KYg==',
      },
    },
    {
      name: 'that is empty',
      input: '',
      want: {
        refuse: undefined,
        utf8: undefined,
        percent: undefined,
        rfc8187: "UTF-8''",
        'quoted-printable': undefined,
        base64: undefined,
      },
    },
  ]
  for (const { name, input, want } of CASES) {
    for (const encode of ENCODINGS.filter((one) => one in want)) {
      it(`is encoded for a header: ${name}: ${encode}`, () => {
        const line = want[encode]
        const lines = headerLines([input], { list: 'lines', encode })
        assert.deepEqual(lines, line === undefined ? undefined : [line])
      })
    }
  }
})

describe('several values', () => {
  const CASES: readonly {
    readonly name: string
    readonly input: readonly string[]
    readonly form: { readonly list: ListForm; readonly encode: HeaderEncoding }
    readonly want: readonly string[] | undefined
  }[] = [
    {
      name: 'are a line each, in order',
      input: ['ops', 'dev', 'ops'],
      form: { list: 'lines', encode: 'refuse' },
      want: ['ops', 'dev', 'ops'],
    },
    {
      name: 'are all refused for one of them',
      input: ['ops', 'größe'],
      form: { list: 'lines', encode: 'refuse' },
      want: undefined,
    },
    {
      name: 'are one line with commas',
      input: ['ops', 'dev team'],
      form: { list: 'comma', encode: 'refuse' },
      want: ['ops,dev team'],
    },
    {
      name: 'with a comma are encoded one by one, where that hides it',
      input: ['a,b', 'c'],
      form: { list: 'comma', encode: 'percent' },
      want: ['a%2Cb,c'],
    },
    {
      name: 'with a comma are refused where receivers decode before they split',
      input: ['a,b', 'c'],
      form: { list: 'comma', encode: 'quoted-printable' },
      want: undefined,
    },
    {
      name: 'that are quoted-printable are encoded between the commas',
      input: ['größe', 'a=b'],
      form: { list: 'comma', encode: 'quoted-printable' },
      want: ['gr=C3=B6=C3=9Fe,a=3Db'],
    },
    {
      name: 'are ext-values with commas between them',
      input: ['', 'ö'],
      form: { list: 'comma', encode: 'rfc8187' },
      want: ["UTF-8'',UTF-8''%C3%B6"],
    },
    {
      name: 'are a JSON array in ASCII',
      input: ['größe', '😀', '"\\', '\u007f\u2028', ''],
      form: { list: 'json', encode: 'refuse' },
      want: [String.raw`["gr\u00f6\u00dfe","\ud83d\ude00","\"\\","\u007f\u2028",""]`],
    },
    {
      name: 'are a JSON array that quoted-printable does not change',
      input: ['a=b', 'ö'],
      form: { list: 'json', encode: 'quoted-printable' },
      want: [String.raw`["a\u003db","\u00f6"]`],
    },
    {
      name: 'are a JSON array, encoded as a whole',
      input: ['a'],
      form: { list: 'json', encode: 'percent' },
      want: ['%5B%22a%22%5D'],
    },
  ]
  for (const { name, input, form, want } of CASES) {
    it(`${name} (${form.list}, ${form.encode})`, () =>
      assert.deepEqual(headerLines(input, form), want))
  }

  it('values that are empty make no line', () => {
    for (const form of FORMS) assert.deepEqual(headerLines([], form), [])
  })
})

describe('hostile values', () => {
  for (const form of FORMS) {
    it(`are read as they are, or not written (${form.list}, ${form.encode})`, () => {
      for (const [name, value] of Object.entries(HOSTILE)) {
        for (const values of [[value], [value, 'b'], ['a', value], [value, value]]) {
          const lines = headerLines(values, form)
          if (lines === undefined) continue
          assert.equal(lines.length, form.list === 'lines' ? values.length : 1, name)
          assert.deepEqual(valuesIn(lines, form), values, name)
        }
      }
    })
  }

  // Or refusing everything would do.
  const LONE = ['a lone high surrogate', 'a lone low surrogate', 'surrogates the wrong way round']
  const TOO_LONG = ['100 KB, not ASCII', 'what does not fit into it']
  const CASES: readonly {
    readonly form: { readonly list: ListForm; readonly encode: HeaderEncoding }
    readonly refused: readonly string[]
  }[] = [
    { form: { list: 'lines', encode: 'percent' }, refused: [...LONE, 'nothing'] },
    { form: { list: 'lines', encode: 'base64' }, refused: [...LONE, 'nothing'] },
    { form: { list: 'lines', encode: 'rfc8187' }, refused: LONE },
    { form: { list: 'comma', encode: 'percent' }, refused: [...LONE, 'nothing'] },
    {
      form: { list: 'lines', encode: 'quoted-printable' },
      refused: [...LONE, ...TOO_LONG, 'nothing'],
    },
    ...ENCODINGS.map((encode) => ({ form: { list: 'json', encode } as const, refused: LONE })),
  ]
  for (const { form, refused } of CASES) {
    it(`are written, except for what cannot be (${form.list}, ${form.encode})`, () => {
      const names = Object.entries(HOSTILE).flatMap(([name, value]) =>
        headerLines([value], form) === undefined ? [name] : [],
      )
      assert.deepEqual(names.toSorted(), refused.toSorted())
    })
  }
})
