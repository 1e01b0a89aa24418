// Finding a provider by its discovery document, and what every flow needs of it.

import { readFile } from 'node:fs/promises'
import {
  allowInsecureRequests,
  clockTolerance,
  customFetch,
  discovery,
  enableNonRepudiationChecks,
  None,
  type Configuration,
  type CustomFetch,
} from 'openid-client'
import { withSecret } from '../../../logins/upstream-idp/client-secret.ts'
import { CountersignError, describeError } from '../../../runtime/errors.ts'
import { httpFetcher } from '../../../runtime/http/fetch.ts'
import { localhostLookup } from '../../../runtime/http/localhost-lookup.ts'
import type { LoginRequest, ProviderAccess } from '../login-request.ts'
import { failureOf, loginFailed } from './failure.ts'
import { providerFetch, type ObservedClock } from './fetch.ts'
import { scopesOf } from './tokens.ts'

/** Of a provider that is open, what each flow needs. */
export interface OpenProvider {
  readonly configuration: Configuration
  readonly request: LoginRequest
  readonly scope: string
  readonly clock: ObservedClock
  /** Its requests. */
  readonly fetch: CustomFetch
}

const TIMEOUT_S = 20
// The largest accepted difference between the clock of the provider and this machine.
const TOLERANCE_S = 60

/**
 * Finds a provider.
 *
 * @throws CountersignError `unavailable`, `login-failed` when its document is not what it should be,
 *   `file-unreadable`
 */
export const discover = async (
  request: LoginRequest,
  { ca, clientSecretFile }: ProviderAccess,
): Promise<OpenProvider> => {
  const { issuer, clientId } = request
  const clock: ObservedClock = { ahead: 0 }
  const authorities = ca === undefined ? undefined : await contentOf(ca)
  const authentication =
    clientSecretFile === undefined ? None() : withSecret(await secretIn(clientSecretFile))
  // It keeps no connections, so there is nothing to end.
  const fetcher = httpFetcher({ ca: authorities, lookup: localhostLookup })
  const fetch = providerFetch(fetcher.fetch, clock)
  const insecure = issuer.startsWith('https:') ? [] : [allowInsecureRequests]
  try {
    const configuration = await discovery(
      new URL(issuer),
      clientId,
      { [clockTolerance]: TOLERANCE_S },
      authentication,
      {
        [customFetch]: fetch,
        execute: [enableNonRepudiationChecks, ...insecure],
        timeout: TIMEOUT_S,
      },
    )
    const scope = scopesOf(request, configuration.serverMetadata().scopes_supported)
    return { configuration, request, scope, clock, fetch }
  } catch (cause) {
    throw loginFailed(issuer, failureOf(cause, clock))
  }
}

const secretIn = async (file: string): Promise<string> => {
  const secret = (await contentOf(file)).toString('utf8').trim()
  if (secret === '') throw new CountersignError('file-unreadable', `${file} is empty`)
  return secret
}

const contentOf = async (file: string): Promise<Buffer> => {
  try {
    return await readFile(file)
  } catch (cause) {
    const message = `${file} cannot be read: ${describeError(cause)}`
    throw new CountersignError('file-unreadable', message, { cause })
  }
}
