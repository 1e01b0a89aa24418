// Watches that live on, many of them at once, readers that are slow, and the end of a credential. Steps
// are in README.md.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { ClientHttp2Session, ClientHttp2Stream } from 'node:http2'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { http2On, openHttp2 } from '../../servers/client.ts'
import { basic, eventually } from '../site.ts'
import { callerBy, type Caller } from './asking.ts'
import { HOST, OUT, CREDENTIALS_OUT } from './configuration.ts'
import { skipWithoutServers, startKubeSite, type KubeSite } from './kube-site.ts'
import { PASSWORD, USERS } from './users.ts'
import { grant, NAMESPACE } from './roles.ts'
import { startWatch, type Watch } from './watching.ts'
import { otherToken, kubeconfigFor, tokenIn, CREDENTIALS_IN } from './credentials-in.ts'

const RBAC_LIMIT = 10_000
const MAPS = `/api/v1/namespaces/${NAMESPACE}/configmaps`
const HOST_OF_HEADERS = CREDENTIALS_OUT['X-Remote-*']
const ALICE = basic(USERS.alice.name, PASSWORD)

/** How long a token lives; the watches begin within. */
const LIFE_SECONDS = 10

describe('watches', { skip: skipWithoutServers(), timeout: 240_000 }, () => {
  let site: KubeSite
  let alice: Caller
  before(async () => {
    site = await startKubeSite()
    alice = await callerBy(site, CREDENTIALS_IN['a password (LDAP)'], USERS.alice)
    const everything = { resources: ['configmaps'], verbs: ['*'] }
    await grant(site.server, 'maps-for-alice', everything, { kind: 'User', name: 'alice' })
    const list = async () => {
      await using session = await open()
      return await http2On(session.http2, { path: MAPS, host: HOST_OF_HEADERS, headers: [ALICE] })
    }
    await eventually(list, ({ status }) => status === 200, RBAC_LIMIT)
  })
  after(() => site[Symbol.asyncDispose]())

  const open = async (): Promise<{ readonly http2: ClientHttp2Session } & AsyncDisposable> => {
    const http2 = await openHttp2({ port: site.port, serverName: HOST, ca: site.pki.ca })
    return {
      http2,
      async [Symbol.asyncDispose]() {
        http2.destroy()
      },
    }
  }

  let made = 0
  /** Makes an object; gives its name. */
  const make = async (data: Readonly<Record<string, string>> = {}): Promise<string> => {
    made += 1
    const name = `made-${made}`
    await site.server.call({ method: 'POST', path: MAPS, body: { metadata: { name }, data } })
    return name
  }

  const watch = (caller: Caller, address: string): Watch =>
    startWatch(site, caller, address, ['configmaps', '--watch-only', '-o', 'name'])

  /** Watches of one caller, one for each way out, once all of them tell of changes. */
  const watchEverywhere = async (
    caller: Caller,
  ): Promise<readonly (readonly [string, Watch])[]> => {
    const all = OUT.map(([out, address]) => [out, watch(caller, address)] as const)
    const round = async (): Promise<boolean> => {
      await make()
      return all.every(([, { lines }]) => lines.length > 0)
    }
    await eventually(round, Boolean)
    return all
  }

  it('8. with each upstream credential last, and report every change', async () => {
    await using stack = new AsyncDisposableStack()
    const watches = await watchEverywhere(alice)
    for (const [, running] of watches) stack.use(running)
    for (const pause of [0, 5_000, 0]) {
      await sleep(pause)
      const line = `configmap/${await make()}`
      const received = async () => watches.filter(([, { lines }]) => lines.includes(line))
      await eventually(received, (those) => those.length === watches.length)
    }
  })

  it('9. with each upstream credential end with the token', async () => {
    await using stack = new AsyncDisposableStack()
    const presentedFor = async (seconds: number): Promise<readonly string[]> =>
      await tokenIn(site, 'short', await otherToken(site, USERS.alice, seconds))
    const identity = await kubeconfigFor(site, await presentedFor(1))
    const begun = Date.now()
    await presentedFor(LIFE_SECONDS)
    const watches = await watchEverywhere({ identity, state: alice.state })
    for (const [, running] of watches) stack.use(running)
    const ends = watches.map(async ([out, { ended }]) => {
      const complaint = await Promise.race([ended, sleep(LIFE_SECONDS * 2_000)])
      assert.notEqual(complaint, undefined, `${out}: it lives on`)
      // A token's end is in whole seconds; Envoy ends a stream up to a second later.
      const seconds = (Date.now() - begun) / 1_000
      assert.ok(Math.abs(seconds - LIFE_SECONDS) < 2, `${out}: ${seconds} s`)
    })
    await Promise.all(ends)
  })

  it('10. 400 at once, on four connections, each report a change', async () => {
    await using stack = new AsyncDisposableStack()
    const streams: ClientHttp2Stream[] = []
    for (let connection = 0; connection < 4; connection += 1) {
      const { http2 } = stack.use(await open())
      for (let index = 0; index < 100; index += 1) {
        streams.push(requestOn(http2, `${MAPS}?watch=true&resourceVersion=0`))
      }
    }
    const name = await make()
    const received = await Promise.all(streams.map((stream) => until(stream, `"name":"${name}"`)))
    assert.deepEqual(new Set(received), new Set([true]))
  })

  it('11. of a slow reader report everything, and delay no other reader', async () => {
    const text = 'x'.repeat(500_000)
    const names = await Promise.all(Array.from({ length: 60 }, () => make({ text })))
    await using connection = await open()
    const stream = requestOn(connection.http2, MAPS)
    stream.pause()
    let bytes = 0
    let last = ''
    stream.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      last = chunk.toString('latin1')
    })
    stream.pause()
    for (let turn = 0; turn < 20; turn += 1) {
      const begun = performance.now()
      const path = `${MAPS}/${names[turn]}`
      await using other = await open()
      const request = { path, host: HOST_OF_HEADERS, headers: [ALICE] }
      assert.equal((await http2On(other.http2, request)).status, 200)
      assert.ok(performance.now() - begun < 2_000)
      await sleep(100)
    }
    assert.ok(bytes < 1_000_000, 'it was read although nobody did')
    const ended = once(stream, 'end')
    stream.resume()
    await ended
    assert.ok(bytes > names.length * text.length)
    assert.ok(last.trimEnd().endsWith('}'))
  })

  /** Asks as alice for something that is long, or never ends. */
  const requestOn = (http2: ClientHttp2Session, path: string): ClientHttp2Stream =>
    http2.request({
      ':path': path,
      ':authority': HOST_OF_HEADERS,
      [ALICE[0].toLowerCase()]: ALICE[1],
    })

  /** Reads until this has come; `false` when it ends before. */
  const until = async (stream: ClientHttp2Stream, wanted: string): Promise<boolean> => {
    let tail = ''
    for await (const chunk of stream) {
      tail = (tail + String(chunk)).slice(-4_000)
      if (tail.includes(wanted)) return true
    }
    return false
  }
})
