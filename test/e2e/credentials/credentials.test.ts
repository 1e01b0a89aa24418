import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Reason } from '../../../src/audit/event.ts'
import { valuesOf, type HeaderLine } from '../../servers/client.ts'
import { skipWithoutEnvoy } from '../../servers/envoy.ts'
import { sendRaw } from '../../servers/raw-client.ts'
import { ALICE, basic, HOST, PASSWORDS, received, startSite, type Site } from '../site.ts'

const encoded = (pair: string | Buffer): string => Buffer.from(pair).toString('base64')
const authorization = (value: string): readonly HeaderLine[] => [['Authorization', value]]
const utf8 = (text: string): string => Buffer.from(text).toString('latin1')

interface Case {
  readonly name: string
  readonly headers: readonly HeaderLine[]
  readonly status: number
  /** The reason in the audit event; absent where Envoy refuses before it asks. */
  readonly reason?: Reason
}

const FORWARDED: readonly (Case & { readonly user: string })[] = [
  {
    name: 'a password hashed by argon2id',
    headers: [ALICE],
    status: 200,
    reason: 'permitted',
    user: 'alice',
  },
  {
    name: 'a password hashed by bcrypt',
    headers: [basic('bob', PASSWORDS.bob)],
    status: 200,
    reason: 'permitted',
    user: 'bob',
  },
  {
    name: 'a user and a password beyond ASCII, decomposed (RFC 7617 §2.1)',
    headers: [basic('jürgen'.normalize('NFD'), PASSWORDS.jürgen.normalize('NFD'))],
    status: 200,
    reason: 'permitted',
    user: utf8('jürgen'),
  },
  {
    name: 'the scheme in another case (RFC 9110 §11.1)',
    headers: authorization(`bAsIc ${encoded(`alice:${PASSWORDS.alice}`)}`),
    status: 200,
    reason: 'permitted',
    user: 'alice',
  },
]

const MALFORMED: readonly (readonly [name: string, value: string])[] = [
  ['no credentials behind the scheme', 'Basic'],
  ['bad base64', 'Basic !!!!'],
  ['base64 without its padding', `Basic ${encoded('alice:wonderland!').replace(/=+$/, '')}`],
  ['base64 with stray bits', 'Basic YWxpY2U6d29uZGVybGFuZF=='],
  ['base64url', `Basic ${Buffer.from('alice:ÿÿÿ>>>').toString('base64url')}`],
  ['no colon', `Basic ${encoded('alice')}`],
  ['no user', `Basic ${encoded(':wonderland')}`],
  ['an empty password', `Basic ${encoded('alice:')}`],
  ['a NUL in the password', `Basic ${encoded('alice:wonderland\0')}`],
  ['a line feed in the user', `Basic ${encoded('ali\nce:wonderland')}`],
  ['bytes that are not UTF-8', `Basic ${encoded(Buffer.from([0x61, 0x3a, 0xff, 0xfe]))}`],
  [
    'two credentials in one line',
    `Basic ${encoded('alice:wonderland')}, Basic ${encoded('bob:x')}`,
  ],
  ['bytes above ASCII in the header itself', 'Basic \xff\xfe'],
  ['5 KB of base64', `Basic ${encoded(`alice:${'x'.repeat(5_000)}`)}`],
]

const REFUSED: readonly Case[] = [
  { name: 'a missing credential', headers: [], status: 401, reason: 'credential-missing' },
  {
    name: 'a wrong password',
    headers: [basic('alice', 'guess')],
    status: 401,
    reason: 'credential-wrong',
  },
  {
    name: 'an unknown user',
    headers: [basic('nobody', 'guess')],
    status: 401,
    reason: 'user-unknown',
  },
  {
    name: 'another scheme, which this route does not accept',
    headers: authorization('Bearer abc'),
    status: 401,
    reason: 'credential-unsupported',
  },
  {
    name: 'a user in system:masters, which the configuration does not allow',
    headers: [basic('mallory', PASSWORDS.mallory)],
    status: 403,
    reason: 'identity-reserved',
  },
  ...MALFORMED.map(([name, value]): Case => ({
    name: `malformed: ${name}`,
    headers: authorization(value),
    status: 401,
    reason: 'credential-malformed',
  })),
  {
    name: 'two Authorization lines, the first one right',
    headers: [ALICE, basic('bob', 'x')],
    status: 401,
    reason: 'credential-malformed', // Envoy joins them with a comma
  },
  {
    name: 'the same Authorization line twice',
    headers: [ALICE, ALICE],
    status: 401,
    reason: 'credential-malformed',
  },
]

const BY_ENVOY: readonly Case[] = [
  { name: 'a NUL in the header line', headers: authorization('Basic \0'), status: 400 },
  { name: 'a header of 64 KB', headers: authorization(`Basic ${'A'.repeat(65_536)}`), status: 431 },
]

describe('credentials through Envoy', { skip: skipWithoutEnvoy() }, () => {
  let site: Site
  before(async () => (site = await startSite()))
  after(() => site[Symbol.asyncDispose]())

  for (const { name, headers, status, reason, user } of FORWARDED) {
    it(`forwards: ${name}`, async () => {
      const answer = await sendRaw(site.target, { headers: [['Host', HOST], ...headers] })
      assert.equal(answer.status, status)
      assert.deepEqual(received(answer, 'x-remote-user'), [user])
      assert.deepEqual(received(answer, 'authorization'), [])
      assert.equal((await site.events()).at(-1)?.reason, reason)
    })
  }

  for (const { name, headers, status, reason } of REFUSED) {
    it(`refuses ${name}`, async () => {
      site.upstream.clear()
      const earlier = (await site.events()).length
      const answer = await sendRaw(site.target, { headers: [['Host', HOST], ...headers] })
      assert.equal(answer.status, status)
      assert.equal(site.upstream.requests.length, 0)
      const events = (await site.events()).slice(earlier)
      assert.deepEqual(
        events.map((event) => [event.reason, event.decision]),
        [[reason, 'deny']],
      )
      assert.deepEqual(valuesOf(answer, 'x-countersign-decision'), [events[0]?.id])
      const challenges = status === 401 ? ['Basic realm="Site", charset="UTF-8"'] : []
      assert.deepEqual(valuesOf(answer, 'www-authenticate'), challenges)
    })
  }

  for (const { name, headers, status } of BY_ENVOY) {
    it(`lets Envoy refuse ${name}`, async () => {
      site.upstream.clear()
      const earlier = (await site.events()).length
      const answer = await sendRaw(site.target, { headers: [['Host', HOST], ...headers] })
      assert.equal(answer.status, status)
      assert.equal(site.upstream.requests.length, 0)
      assert.equal((await site.events()).length, earlier)
    })
  }

  it('does not distinguish a wrong password from an unknown user', async () => {
    const bodies = await Promise.all(
      [basic('alice', 'guess'), basic('nobody', 'guess')].map(async (line) => {
        const answer = await sendRaw(site.target, { headers: [['Host', HOST], line] })
        const names = answer.headers.map(([name]) => name).filter((name) => name !== 'date')
        return [answer.status, names, answer.body.replace(/Decision: .*/, '')]
      }),
    )
    assert.deepEqual(bodies[0], bodies[1])
  })
})
