// How Envoy's messages are written as JSON: durations, addresses, extensions with their types.

import { isIP } from 'node:net'
import type { Address } from '../config/values.ts'

/** A protobuf message in its JSON form. */
export interface Message {
  readonly [field: string]: unknown
}

/**
 * Bytes of one HTTP/2 stream, and of all streams of a connection, that may be on their way.
 * https://www.envoyproxy.io/docs/envoy/latest/configuration/best_practices/edge
 */
export const STREAM_WINDOW = 65_536
export const CONNECTION_WINDOW = 1_048_576

/** A google.protobuf.Duration. */
export const duration = (milliseconds: number): string => `${milliseconds / 1_000}s`

/** An extension: its name is a label, `type` selects the code. */
export const extension = (name: string, type: string, configuration: Message = {}): Message => ({
  name,
  typed_config: { '@type': typeUrl(type), ...configuration },
})

/** The type URL of a message, from its name below `envoy.extensions`. */
export const typeUrl = (type: string): string => `type.googleapis.com/envoy.extensions.${type}`

/** A core.v3.Address. `mode` is for UNIX sockets that Envoy itself makes. */
export const addressMessage = (address: Address, mode?: number): Message =>
  address.kind === 'unix'
    ? { pipe: { path: address.path, ...(mode === undefined ? {} : { mode }) } }
    : { socket_address: { address: address.host, port_value: address.port } }

/** A core.v3.DataSource. Envoy reads the file, so the bootstrap contains no secrets. */
export const file = (path: string): Message => ({ filename: path })

/** Whether the system chooses the port when the process starts. */
export const hasNoPort = (address: Address): boolean => address.kind === 'tcp' && address.port === 0

/** Whether an address can be used as it is, or its host must be looked up. */
export const isResolved = (address: Address): boolean =>
  address.kind === 'unix' || isIP(address.host) !== 0
