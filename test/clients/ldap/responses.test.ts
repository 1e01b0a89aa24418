// Bytes from a server: cut into messages however they come, and read strictly.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { BerError, elementsOf } from '../../../src/clients/ldap/ber.ts'
import { MessageFramer } from '../../../src/clients/ldap/framer.ts'
import { readResponse } from '../../../src/clients/ldap/responses.ts'
import { element } from '../../../src/x509/der.ts'
import { cpuTime } from '../../fakes/cpu-time.ts'
import { randomFrom } from '../../fakes/random.ts'
import { ldapEntry, ldapMessage, ldapResponse, ldapResult } from '../../fakes/ldap-server.ts'

const BIND = ldapResponse({ messageId: 1, kind: 'bind' }, 0)
const ENTRY = ldapEntry(2, 'uid=alice,ou=people', { uid: ['alice'], Mail: ['a@b', 'c@d'] })
const DONE = ldapResponse({ messageId: 2, kind: 'search' }, 4, 'no more')
const STREAM = Buffer.concat([BIND, ENTRY, DONE])

const withPolicy = (value: Buffer): Buffer =>
  element(
    0x30,
    element(0x02, Buffer.of(1)),
    element(0x61, ldapResult(49)),
    element(
      0xa0,
      element(0x30, element(0x04, Buffer.from('1.2.3')), element(0x01, Buffer.of(0xff))),
      element(0x30, element(0x04, Buffer.from('1.3.6.1.4.1.42.2.27.8.5.1')), element(0x04, value)),
    ),
  )

describe('a stream of messages', () => {
  it('is cut in the same places, however it comes', () => {
    for (let size = 1; size <= STREAM.length; size += 1) {
      const framer = new MessageFramer(1_000)
      const messages: Buffer[] = []
      for (let start = 0; start < STREAM.length; start += size) {
        messages.push(...framer.push(STREAM.subarray(start, start + size)))
      }
      assert.deepEqual(messages, [BIND, ENTRY, DONE])
      assert.equal(framer.held, 0)
    }
  })

  it('is midway while part of a message is there', () => {
    const framer = new MessageFramer(1_000)
    for (const end of [1, 2, 3]) {
      framer.push(BIND.subarray(end - 1, end))
      assert.equal(framer.held, end)
    }
  })

  for (const [name, bytes] of Object.entries({
    'is too large': Buffer.from('30820400', 'hex'),
    'has no definite length': Buffer.from('3080', 'hex'),
    'has a length of nine bytes': Buffer.from('3089', 'hex'),
    'is not LDAP': Buffer.from('GET / HTTP/1.1'),
  })) {
    it(`is refused where a message ${name}`, () => {
      assert.throws(() => new MessageFramer(1_000).push(bytes), BerError)
      assert.throws(() => new MessageFramer(1_000).push(Buffer.concat([BIND, bytes])), BerError)
    })
  }
})

