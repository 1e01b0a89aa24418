// Records to a real rsyslog over TLS and TCP, and to receivers that do wrong.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { describe, it } from 'node:test'
import { sinksSchema, type SinkConfig } from '../../../src/audit/forward/schema.ts'
import { syslogDelivery } from '../../../src/audit/forward/syslog.ts'
import { systemClock } from '../../../src/runtime/clock.ts'
import { until } from '../../fakes/until.ts'
import { skipWithoutRsyslog, startRsyslog, type Rsyslog } from '../../servers/rsyslog.ts'
import { temporaryFolder } from '../../servers/temporary.ts'
import { openLog, startForwarder } from './forwarding.ts'
import { EVENT, never, record } from './records.ts'

/** The parsed section of a sink. */
const sinkOf = (syslog: object): NonNullable<SinkConfig['syslog']> => {
  const { siem } = sinksSchema.parse({ siem: { syslog } })
  assert.ok(siem?.syslog !== undefined)
  return siem.syslog
}

const overTls = ({ tlsPort, authority, client }: Rsyslog, tls: object = {}) =>
  sinkOf({
    address: `127.0.0.1:${tlsPort}`,
    tls: {
      ca: authority.ca,
      client: { certificate: client.certificate, key: `file:${client.key}` },
      serverName: 'syslog.example.org',
      ...tls,
    },
  })

describe('a syslog sink', { skip: skipWithoutRsyslog() }, () => {
  it('sends RFC 5424 messages over TLS, with the line as it is', async () => {
    await using server = await startRsyslog()
    const delivery = syslogDelivery(overTls(server), systemClock)
    const long = EVENT.replace('"x"', `"${'y'.repeat(20_000)}"`)
    await delivery.send([record(EVENT), record(long, 2)], never)
    await until(async () => (await server.messages()).length === 2)
    const [message, second] = await server.messages()
    assert.equal(message?.text, EVENT)
    assert.equal(second?.text, long)
    assert.equal(message?.app, 'countersign')
    assert.equal(message?.id, 'decision')
    assert.equal(message?.time, '2026-11-28T12:00:00.123Z')
    assert.equal(message?.severity, 'info')
    const data = `[countersign@32473 chain="k3Vn0QyPz1aB" seq="1" hash="${'A'.repeat(43)}"]`
    assert.equal(message?.data, data)
  })

  it('sends over TCP to a relay on this machine', async () => {
    await using server = await startRsyslog()
    const config = sinkOf({ address: `127.0.0.1:${server.tcpPort}`, facility: 10 })
    await syslogDelivery(config, systemClock).send([record(EVENT)], never)
    await until(async () => (await server.messages()).length === 1)
    assert.equal((await server.messages())[0]?.facility, 'authpriv')
  })

  const refused = [
    { name: 'another name in the certificate', tls: { serverName: 'other.example.org' } },
    { name: 'a certificate of an unknown CA', tls: { ca: undefined } },
    { name: 'no client certificate where the receiver requires one', tls: { client: undefined } },
  ]
  for (const { name, tls } of refused) {
    it(`acknowledges nothing with ${name}`, async () => {
      await using server = await startRsyslog()
      const delivery = syslogDelivery(overTls(server, tls), systemClock)
      await assert.rejects(delivery.send([record(EVENT)], never), /127\.0\.0\.1:\d+: /)
      assert.deepEqual(await server.messages(), [])
    })
  }

  it('loses no record where the receiver is killed again and again', async () => {
    await using server = await startRsyslog()
    await using folder = await temporaryFolder()
    using log = await openLog(folder)
    const delivery = syslogDelivery(overTls(server), systemClock)
    await using running = startForwarder(folder, delivery, { records: 20 })
    for (let round = 1; round <= 3; round++) {
      await log.write(100)
      await until(() => running.forwarder.counts().sent >= 100 * round - 50)
      await server.kill()
      await log.write(100)
      const { failures } = running.forwarder.counts()
      await until(() => running.forwarder.counts().failures > failures)
      await server.start()
    }
    await until(() => running.forwarder.counts().sent >= 600)
    const generationsOf = async (): Promise<ReadonlySet<unknown>> =>
      new Set((await server.messages()).map(({ text }) => JSON.parse(text).generation))
    await until(async () => (await generationsOf()).size >= 600)
  })
})

describe('a receiver of syslog that does wrong', () => {
  const serve = async (onSocket: (socket: Socket) => void) => {
    const sockets = new Set<Socket>()
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      sockets.add(socket)
      socket.on('error', () => undefined)
      onSocket(socket)
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    assert.ok(typeof address === 'object' && address !== null)
    const config = sinkOf({ address: `127.0.0.1:${address.port}` })
    return {
      delivery: syslogDelivery(config, systemClock),
      [Symbol.dispose]() {
        server.close()
        for (const socket of sockets) socket.destroy()
      },
    }
  }

  it('has not acknowledged a batch that it closes before its end', async () => {
    using server = await serve((socket) => socket.once('data', () => socket.resetAndDestroy()))
    const batch = Array.from({ length: 200 }, () => record('x'.repeat(65_536)))
    await assert.rejects(server.delivery.send(batch, never))
  })

  it('has not acknowledged a batch while it keeps the connection open', async () => {
    using server = await serve((socket) => socket.resume())
    const signal = AbortSignal.timeout(200)
    await assert.rejects(server.delivery.send([record(EVENT)], signal), /timeout/)
  })

  it('is left when it sends without end', async () => {
    using server = await serve((socket) => {
      const more = (): void => {
        if (!socket.destroyed) socket.write(Buffer.alloc(16_384), more)
      }
      more()
    })
    await assert.rejects(server.delivery.send([record(EVENT)], never), /the receiver sends data/)
  })
})
