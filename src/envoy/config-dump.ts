// The config dump of a running Envoy, from its administration interface. Size and time of the response are
// bounded, since the address may belong to another server.

import { formatAddress, type Address } from '../config/values.ts'
import { CountersignError, describeError } from '../runtime/errors.ts'
import { get } from './admin.ts'

// With endpoints: only they show whether authz is called over a network, and with TLS.
const PATH = '/config_dump?include_eds'

// Ten times the dump of a large mesh, and half of what a string can hold.
const LARGEST = 256 * 1_024 * 1_024

/** The request and its time limit. */
interface ConfigDumpOptions {
  /** In milliseconds. */
  readonly timeout: number
  /** The largest dump that is read, in bytes. */
  readonly largest?: number
}

/** The configuration of the Envoy whose administration interface is there, as JSON. */
export const fetchConfigDump = async (
  admin: Address,
  { timeout, largest = LARGEST }: ConfigDumpOptions,
): Promise<string> => {
  const where = formatAddress(admin)
  const signal = AbortSignal.timeout(timeout)
  try {
    const { status, body } = await get(admin, PATH, { signal, largest })
    if (status === 200) return body
    throw new CountersignError(
      'unavailable',
      `${where} answers ${PATH} with ${status}: it is not the administration interface of Envoy`,
    )
  } catch (cause) {
    if (cause instanceof CountersignError) throw cause
    if (signal.aborted) {
      const message = `${where} did not answer within ${timeout / 1_000} s`
      throw new CountersignError('unavailable', message, { cause })
    }
    throw new CountersignError('unavailable', `${where} cannot be reached: ${reasonOf(cause)}`, {
      cause,
    })
  }
}

/** Why nothing came; where a name has several addresses, there is an error for each. */
const reasonOf = (cause: unknown): string =>
  cause instanceof AggregateError
    ? [...new Set(cause.errors.map(describeError))].join(', ')
    : describeError(cause)
