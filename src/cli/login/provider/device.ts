// A login on another device (RFC 8628), for machines without a browser.

import {
  initiateDeviceAuthorization,
  pollDeviceAuthorizationGrant,
  type DeviceAuthorizationResponse,
} from 'openid-client'
import { CountersignError } from '../../../runtime/errors.ts'
import type { Tokens } from '../login-record.ts'
import type { OpenProvider } from './discover.ts'
import { failureOf, loginFailed } from './failure.ts'
import { tokensOf, type TokenAnswer } from './tokens.ts'

/** A login on another device that has begun. What it shows comes from the provider. */
export interface DeviceLogin {
  /** What to type there. */
  readonly userCode: string
  /** Where. */
  readonly verificationUri: string
  /** The same with the code in it. */
  readonly completeUri: string | undefined
  /** For how long, in milliseconds. */
  readonly lifetime: number
  /**
   * Waits for the login on the other device.
   *
   * @throws CountersignError `login-failed` when there is none in time, or the provider refuses
   */
  finish(signal: AbortSignal): Promise<Tokens>
}

// Longer than a login takes; a longer lifetime of the provider is ignored.
const LONGEST_MS = 3_600_000

/** Begins one. */
export const beginDevice = async (open: OpenProvider): Promise<DeviceLogin> => {
  const { configuration, request, scope, clock } = open
  const { issuer, resource, audience } = request
  const failed = (cause: unknown): CountersignError => loginFailed(issuer, failureOf(cause, clock))
  const begun = await initiateDeviceAuthorization(configuration, {
    scope,
    ...(resource === undefined ? {} : { resource }),
    ...(audience === undefined ? {} : { audience }),
  }).catch((cause: unknown) => {
    throw failed(cause)
  })
  const lifetime = Math.min(begun.expires_in * 1_000, LONGEST_MS)
  return {
    userCode: begun.user_code,
    verificationUri: begun.verification_uri,
    completeUri: begun.verification_uri_complete,
    lifetime,
    async finish(signal) {
      const end = AbortSignal.timeout(lifetime)
      try {
        const { answer, obtained } = await poll(open, begun, AbortSignal.any([signal, end]))
        return tokensOf(answer, obtained)
      } catch (cause) {
        signal.throwIfAborted()
        if (end.aborted) {
          throw new CountersignError(
            'login-failed',
            `no login with the code within ${Math.round(lifetime / 60_000)} minutes; run the command again for a new code`,
          )
        }
        throw failed(cause)
      }
    },
  }
}

interface Polled {
  readonly answer: TokenAnswer
  readonly obtained: number
}

/** Polls until there is an answer; a temporary connection failure does not end the polling (RFC 8628 §3.5). */
const poll = async (
  { configuration, request: { resource }, clock }: OpenProvider,
  begun: DeviceAuthorizationResponse,
  signal: AbortSignal,
): Promise<Polled> => {
  const parameters = resource === undefined ? {} : { resource }
  for (;;) {
    try {
      const answer = await orAborted(
        pollDeviceAuthorizationGrant(configuration, begun, parameters, { signal }),
        signal,
      )
      return { answer, obtained: Date.now() }
    } catch (cause) {
      if (signal.aborted || failureOf(cause, clock).kind !== 'unavailable') throw cause
    }
  }
}

/** The library looks at the signal every five seconds only. */
const orAborted = async <T>(promise: Promise<T>, signal: AbortSignal): Promise<T> => {
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  const abort = (): void => reject(signal.reason)
  signal.addEventListener('abort', abort, { once: true })
  if (signal.aborted) abort()
  try {
    return await Promise.race([promise, aborted])
  } finally {
    signal.removeEventListener('abort', abort)
    promise.catch(() => undefined)
  }
}
