// RADIUS over TLS (RFC 6614): which servers the client trusts, and how it handles failed connections.

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { after, before, describe, it } from 'node:test'
import { RadiusFailure } from '../../../../src/clients/radius/failure.ts'
import { Secret } from '../../../../src/config/references.ts'
import type { Verification } from '../../../../src/authenticate/password/verifier.ts'
import { CALLER } from '../../../fakes/caller.ts'
import { startFakeRadSec } from '../../../fakes/radsec-server.ts'
import {
  skipWithoutFreeRadius,
  startFreeRadius,
  type FreeRadius,
} from '../../../servers/freeradius.ts'
import { createAuthority, createPki, type Authority, type Pki } from '../../../servers/pki.ts'
import {
  radiusWith,
  serverAt,
  type LoggingRadius,
  type RadiusOptions,
  type RadiusServer,
  pause,
} from './verifying.ts'

let pki: Pki
let stranger: Authority

before(async () => {
  pki = await createPki()
  stranger = await createAuthority('Somebody else’s CA')
})
after(async () => {
  await pki[Symbol.asyncDispose]()
  await stranger[Symbol.asyncDispose]()
})

type Tls = NonNullable<RadiusServer['tls']>

const contentsOf = async (file: string): Promise<Secret> => new Secret(await readFile(file))

const radiusTo = async (
  server: { readonly port: number },
  options: RadiusOptions = {},
  tls: Partial<Tls> = {},
): Promise<LoggingRadius> =>
  radiusWith([serverAt(server.port, { tls: { ca: await contentsOf(pki.ca), ...tls } })], {
    timeout: 1_000,
    retransmitAfter: 60,
    coolDown: 200,
    ...options,
  })

const reasonOf = (verification: Verification): string => {
  assert.ok(verification.outcome === 'unavailable', verification.outcome)
  assert.ok(verification.cause instanceof RadiusFailure)
  return verification.cause.reason
}

const outcomeOf = async (radius: LoggingRadius, user = 'alice'): Promise<string> =>
  (await radius.verify(user, 'x', CALLER)).outcome

describe('a TLS connection', () => {
  it('carries one request after another', async () => {
    await using server = await startFakeRadSec(pki.edge)
    await using radius = await radiusTo(server)
    for (let count = 0; count < 300; count += 1) {
      assert.equal(await outcomeOf(radius), 'verified')
    }
    assert.equal(server.connections, 1)
  })

  it('is one of several up to a bound, each with one request at a time', async () => {
    const busy = new Set<number>()
    let most = 0
    await using server = await startFakeRadSec(pki.edge, ({ connection, socket }, reply) => {
      assert.equal(busy.has(connection), false)
      busy.add(connection)
      most = Math.max(most, busy.size)
      setTimeout(() => {
        busy.delete(connection)
        socket.write(reply())
      }, 5)
    })
    await using radius = await radiusTo(server, { tlsConnections: 3 })
    const all = await Promise.all(Array.from({ length: 50 }, () => outcomeOf(radius)))
    assert.deepEqual(new Set(all), new Set(['verified']))
    assert.deepEqual([server.connections, most], [3, 3])
  })

  it('carries several requests at once when that is configured, answered in any order', async () => {
    const held: (() => void)[] = []
    await using server = await startFakeRadSec(pki.edge, ({ user, socket }, reply) => {
      held.push(() => socket.write(reply({ attributes: [[25, user]] })))
      if (held.length === 20) for (const answer of held.toReversed()) answer()
    })
    const groups = [{ attribute: 'Class' as const }]
    await using radius = await radiusTo(server, { groups, tlsConnections: 1, tlsPipelining: 20 })
    await Promise.all(
      Array.from({ length: 20 }, async (_, index) => {
        const verification = await radius.verify(`user${index}`, 'x', CALLER)
        assert.ok(verification.outcome === 'verified')
        assert.deepEqual(verification.user.groups, [`user${index}`])
      }),
    )
    assert.equal(server.connections, 1)
  })

  it('may deliver replies in pieces, and several in one', async () => {
    const held: Buffer[] = []
    await using server = await startFakeRadSec(pki.edge, ({ socket }, reply) => {
      held.push(reply({ attributes: [[25, 'staff']] }))
      if (held.length < 3) return
      const all = Buffer.concat(held)
      socket.write(all.subarray(0, 21))
      setTimeout(() => socket.write(all.subarray(21, -5)), 10)
      setTimeout(() => socket.write(all.subarray(-5)), 20)
    })
    await using radius = await radiusTo(server, { tlsConnections: 1, tlsPipelining: 3 })
    const all = await Promise.all([1, 2, 3].map(() => outcomeOf(radius)))
    assert.deepEqual(all, ['verified', 'verified', 'verified'])
  })

  it('accepts replies without Message-Authenticator, but none with a wrong one', async () => {
    await using server = await startFakeRadSec(pki.edge, ({ user, socket }, reply) => {
      const wrong = { mac: 'none', attributes: [[80, Buffer.alloc(16)]] } as const
      socket.write(reply(user === 'alice' ? { mac: 'none' } : wrong))
    })
    await using radius = await radiusTo(server)
    assert.equal(await outcomeOf(radius), 'verified')
    assert.equal(await outcomeOf(radius, 'mallory'), 'unavailable')
  })
})

