// A server that answers wrongly, with or without intent: only a well-formed success verifies a user, and otherwise the
// next server is queried.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { LdapVerifier } from '../../../../src/authenticate/password/ldap/verifier.ts'
import type { LdapSettings } from '../../../../src/authenticate/password/ldap/schema.ts'
import type { Verification } from '../../../../src/authenticate/password/verifier.ts'
import { element } from '../../../../src/x509/der.ts'
import { CALLER } from '../../../fakes/caller.ts'
import {
  ldapEntry,
  ldapMessage,
  ldapResponse,
  ldapResult,
  startLdapServer,
  type LdapAnswer,
  type LdapRequest,
  type LdapServer,
} from '../../../fakes/ldap-server.ts'
import { causeOf } from './settings.ts'
import { ALICE, answerBind, assertSilent, found, settingsFor, verifyAlice } from './scripted.ts'

type LdapRequestAnswer = (request: LdapRequest) => LdapAnswer

describe('an answer to a bind', () => {
  it('an answer to a bind that is a success verifies the user', async () =>
    assert.equal(
      (await verifyAlice(answerBind((request) => ldapResponse(request, 0)))).outcome,
      'verified',
    ))

  const WRONG: readonly {
    readonly name: string
    readonly answer: (request: LdapRequest) => LdapAnswer
    readonly want: string
  }[] = [
    {
      name: 'without content',
      answer: (request) => ldapMessage(request.messageId, 0x61),
      want: 'malformed',
    },
    {
      name: 'with an empty result code',
      answer: (request) =>
        ldapMessage(request.messageId, 0x61, element(0x0a), element(0x04), element(0x04)),
      want: 'malformed',
    },
    {
      name: 'with a boolean for a result code',
      answer: (request) =>
        ldapMessage(
          request.messageId,
          0x61,
          element(0x01, Buffer.of(0)),
          element(0x04),
          element(0x04),
        ),
      want: 'malformed',
    },
    {
      name: 'with a result code alone',
      answer: (request) => ldapMessage(request.messageId, 0x61, element(0x0a, Buffer.of(0))),
      want: 'malformed',
    },
    {
      name: 'with a large number, cut to a byte 0',
      answer: (request) =>
        ldapMessage(
          request.messageId,
          0x61,
          element(0x0a, Buffer.of(1, 0)),
          element(0x04),
          element(0x04),
        ),
      want: 'answered',
    },
    {
      name: 'that is SearchResultDone',
      answer: (request) => ldapMessage(request.messageId, 0x65, ldapResult(0)),
      want: 'malformed',
    },
    {
      name: 'that is an extended response',
      answer: (request) => ldapMessage(request.messageId, 0x78, ldapResult(0)),
      want: 'malformed',
    },
    {
      name: 'that is SearchResultEntry',
      answer: (request) => Buffer.concat([found(request)]),
      want: 'malformed',
    },
    {
      name: 'to another message ID',
      answer: (request) => ldapMessage(request.messageId + 1, 0x61, ldapResult(0)),
      want: 'malformed',
    },
    {
      name: 'to message ID 0, with success',
      answer: () => ldapMessage(0, 0x61, ldapResult(0)),
      want: 'closed',
    },
    {
      name: 'that is a notice of disconnection',
      answer: () => ldapMessage(0, 0x78, ldapResult(52, 'going down')),
      want: 'closed',
    },
    {
      name: 'with a malformed control',
      answer: (request) =>
        element(
          0x30,
          element(0x02, Buffer.of(request.messageId)),
          element(0x61, ldapResult(0)),
          element(0xa0, Buffer.from('nonsense')),
        ),
      want: 'malformed',
    },
    {
      name: 'that is not LDAP',
      answer: () => Buffer.from('HTTP/1.1 200 OK\r\n\r\n'),
      want: 'malformed',
    },
    { name: 'of 2 GiB', answer: () => Buffer.from('308480000000', 'hex'), want: 'malformed' },
    { name: 'of no definite length', answer: () => Buffer.from('3080', 'hex'), want: 'malformed' },
    { name: 'that never ends', answer: () => Buffer.from('30820100', 'hex'), want: 'timeout' },
    { name: 'that never comes', answer: () => undefined, want: 'timeout' },
    { name: 'that is the end of the connection', answer: () => 'end', want: 'closed' },
    {
      name: 'that is a referral',
      answer: (request) => ldapResponse(request, 10, 'ldap://elsewhere'),
      want: 'answered',
    },
    {
      name: 'that continues SASL',
      answer: (request) => ldapResponse(request, 14),
      want: 'answered',
    },
    {
      name: 'that is unwillingToPerform',
      answer: (request) => ldapResponse(request, 53),
      want: 'answered',
    },
    { name: 'that is busy', answer: (request) => ldapResponse(request, 51), want: 'busy' },
  ]
  for (const { name, answer, want } of WRONG) {
    it(`${name} does not verify the user`, async () => {
      const verification = await verifyAlice(answerBind(answer))
      assert.equal(causeOf(verification).failure, want, causeOf(verification).message)
      assertSilent(verification)
    })
  }

  const diagnostic = (data: string): string =>
    `80090308: LdapErr: DSID-0C09050F, comment: AcceptSecurityContext error, data ${data}, v4563\0`
  const SUB_CODES: Readonly<Record<string, Verification>> = {
    '525': { outcome: 'unknown-user' },
    '52e': { outcome: 'wrong-password' },
    '52E': { outcome: 'wrong-password' },
    '530': { outcome: 'barred', code: 'user-restricted' },
    '531': { outcome: 'barred', code: 'user-restricted' },
    '532': { outcome: 'barred', code: 'password-expired' },
    '533': { outcome: 'barred', code: 'user-disabled' },
    '701': { outcome: 'barred', code: 'user-expired' },
    '773': { outcome: 'barred', code: 'password-must-change' },
    '775': { outcome: 'barred', code: 'user-locked' },
    '9999': { outcome: 'wrong-password' },
  }
  for (const [code, want] of Object.entries(SUB_CODES)) {
    it(`with the sub-code ${code} of Windows, is ${want.outcome}`, async () => {
      const answer = answerBind((request) => ldapResponse(request, 49, diagnostic(code)))
      assert.deepEqual(await verifyAlice(answer), want)
    })
  }

  it('an answer to a bind that succeeds is a success whatever its diagnostic message is', async () => {
    const answer = answerBind((request) => ldapResponse(request, 0, diagnostic('775')))
    assert.equal((await verifyAlice(answer)).outcome, 'verified')
  })
})

