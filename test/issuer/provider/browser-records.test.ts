// What a browser keeps for us before anything is proven: sealed, for one id, for its time, within bounds.

import assert from 'node:assert/strict'
import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { describe, it } from 'node:test'
import { errors } from 'oidc-provider'
import {
  BrowserRecords,
  isBrowserKept,
  type BrowserKept,
} from '../../../src/issuer/provider/browser-records.ts'
import { DerivedKeys } from '../../../src/state/derived-keys.ts'
import { FakeClock } from '../../fakes/clock.ts'

const ISSUER = 'https://id.example.org'
const MINUTE = 60_000

type Cookies = ReadonlyMap<string, string>

/** Records, and requests that show cookies and take those that are set. */
const made = (issuer = ISSUER, secret = 7) => {
  const clock = new FakeClock()
  const records = new BrowserRecords(issuer, new DerivedKeys(Buffer.alloc(32, secret)), clock)
  const visit = async (cookies: Cookies | string, act: () => void) => {
    const request = new IncomingMessage(new Socket())
    const header =
      typeof cookies === 'string'
        ? cookies
        : [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    if (header !== '') request.headers.cookie = header
    const response = new ServerResponse(request)
    await records.within(request, response, async () => act())
    const lines = [response.getHeader('set-cookie') ?? []].flat().map(String)
    return { lines, cookies: after(typeof cookies === 'string' ? new Map() : cookies, lines) }
  }
  const keep = async (
    text: string,
    { kind = 'Interaction', id = 'one', lifetime = MINUTE, cookies = new Map() }: Keeping = {},
  ) => await visit(cookies, () => records.keep(kind, id, text, lifetime))
  const find = async (
    cookies: Cookies | string,
    id = 'one',
    kind: BrowserKept = 'Interaction',
  ): Promise<string | undefined> => {
    let found: string | undefined
    await visit(cookies, () => {
      found = records.find(kind, id)
    })
    return found
  }
  return { clock, records, visit, keep, find }
}

interface Keeping {
  readonly kind?: BrowserKept
  readonly id?: string
  readonly lifetime?: number
  readonly cookies?: Cookies
}

const after = (before: Cookies, lines: readonly string[]): Cookies => {
  const cookies = new Map(before)
  for (const line of lines) {
    const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
    if (value === '') cookies.delete(name)
    else cookies.set(name, value)
  }
  return cookies
}

describe('a record that a browser keeps in cookies', () => {
  it('is an interaction or a session, and no other kind', () => {
    assert.deepEqual(
      ['Interaction', 'Session', 'DeviceCode', 'Grant', 'toString'].filter(isBrowserKept),
      ['Interaction', 'Session'],
    )
  })

  it('is found by its id, at any replica', async () => {
    const { keep, find } = made()
    const { cookies } = await keep('{"a":"ü"}')
    assert.equal(await find(cookies), '{"a":"ü"}')
    assert.equal(await made().find(cookies), '{"a":"ü"}')
  })

  it('is not found by another id, as another kind, or with another secret', async () => {
    const { keep, find } = made()
    const { cookies } = await keep('text')
    assert.equal(await find(cookies, 'two'), undefined)
    const asSession = [...cookies].map(([name, value]) => [
      name.replace('__Secure-countersign-request', '__Host-countersign-visitor'),
      value,
    ])
    assert.equal(asSession.length, 1)
    const header = asSession.map((pair) => pair.join('=')).join('; ')
    assert.equal(await find(header, 'one', 'Session'), undefined)
    assert.equal(await made(ISSUER, 8).find(cookies), undefined)
  })

  it('is not found without its cookie, or with a changed one', async () => {
    const { keep, find } = made()
    const { cookies } = await keep('text')
    assert.equal(await find(new Map()), undefined)
    for (const [name, value] of cookies) {
      const changed = `${value.slice(0, -2)}${value.at(-2) === 'A' ? 'B' : 'A'}${value.at(-1)}`
      assert.equal(await find(new Map([[name, changed]])), undefined)
      assert.equal(await find(new Map([[name, '']])), undefined)
      // Two of the name: one was planted by a sibling host.
      assert.equal(await find(`${name}=planted; ${name}=${value}`), undefined)
    }
  })

  it('ends at its time, even if the browser keeps the cookie', async () => {
    const { clock, keep, find } = made()
    const { cookies, lines } = await keep('text', { lifetime: MINUTE })
    assert.match(lines.join('\n'), /; Max-Age=60;/)
    clock.advance(MINUTE - 1)
    assert.equal(await find(cookies), 'text')
    clock.advance(1)
    assert.equal(await find(cookies), undefined)
  })

  it('is sent to the pages of its login alone; of a session, to this host alone', async () => {
    const { keep } = made()
    assert.match(
      (await keep('text')).lines.join('\n'),
      /^__Secure-countersign-request-0=[\w-]+; Max-Age=60; Path=\/login\/one; Secure; HttpOnly; SameSite=Lax$/,
    )
    assert.match(
      (await keep('text', { kind: 'Session' })).lines.join('\n'),
      /^__Host-countersign-visitor-0=[\w-]+; Max-Age=60; Path=\/; Secure; HttpOnly; SameSite=Lax$/,
    )
    assert.match(
      (await made('http://localhost:8000').keep('text')).lines.join('\n'),
      /^countersign-request-0=[\w-]+; Max-Age=60; Path=\/login\/one; HttpOnly; SameSite=Lax$/,
    )
  })

  it('takes several cookies where it is long, each of at most 4,096 bytes, and a bounded number', async () => {
    const { keep, find } = made()
    for (const [kind, most] of [
      ['Interaction', 4],
      ['Session', 2],
    ] as const) {
      const longest = 'x'.repeat(most * 2_850 - 100)
      const { cookies } = await keep(longest, { kind })
      assert.equal(cookies.size, most)
      for (const [name, value] of cookies) assert.ok(name.length + value.length <= 4_096)
      assert.equal(await find(cookies, 'one', kind), longest)
      await assert.rejects(keep(`${longest}${'x'.repeat(100)}`, { kind }), errors.InvalidRequest)
      // A part that is missing, or in the place of another.
      const [first = '', second = '', ...rest] = cookies.values()
      const names = [...cookies.keys()]
      const changed = new Map(
        [second, first, ...rest].map((value, index) => [names[index] ?? '', value]),
      )
      assert.equal(await find(changed, 'one', kind), undefined)
      assert.equal(await find(new Map([...cookies].slice(0, -1)), 'one', kind), undefined)
    }
  })

  it('deletes the cookies that it does not need any longer', async () => {
    const { keep, find } = made()
    const { cookies } = await keep('x'.repeat(6_000))
    assert.ok(cookies.size > 1)
    const shorter = await keep('short', { cookies })
    assert.equal(shorter.cookies.size, 1)
    assert.equal(await find(shorter.cookies), 'short')
  })

  it('can be deleted, also before the browser received it', async () => {
    const { records, visit, keep } = made()
    const { cookies } = await keep('text')
    assert.equal((await visit(cookies, () => records.drop('Interaction', 'one'))).cookies.size, 0)
    assert.deepEqual((await visit(new Map(), () => records.drop('Session', 'one'))).lines, [])
    const both = await visit(new Map(), () => {
      records.keep('Session', 'one', 'text', MINUTE)
      assert.equal(records.find('Session', 'one'), 'text')
      records.drop('Session', 'one')
      assert.equal(records.find('Session', 'one'), undefined)
    })
    assert.equal(both.cookies.size, 0)
  })

  it('is sent once, as it was written last, and leaves other cookies unchanged', async () => {
    const { records, keep } = made()
    const { cookies } = await keep('first')
    const request = new IncomingMessage(new Socket())
    const response = new ServerResponse(request)
    response.setHeader('set-cookie', ['other=1; Path=/'])
    await records.within(request, response, async () => {
      for (const text of ['second', 'third']) records.keep('Interaction', 'one', text, MINUTE)
    })
    const lines = [response.getHeader('set-cookie') ?? []].flat().map(String)
    assert.deepEqual(
      lines.map((line) => line.split('=', 1)[0]),
      ['other', ...cookies.keys()],
    )
    assert.equal(await made().find(after(new Map(), lines)), 'third')
  })

  it('does not exist outside of a request', () => {
    const { records } = made()
    assert.equal(records.find('Session', 'one'), undefined)
    records.drop('Session', 'one')
    assert.throws(() => records.keep('Session', 'one', 'text', MINUTE), TypeError)
  })
})
