// Batches to a syslog receiver. Syslog has no acknowledgement, so each batch has a connection of its own: the batch counts as taken
// when the receiver has closed its side after this one, which it does after it has read all (RFC 5425 §4.4).

import {
  connect as connectTcp,
  type IpcNetConnectOpts,
  type Socket,
  type TcpNetConnectOpts,
} from 'node:net'
import { hostname } from 'node:os'
import { connect as connectTls } from 'node:tls'
import { formatAddress, type Address } from '../../config/values.ts'
import type { Clock } from '../../runtime/clock.ts'
import { describeError } from '../../runtime/errors.ts'
import type { Delivery } from './delivery.ts'
import { FollowedMaterial, type Material } from './material.ts'
import type { SinkConfig } from './schema.ts'
import { syslogFrame, syslogHost } from './syslog-message.ts'

type SyslogConfig = NonNullable<SinkConfig['syslog']>

// A receiver sends nothing (RFC 5424 is one way).
const MOST_RECEIVED_BYTES = 65_536

/** Sends to a syslog receiver. */
export const syslogDelivery = (config: SyslogConfig, clock: Clock): Delivery => {
  const material = new FollowedMaterial({ tls: config.tls }, clock)
  const framing = { facility: config.facility, host: syslogHost(hostname()) }
  return {
    async send(batch, signal) {
      const frames = Buffer.concat(batch.map((record) => syslogFrame(record, framing)))
      const socket = connection(config, await material.current())
      try {
        await deliver(socket, frames, signal)
      } catch (cause) {
        const reason = describeError(signal.aborted ? signal.reason : cause)
        throw new Error(`${formatAddress(config.address)}: ${reason}`, { cause })
      } finally {
        socket.destroy()
      }
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}

const connection = ({ address, tls }: SyslogConfig, { ca, client }: Material): Socket => {
  const target = targetOf(address)
  // Node would end our side as soon as the receiver ends its own.
  const halfOpen = { allowHalfOpen: true }
  if (tls === undefined) return connectTcp({ ...target, ...halfOpen })
  return connectTls({
    ...target,
    ...halfOpen,
    ...(tls.serverName === undefined ? {} : { servername: tls.serverName }),
    ...(ca === undefined ? {} : { ca }),
    ...(client === undefined ? {} : { cert: client.certificate, key: client.key }),
  })
}

const targetOf = (address: Address): TcpNetConnectOpts | IpcNetConnectOpts =>
  address.kind === 'unix' ? { path: address.path } : { host: address.host, port: address.port }

const deliver = async (socket: Socket, frames: Buffer, signal: AbortSignal): Promise<void> => {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const aborted = (): void => reject(new Error('aborted'))
  signal.addEventListener('abort', aborted)
  let received = 0
  let isWritten = false
  socket
    .on('data', (bytes: Buffer) => {
      received += bytes.length
      if (received > MOST_RECEIVED_BYTES) reject(new Error('the receiver sends data'))
    })
    .on('error', reject)
    .on('end', () => {
      if (isWritten) resolve()
      else reject(new Error('the receiver closed the connection before it had all records'))
    })
    .on('close', () => reject(new Error('the connection ended before the receiver closed it')))
  // Called when everything is with the kernel.
  socket.end(frames, () => {
    isWritten = true
  })
  try {
    signal.throwIfAborted()
    await promise
  } finally {
    signal.removeEventListener('abort', aborted)
  }
}