describe('a response', () => {
  it('is read from its BER', () => {
    assert.deepEqual(readResponse(BIND), {
      elements: 6,
      kind: 'result',
      messageId: 1,
      operation: 0x61,
      result: { code: 0, diagnostic: '', policyError: undefined },
    })
    assert.deepEqual(readResponse(DONE), {
      elements: 6,
      kind: 'result',
      messageId: 2,
      operation: 0x65,
      result: { code: 4, diagnostic: 'no more', policyError: undefined },
    })
    const entry = readResponse(ENTRY)
    assert.equal(entry.kind, 'entry')
    assert.equal(entry.entry.dn, 'uid=alice,ou=people')
    assert.deepEqual(
      [...entry.entry.attributes].map(([name, values]) => [name, values.map(String)]),
      [
        ['uid', ['alice']],
        ['mail', ['a@b', 'c@d']],
      ],
    )
    assert.deepEqual(readResponse(ldapMessage(3, 0x73, element(0x04, Buffer.from('ldap://x')))), {
      elements: 3,
      kind: 'reference',
      messageId: 3,
    })
  })

  it('may have lengths as Active Directory writes them', () => {
    const long = Buffer.from('3084000000100201016184000000070a010004000400', 'hex')
    assert.equal(readResponse(long).kind, 'result')
  })

  const POLICY: readonly (readonly [name: string, value: string, want: number | undefined])[] = [
    ['nothing', '3000', undefined],
    ['a warning', '3005a003800105', undefined],
    ['an error', '3003810101', 1],
    ['a warning and an error', '3008a003810105810102', 2],
  ]
  for (const [name, value, want] of POLICY) {
    it(`has a password policy control with ${name}`, () => {
      const response = readResponse(withPolicy(Buffer.from(value, 'hex')))
      assert.equal(response.kind, 'result')
      assert.equal(response.result.policyError, want)
    })
  }

  const WRONG: Readonly<Record<string, Buffer>> = {
    'no operation': element(0x30, element(0x02, Buffer.of(1))),
    'no number': element(0x30, element(0x61, ldapResult(0))),
    'a request for an operation': ldapMessage(1, 0x60, ldapResult(0)),
    'a result without a code': ldapMessage(1, 0x61, element(0x04), element(0x04)),
    'an empty result': ldapMessage(1, 0x61),
    'an entry without attributes': ldapMessage(1, 0x64, element(0x04)),
    'an attribute without values': ldapMessage(
      1,
      0x64,
      element(0x04),
      element(0x30, element(0x30, element(0x04))),
    ),
    'a policy that is none': withPolicy(Buffer.from('ff', 'hex')),
  }
  for (const [name, bytes] of Object.entries(WRONG)) {
    it(`with ${name} is refused`, () => assert.throws(() => readResponse(bytes), BerError))
  }

  it('a response that is damaged is refused or read, at once, and never throws anything else', () => {
    const random = randomFrom(7)
    const whole = [BIND, ENTRY, DONE, withPolicy(Buffer.from('3003810101', 'hex'))] as const
    for (let round = 0; round < 20_000; round += 1) {
      const bytes = Buffer.from(whole[random(whole.length)] ?? BIND)
      for (let changes = random(3); changes > 0; changes -= 1) {
        bytes[random(bytes.length)] = random(256)
      }
      try {
        readResponse(bytes.subarray(0, bytes.length - random(2)))
      } catch (cause) {
        assert.ok(cause instanceof BerError, String(cause))
      }
    }
  })

  it('with 20,000 values is read; one with more elements than that is refused, at once', () => {
    const entry = (values: number): Buffer => {
      const attribute = element(
        0x30,
        element(0x04, Buffer.from('uid')),
        element(0x31, Buffer.from('0400'.repeat(values), 'hex')),
      )
      return ldapMessage(1, 0x64, element(0x04), element(0x30, attribute))
    }
    assert.equal(readResponse(entry(19_990)).elements, 19_998)
    const large = entry(1_900_000)
    const started = cpuTime()
    assert.throws(() => readResponse(large), /more than 20000 elements/)
    assert.ok(cpuTime() - started < 100)
  })

  it('with an entry whose name is very long is refused', () => {
    const long = Buffer.from(`cn=${'x'.repeat(4_096)}`)
    assert.throws(
      () => readResponse(ldapMessage(1, 0x64, element(0x04, long), element(0x30))),
      /a name of more than 4096 bytes/,
    )
  })

  it('has no more than 500 characters of what the server says in words', () => {
    const { kind, ...rest } = readResponse(
      ldapResponse({ messageId: 1, kind: 'bind' }, 49, 'é'.repeat(5_000)),
    )
    assert.equal(kind, 'result')
    assert.ok('result' in rest && rest.result.diagnostic === `${'é'.repeat(500)}…`)
  })

  it('a response that is cut anywhere is refused', () => {
    for (const whole of [BIND, ENTRY, DONE]) {
      for (let end = 0; end < whole.length; end += 1) {
        assert.throws(() => readResponse(whole.subarray(0, end)), BerError)
      }
    }
  })

  it('is made of elements that fill it', () => {
    assert.deepEqual(elementsOf(Buffer.alloc(0)), [])
    assert.throws(() => elementsOf(Buffer.from('0401', 'hex')), BerError)
    assert.throws(() => elementsOf(Buffer.from('04', 'hex')), BerError)
  })
})
