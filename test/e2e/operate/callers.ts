// Callers who send one request after another, and compare in each answer the identity that the upstream has received.

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { request, type RequestOptions } from 'node:https'
import { text } from 'node:stream/consumers'
import { createLocalJWKSet, decodeProtectedHeader, jwtVerify } from 'jose'
import { until } from '../../fakes/until.ts'
import { eventually } from '../site.ts'
import { PASSWORD, type OperatedSite } from './operated-site.ts'
import { receivedSchema, type Received } from './upstream.ts'

/** Who calls, by what. */
export interface Caller {
  readonly user: string
  readonly host?: string
  readonly headers?: () => Readonly<Record<string, string>>
  /** Base name of a client certificate, below /etc/countersign. */
  readonly certificate?: () => string
}

/** The answer to a request. */
export interface Called {
  readonly status: number
  readonly body: string
}

const LOG_TAIL = 2_000

const APP = 'app.example.org'

/** Sends one request. `ca` are the CAs that the caller trusts, all that the site has had. */
export const call = async (
  { machine, port }: OperatedSite,
  caller: Caller,
  path = '/',
): Promise<Called> => {
  const { host = APP, headers = () => ({}), certificate } = caller
  const read = (file: string): Promise<Buffer> => readFile(machine.path(`/etc/countersign/${file}`))
  const pair = certificate?.()
  const client =
    pair === undefined ? {} : { cert: await read(`${pair}.pem`), key: await read(`${pair}.key`) }
  const options: RequestOptions = {
    host: '127.0.0.1',
    port,
    servername: host,
    path,
    agent: false,
    ...client,
    headers: { host, ...headers() },
    // The name and the CA of the edge are the business of another test.
    rejectUnauthorized: false,
  }
  const { promise, resolve, reject } = Promise.withResolvers<Called>()
  request(options, (response) => {
    const { statusCode: status = 0 } = response
    text(response).then((body) => resolve({ status, body }), reject)
  })
    .once('error', reject)
    .end()
  return await promise
}

/** The header of a user's password. */
export const basic = (user: string) => (): Readonly<Record<string, string>> => ({
  authorization: `Basic ${Buffer.from(`${user}:${PASSWORD}`).toString('base64')}`,
})

/** Callers of a site, at work. */
export class Callers {
  readonly #site: OperatedSite
  readonly #end = new AbortController()
  readonly #calling: readonly Promise<void>[]
  readonly #last = new Map<Caller, Received>()
  #keys = ''
  readonly #counts: number[]
  #failure: unknown

  constructor(site: OperatedSite, callers: readonly Caller[]) {
    this.#site = site
    this.#counts = callers.map(() => 0)
    this.#calling = callers.map((caller, index) => this.#repeat(caller, index))
  }

  /** What the upstream received last from a caller. */
  last(caller: Caller): Received {
    return this.#last.get(caller) ?? assert.fail(`${caller.user} has no answer yet`)
  }

  /** Waits for `count` further requests of each caller; the one that is under way may be the first. */
  async again(count = 2): Promise<void> {
    const before = [...this.#counts]
    const isSo = (): boolean =>
      this.#counts.every((now, index) => now - (before[index] ?? 0) >= count)
    await until(() => this.#failure !== undefined || isSo())
    if (this.#failure !== undefined) throw this.#failure
  }

  /** Ends them; resolves with the number of requests, none of which failed. */
  async end(): Promise<number> {
    this.#end.abort()
    await Promise.all(this.#calling)
    if (this.#failure !== undefined) throw this.#failure
    return this.#counts.reduce((sum, count) => sum + count, 0)
  }

  async #repeat(caller: Caller, index: number): Promise<void> {
    while (!this.#end.signal.aborted && this.#failure === undefined) {
      try {
        await this.#callOnce(caller)
        this.#counts[index] = (this.#counts[index] ?? 0) + 1
      } catch (cause) {
        this.#failure = cause
      }
    }
  }

  async #callOnce(caller: Caller): Promise<void> {
    const { status, body } = await call(this.#site, caller)
    assert.equal(
      status,
      200,
      `${caller.user}: ${body}${this.#site.machine.log('envoy').slice(-LOG_TAIL)}`,
    )
    const received = receivedSchema.parse(JSON.parse(body))
    assert.equal(received.user, caller.user)
    if (caller.host === undefined) {
      assert.equal(received.subject, caller.user)
      assert.equal(await this.#subjectOf(received.token), caller.user)
    } else assert.equal(received.subject, 'front-proxy')
    this.#last.set(caller, received)
  }

  /** The subject of a minted token, by the key set, which is read again for an unknown key, as upstreams do. */
  async #subjectOf(token: string): Promise<string | undefined> {
    const { kid } = decodeProtectedHeader(token)
    if (!this.#keys.includes(`"${kid}"`)) this.#keys = await publishedKeys(this.#site)
    const { payload } = await jwtVerify(token, createLocalJWKSet(JSON.parse(this.#keys)))
    return payload.sub
  }
}

/** The key set of the issuer. While authz restarts it has to be read again. */
export const publishedKeys = async (site: OperatedSite): Promise<string> => {
  const issuer = { user: '', host: 'id.example.org' }
  const answer = () => call(site, issuer, '/jwks')
  return (await eventually(answer, ({ status }) => status === 200, 60_000)).body
}
