// The credential that the attributes of an Access-Accept yield.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readPacket, type Packet } from '../../../../src/clients/radius/packet.ts'
import { userOf, messageOf } from '../../../../src/authenticate/password/radius/user.ts'
import type {
  AttributeSource,
  RadiusSettings,
} from '../../../../src/authenticate/password/radius/schema.ts'
import type { VerifiedUser } from '../../../../src/authenticate/password/verifier.ts'
import { makeReply, type ReplyOptions } from '../../../fakes/radius-server.ts'

type Attributes = NonNullable<ReplyOptions['attributes']>

const packetWith = (attributes: Attributes): Packet => {
  const reading = readPacket(makeReply(Buffer.alloc(20), { attributes }))
  assert.ok(reading.ok)
  return reading.packet
}

const userIn = (
  attributes: Attributes,
  options: Partial<Pick<RadiusSettings, 'user' | 'groups'>>,
  typed = 'alice',
): VerifiedUser | undefined =>
  userOf(packetWith(attributes), typed, { user: 'as-typed', groups: [], ...options })

const cisco = (value: string): Buffer =>
  Buffer.concat([Buffer.of(0, 0, 0, 9, 1, value.length + 2), Buffer.from(value)])

describe('groups', () => {
  const CASES: readonly {
    name: string
    input: Attributes
    from: readonly AttributeSource[]
    want: readonly string[]
  }[] = [
    {
      name: 'come from Class, each value one',
      input: [
        [25, 'staff'],
        [25, 'dev,ops'],
      ],
      from: [{ attribute: 'Class' }],
      want: ['staff', 'dev,ops'],
    },
    {
      name: 'come from several attributes in their order, each once',
      input: [
        [25, 'b'],
        [11, 'a'],
        [25, 'a'],
      ],
      from: [{ attribute: 'Filter-Id' }, { attribute: 'Class' }],
      want: ['a', 'b'],
    },
    {
      name: 'come from a number',
      input: [[230, 'x']],
      from: [{ attribute: 230 }],
      want: ['x'],
    },
    {
      name: 'come from a vendor’s attribute, by a pattern',
      input: [
        [26, cisco('shell:roles=admin')],
        [26, cisco('shell:priv-lvl=15')],
      ],
      from: [{ attribute: { vendor: 9, type: 1 }, pattern: /^shell:roles=(.*)$/gu }],
      want: ['admin'],
    },
    {
      name: 'come from every match of a pattern with g',
      input: [[25, 'OU=dev;OU=ops;']],
      from: [{ attribute: 'Class', pattern: /OU=([^;]+)/gu }],
      want: ['dev', 'ops'],
    },
    {
      name: 'are what a pattern without groups has matched',
      input: [[25, 'team-dev!']],
      from: [{ attribute: 'Class', pattern: /[a-z-]+/gu }],
      want: ['team-dev'],
    },
    {
      name: 'have a prefix',
      input: [[25, 'staff']],
      from: [{ attribute: 'Class', prefix: 'radius:' }],
      want: ['radius:staff'],
    },
    {
      name: 'are in NFC',
      input: [[25, 'u\u0308ber']],
      from: [{ attribute: 'Class' }],
      want: ['\u00fcber'],
    },
    {
      name: 'are text without control characters, and not empty',
      input: [
        [25, Buffer.of(0xff, 0xfe)],
        [25, 'a\r\nx-user: root'],
        [25, 'a\0'],
        [25, ''],
        [25, 'good'],
      ],
      from: [{ attribute: 'Class' }],
      want: ['good'],
    },
    { name: 'are none by default', input: [[25, 'staff']], from: [], want: [] },
  ]
  for (const { name, input, from, want } of CASES) {
    it(name, () => assert.deepEqual(userIn(input, { groups: from })?.groups, want))
  }
})

describe('the user', () => {
  const REPLY: Attributes = [[1, 'Alice@EXAMPLE']]

  it('is as typed', () => {
    assert.equal(userIn(REPLY, { user: 'as-typed' }, 'ALICE')?.user, 'ALICE')
  })

  it('is the typed name in lower case', () => {
    assert.equal(userIn(REPLY, { user: 'lower-case' }, 'JÜRGEN')?.user, 'jürgen')
  })

  it('is the User-Name of the reply, if there is one', () => {
    assert.equal(userIn(REPLY, { user: 'from-reply' }, 'ALICE')?.user, 'Alice@EXAMPLE')
    assert.equal(userIn([], { user: 'from-reply' }, 'ALICE')?.user, 'ALICE')
  })

  it('is refused when the User-Name of the reply is invalid', () => {
    for (const name of [Buffer.of(0xff), '', 'a\nb', 'a\0']) {
      assert.equal(userIn([[1, name]], { user: 'from-reply' }), undefined)
    }
  })
})

describe('a message', () => {
  const CASES: readonly { name: string; input: Attributes; want: string }[] = [
    { name: 'is empty without a Reply-Message', input: [], want: '' },
    {
      name: 'is the text of one Reply-Message',
      input: [[18, 'Enter the code:']],
      want: 'Enter the code:',
    },
    {
      name: 'has a line for each attribute',
      input: [
        [18, 'one'],
        [18, 'two'],
      ],
      want: 'one\ntwo',
    },
    { name: 'has no control characters', input: [[18, '\u001b[2J\r\nhi\0']], want: '[2J\nhi' },
    { name: 'replaces invalid bytes', input: [[18, Buffer.of(0xff, 65)]], want: '\ufffdA' },
  ]
  for (const { name, input, want } of CASES) {
    it(name, () => assert.equal(messageOf(packetWith(input)), want))
  }
})
