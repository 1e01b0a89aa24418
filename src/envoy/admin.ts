// The client of Envoy's administration interface.

import { request, type IncomingMessage } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import * as z from 'zod'
import { formatAddress, type Address } from '../config/values.ts'
import { CountersignError } from '../runtime/errors.ts'

// https://www.envoyproxy.io/docs/envoy/latest/operations/admin#get--listeners
const listenersSchema = z.object({
  listener_statuses: z.array(
    z.object({
      name: z.string(),
      local_address: z.object({
        socket_address: z.object({ address: z.string(), port_value: z.int() }).optional(),
      }),
    }),
  ),
})

const serverInfoSchema = z.object({
  command_line_options: z.object({ config_path: z.string() }),
})

const POLL_MS = 50

/** Resolves when Envoy is ready; rejects when the signal aborts. */
export const untilReady = async (admin: Address, signal: AbortSignal): Promise<void> => {
  while (!(await isReady(admin))) {
    if (signal.aborted) {
      throw new CountersignError('child-exited', 'Envoy did not become ready; see its log above')
    }
    await sleep(POLL_MS)
  }
}

/** Where a listener is, with the port that the system chose when it was 0. */
export const listenerAddress = async (admin: Address, name: string): Promise<string> => {
  const { body } = await get(admin, '/listeners?format=json')
  const { listener_statuses } = listenersSchema.parse(JSON.parse(body))
  const found = listener_statuses.find((listener) => listener.name === name)?.local_address
  const address = found?.socket_address
  if (address === undefined) throw new Error(`Envoy has no listener "${name}"`)
  return formatAddress({ kind: 'tcp', host: address.address, port: address.port_value })
}

/** The path of the bootstrap that Envoy was started with. */
export const configPath = async (admin: Address): Promise<string> => {
  const { body } = await get(admin, '/server_info')
  return serverInfoSchema.parse(JSON.parse(body)).command_line_options.config_path
}

const isReady = async (admin: Address): Promise<boolean> => {
  try {
    return (await get(admin, '/ready')).status === 200
  } catch {
    return false // not listening yet
  }
}

/** What bounds an answer. */
interface Bounds {
  readonly signal?: AbortSignal
  /** The most bytes that are read; more is an error. */
  readonly largest?: number
}

/** One GET of the administration interface. */
export const get = async (
  admin: Address,
  path: string,
  { signal, largest = Number.MAX_SAFE_INTEGER }: Bounds = {},
): Promise<{ readonly status: number; readonly body: string }> => {
  const target = admin.kind === 'unix' ? { socketPath: admin.path } : admin
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  request({ ...target, path, headers: { host: 'envoy-admin' }, agent: false, signal }, resolve)
    .on('error', reject)
    .end()
  const response = await promise
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of response) {
    if (!Buffer.isBuffer(chunk)) continue
    length += chunk.length
    if (length > largest) throw new Error(`it answers with more than ${largest} bytes`)
    chunks.push(chunk)
  }
  return { status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }
}