describe('StartTLS', () => {
  const withTls = (server: LdapServer): LdapSettings => ({
    ...settingsFor([server]),
    startTls: true,
  })
  const START_TLS_ANSWERS: readonly {
    readonly name: string
    readonly answer: LdapRequestAnswer
  }[] = [
    { name: 'refused', answer: (request) => ldapResponse(request, 53) },
    { name: 'unknown', answer: (request) => ldapResponse(request, 2) },
    {
      name: 'followed by an answer to the bind that comes next',
      answer: (request) =>
        Buffer.concat([ldapResponse(request, 0), ldapResponse({ messageId: 1, kind: 'bind' }, 0)]),
    },
    {
      name: 'followed by the beginning of one',
      answer: (request) =>
        Buffer.concat([
          ldapResponse(request, 0),
          ldapResponse({ messageId: 1, kind: 'bind' }, 0).subarray(0, -1),
        ]),
    },
    { name: 'without an answer', answer: () => undefined },
    { name: 'followed by the end of the connection', answer: () => 'end' },
  ]
  for (const { name, answer } of START_TLS_ANSWERS) {
    it(`StartTLS that is ${name} is not followed by a bind without TLS`, async () => {
      await using server = await startLdapServer((request) =>
        request.kind === 'start-tls' ? answer(request) : ldapResponse(request, 0),
      )
      using verifier = new LdapVerifier({
        ...withTls(server),
        connectTimeout: 300,
      })
      const verification = await verifier.verify('alice', ALICE.password, CALLER)
      assert.equal(verification.outcome, 'unavailable')
      assert.deepEqual(server.binds, [])
    })
  }
})

describe('two servers, of which the first', () => {
  const good = answerBind((request) => ldapResponse(request, 0))
  const FIRST: Readonly<Record<string, LdapRequestAnswer>> = {
    'is busy at the bind': answerBind((request) => ldapResponse(request, 51)),
    'is busy at the search': (request) => ldapResponse(request, request.kind === 'search' ? 52 : 0),
    'does not know the service account': (request) => ldapResponse(request, 49),
    'closes each connection': () => 'end',
    'talks nonsense': () => Buffer.from('nonsense'),
  }
  for (const [name, answer] of Object.entries(FIRST)) {
    it(`${name}: the second is queried`, async () => {
      await using first = await startLdapServer(answer)
      await using second = await startLdapServer(good)
      using verifier = new LdapVerifier(settingsFor([first, second]))
      const verification = await verifier.verify('alice', ALICE.password, CALLER)
      assert.equal(verification.outcome, 'verified')
    })
  }

  it('rejects the password: the second is not queried', async () => {
    await using first = await startLdapServer(answerBind((request) => ldapResponse(request, 49)))
    await using second = await startLdapServer(good)
    using verifier = new LdapVerifier(settingsFor([first, second]))
    const verification = await verifier.verify('alice', ALICE.password, CALLER)
    assert.deepEqual(verification, { outcome: 'wrong-password' })
    assert.deepEqual(second.binds, [])
  })
})

describe('a DN of a group with more than 4,096 characters or 64 commas', () => {
  it('makes the user unavailable', async () => {
    const memberOf = `${'cn=a,'.repeat(200_000)}dc=x`
    await using server = await startLdapServer((request) => {
      if (request.kind === 'bind') return ldapResponse(request, 0)
      return Buffer.concat([
        ldapEntry(request.messageId, ALICE.dn, { uid: ['alice'], memberOf: [memberOf] }),
        ldapResponse(request, 0),
      ])
    })
    const groups = { attribute: { name: 'memberOf', nested: 0 }, limit: 500, subtree: 'dc=x' }
    using verifier = new LdapVerifier({ ...settingsFor([server]), groups })
    const { failure, message } = causeOf(await verifier.verify('alice', ALICE.password, CALLER))
    assert.equal(failure, 'groups-unusable')
    assert.match(message, /a group of alice has a name that is too long: cn=a,.{95}…$/)
  })
})
