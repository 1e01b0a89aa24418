// The server that receives the response of the browser: any program of this machine may send it requests.

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { request, type IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { describe, it } from 'node:test'
import { startLoopback } from '../../../../src/cli/login/browser/loopback.ts'

const NEVER = new AbortController().signal
const STATE = 'the-state-of-this-login'

interface RequestOptions {
  readonly method?: string
  readonly host?: string
  readonly body?: string
}

const ask = async (url: string, { method = 'GET', host, body }: RequestOptions = {}) => {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  const headers = host === undefined ? {} : { host }
  request(url, { method, headers, agent: false }, resolve).on('error', reject).end(body)
  const response = await promise
  return { status: response.statusCode ?? 0, headers: response.headers, body: await text(response) }
}

describe('the redirect of a browser to the loopback address', { concurrency: true }, () => {
  it('is accepted on 127.0.0.1 only, and once', async () => {
    await using loopback = await startLoopback(0)
    assert.match(loopback.redirectUri, /^http:\/\/127\.0\.0\.1:\d+\/callback$/)
    const taken: string[] = []
    const waiting = loopback.answer(
      {
        state: STATE,
        take: async ({ search }) => {
          taken.push(search)
          return 'done'
        },
      },
      NEVER,
    )
    const answer = `${loopback.redirectUri}?code=c&state=${STATE}`
    const [first, second] = await Promise.all([ask(answer), ask(answer)])
    assert.equal(await waiting, 'done')
    assert.deepEqual(new Set([first.status, second.status]), new Set([200, 410]))
    assert.deepEqual(taken, [`?code=c&state=${STATE}`])
  })

  it('gets a static page without the parameters', async () => {
    await using loopback = await startLoopback(0)
    void loopback.answer({ state: STATE, take: async () => 1 }, NEVER)
    const { headers, body } = await ask(`${loopback.redirectUri}?code=%3Cscript%3E&state=${STATE}`)
    assert.equal(headers['content-type'], 'text/html; charset=utf-8')
    assert.match(String(headers['content-security-policy']), /^default-src 'none'; /)
    assert.equal(headers['cache-control'], 'no-store')
    assert.equal(headers['referrer-policy'], 'no-referrer')
    assert.doesNotMatch(body, /script|style=|src=|href=|url\(|@import/)
    const [, style = ''] = /<style>([^]*)<\/style>/.exec(body) ?? []
    const hash = createHash('sha256').update(style).digest('base64')
    const policy = String(headers['content-security-policy'])
    assert.ok(policy.includes(`; style-src 'sha256-${hash}';`), policy)
    assert.match(body, /You may close this page/)
  })

  it('gets a page without the reason where the login failed', async () => {
    await using loopback = await startLoopback(0)
    const waiting = loopback.answer(
      { state: STATE, take: async () => Promise.reject(new Error('the reason')) },
      NEVER,
    )
    const failed = assert.rejects(waiting, { message: 'the reason' })
    const { status, body } = await ask(`${loopback.redirectUri}?state=${STATE}`)
    await failed
    assert.equal(status, 400)
    assert.doesNotMatch(body, /the reason/)
  })

  const STRANGE: readonly { name: string; path: string; options?: RequestOptions; want: number }[] =
    [
      { name: 'a request for an icon', path: '/favicon.ico', want: 404 },
      { name: 'a request for /', path: '/', want: 404 },
      { name: 'a longer path', path: `/callback/x?state=${STATE}`, want: 404 },
      { name: 'another spelling of the path', path: `/%63allback?state=${STATE}`, want: 404 },
      {
        name: 'a request for the URL of another host',
        path: `//evil.example.org/callback?state=${STATE}`,
        want: 404,
      },
      { name: 'a redirect without state', path: '/callback?code=c', want: 400 },
      { name: 'a redirect with another state', path: '/callback?code=c&state=another', want: 400 },
      {
        name: 'a redirect with the beginning of the state',
        path: `/callback?state=${STATE.slice(0, -1)}`,
        want: 400,
      },
      {
        name: 'a redirect with two states',
        path: `/callback?state=${STATE}&state=another`,
        want: 400,
      },
      { name: 'an error without the state', path: '/callback?error=access_denied', want: 400 },
      {
        name: 'a POST',
        path: `/callback?state=${STATE}`,
        options: { method: 'POST', body: 'x' },
        want: 405,
      },
      { name: 'a HEAD', path: `/callback?state=${STATE}`, options: { method: 'HEAD' }, want: 405 },
      {
        name: 'a request for another name of 127.0.0.1 (DNS rebinding)',
        path: `/callback?state=${STATE}`,
        options: { host: 'evil.example.org' },
        want: 400,
      },
      {
        name: 'a request for another name of this machine',
        path: `/callback?state=${STATE}`,
        options: { host: 'localhost' },
        want: 400,
      },
    ]
  for (const { name, path, options, want } of STRANGE) {
    it(`is not ${name}, which changes nothing`, async () => {
      await using loopback = await startLoopback(0)
      const waiting = loopback.answer({ state: STATE, take: async () => 'done' }, NEVER)
      const { origin } = new URL(loopback.redirectUri)
      assert.equal((await ask(`${origin}${path}`, options)).status, want)
      assert.equal((await ask(`${loopback.redirectUri}?state=${STATE}`)).status, 200)
      assert.equal(await waiting, 'done')
    })
  }

  it('is refused before the wait begins', async () => {
    await using loopback = await startLoopback(0)
    assert.equal((await ask(`${loopback.redirectUri}?state=`)).status, 404)
  })

  it('is waited for until the signal aborts', async () => {
    await using loopback = await startLoopback(0)
    const awaited = { state: STATE, take: async () => 1 }
    const reason = new Error('over')
    await assert.rejects(loopback.answer(awaited, AbortSignal.abort(reason)), reason)
    await assert.rejects(loopback.answer(awaited, AbortSignal.timeout(20)), {
      name: 'TimeoutError',
    })
  })

  it('is accepted although the browser has disconnected', async () => {
    await using loopback = await startLoopback(0)
    const { promise: gone, resolve } = Promise.withResolvers<void>()
    const take = async (): Promise<string> => {
      socket.destroy()
      await gone
      return 'done'
    }
    const waiting = loopback.answer({ state: STATE, take }, NEVER)
    const { port, pathname } = new URL(loopback.redirectUri)
    const socket = connect(Number(port), '127.0.0.1')
    socket.write(`GET ${pathname}?state=${STATE} HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\n\r\n`)
    socket.once('close', () => setTimeout(resolve, 50))
    assert.equal(await waiting, 'done')
  })

  it('fails with the port where it is in use', async () => {
    await using other = await startLoopback(0)
    const port = Number(new URL(other.redirectUri).port)
    await assert.rejects(startLoopback(port), {
      code: 'listen-failed',
      message: new RegExp(`^cannot listen on 127\\.0\\.0\\.1:${port} .*EADDRINUSE`),
    })
  })

  it('is refused after the wait has ended', async () => {
    const loopback = await startLoopback(0)
    await loopback[Symbol.asyncDispose]()
    await assert.rejects(ask(loopback.redirectUri), { code: 'ECONNREFUSED' })
  })
})