describe('a TLS connection that fails', () => {
  it('because it was idle is replaced without a failure', async () => {
    await using server = await startFakeRadSec(pki.edge, ({ connection, bytes, socket }, reply) => {
      // The second request of the first connection finds it closed.
      if (connection === 1 && server.requests[0]?.bytes !== bytes) socket.destroy()
      else socket.write(reply())
    })
    await using radius = await radiusTo(server, { retries: 0 })
    assert.equal(await outcomeOf(radius), 'verified')
    assert.equal(await outcomeOf(radius), 'verified')
    await server.hangUp()
    await pause(20)
    assert.equal(await outcomeOf(radius), 'verified')
    assert.equal(server.connections, 3)
    assert.deepEqual(radius.lines, [])
  })

  it('with requests under way is replaced for all of them', async () => {
    await using server = await startFakeRadSec(pki.edge, ({ connection, socket }, reply) => {
      if (connection > 1) socket.write(reply())
      else if (server.requests.length === 10) socket.destroy()
    })
    await using radius = await radiusTo(server, { tlsConnections: 1, tlsPipelining: 10 })
    const all = await Promise.all(Array.from({ length: 10 }, () => outcomeOf(radius)))
    assert.deepEqual(new Set(all), new Set(['verified']))
    assert.equal(server.connections, 2)
  })

  it('repeatedly is not replaced without end', async () => {
    await using server = await startFakeRadSec(pki.edge, ({ socket }) => socket.destroy())
    await using radius = await radiusTo(server, { retries: 2 })
    assert.equal(reasonOf(await radius.verify('alice', 'x', CALLER)), 'connection-lost')
    assert.equal(server.connections, 3)
  })

  const LIES: readonly { name: string; lie: (reply: Buffer) => Buffer }[] = [
    { name: 'with a false reply', lie: (reply) => Buffer.from(reply).fill(7, 4, 20) },
    { name: 'with a length that cannot be', lie: () => Buffer.alloc(40) },
    { name: 'with something else', lie: () => Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n') },
  ]
  for (const { name, lie } of LIES) {
    it(`${name} is closed (RFC 6613 §2.6.4)`, async () => {
      await using server = await startFakeRadSec(pki.edge, ({ connection, socket }, reply) => {
        socket.write(connection === 1 ? Buffer.concat([lie(reply()), reply()]) : reply({ code: 3 }))
      })
      await using radius = await radiusTo(server)
      assert.equal(await outcomeOf(radius), 'wrong-password')
      assert.equal(server.connections, 2)
    })
  }

  it('silently is detected by Status-Server (RFC 3539 §3.4)', async () => {
    await using server = await startFakeRadSec(pki.edge, ({ connection, socket }, reply) => {
      if (connection > 1) socket.write(reply())
    })
    await using radius = await radiusTo(server, { timeout: 60_000, statusServer: true })
    const began = performance.now()
    assert.equal(await outcomeOf(radius), 'verified')
    assert.ok(performance.now() - began < 20_000)
    assert.deepEqual(
      server.requests.map(({ code }) => code),
      [1, 12, 1],
    )
  })

  it('is distinguished from a slow one, which answers Status-Server', async () => {
    await using server = await startFakeRadSec(pki.edge, ({ code, socket }, reply) => {
      setTimeout(() => socket.write(reply()), code === 12 ? 0 : 400)
    })
    await using radius = await radiusTo(server, { statusServer: true })
    assert.equal(await outcomeOf(radius), 'verified')
    assert.equal(server.connections, 1)
  })
})

describe('the certificate of a RADIUS server', () => {
  const CASES: readonly {
    name: string
    ca?: 'stranger'
    tls?: Partial<Tls>
    want: string
  }[] = [
    { name: 'has the address of the server', want: 'verified' },
    {
      name: 'has the name of the server',
      tls: { serverName: 'radius.example.org' },
      want: 'verified',
    },
    { name: 'has another name', tls: { serverName: 'radius.example.com' }, want: 'untrusted' },
    { name: 'has another address', tls: { serverName: '192.0.2.1' }, want: 'untrusted' },
    { name: 'has a certificate of another CA', ca: 'stranger', want: 'untrusted' },
  ]
  for (const { name, ca, tls = {}, want } of CASES) {
    it(`${name}: ${want}`, async () => {
      await using server = await startFakeRadSec(pki.edge)
      const trusted = ca === undefined ? {} : { ca: await contentsOf(stranger.ca) }
      await using radius = await radiusTo(server, {}, { ...tls, ...trusted })
      const verification = await radius.verify('alice', 'x', CALLER)
      if (want === 'verified') assert.equal(verification.outcome, want)
      else assert.equal(reasonOf(verification), want)
      await pause(20)
      assert.equal(server.requests.length, want === 'verified' ? 1 : 0, 'nothing was sent')
    })
  }

  it('opens the circuit when it is not trusted, like a timeout', async () => {
    await using server = await startFakeRadSec(pki.edge)
    await using radius = await radiusTo(server, {}, { serverName: 'other.example.com' })
    await Promise.all([1, 2, 3].map(() => outcomeOf(radius)))
    const { connections } = server
    assert.equal(reasonOf(await radius.verify('alice', 'x', CALLER)), 'servers-down')
    assert.equal(server.connections, connections)
  })
})

describe('FreeRADIUS over TLS', { skip: skipWithoutFreeRadius() }, () => {
  let server: FreeRadius
  before(async () => {
    server = await startFreeRadius([{ name: 'alice', password: 'x' }])
  })
  after(async () => {
    await server?.[Symbol.asyncDispose]()
  })

  const client = async (): Promise<NonNullable<Tls['client']>> => ({
    certificate: await contentsOf(server.client.certificate),
    key: await contentsOf(server.client.key),
  })

  it('is verified by name', async () => {
    const tls = { ca: await contentsOf(server.authority.ca), client: await client() }
    await using radius = await radiusTo(
      { port: server.tlsPort },
      {},
      { ...tls, serverName: 'localhost' },
    )
    assert.equal(await outcomeOf(radius), 'verified')
  })

  it('is not trusted with another CA or another name', async () => {
    const ca = await contentsOf(server.authority.ca)
    for (const tls of [
      { ca: await contentsOf(stranger.ca) },
      { ca, serverName: 'radius.example.org' },
    ]) {
      await using radius = await radiusTo(
        { port: server.tlsPort },
        {},
        { ...tls, client: await client() },
      )
      assert.equal(reasonOf(await radius.verify('alice', 'x', CALLER)), 'untrusted')
    }
  })

  it('does not answer a client without a certificate, or with one of another CA', async () => {
    const ca = await contentsOf(server.authority.ca)
    const other = {
      certificate: await contentsOf(pki.alice.certificate),
      key: await contentsOf(pki.alice.key),
    }
    for (const tls of [{ ca }, { ca, client: other }]) {
      await using radius = await radiusTo({ port: server.tlsPort }, { timeout: 300 }, tls)
      assert.equal(await outcomeOf(radius), 'unavailable')
    }
  })
})
