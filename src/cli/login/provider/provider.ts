// An OpenID provider, of Countersign or any other, found by its discovery document. Only this folder uses
// the library. ID tokens are verified with the keys of the provider although they arrive over TLS, since
// other servers rely on the stored tokens.

import {
  authorizationCodeGrant,
  buildAuthorizationUrl,
  calculatePKCECodeChallenge,
  randomNonce,
  randomPKCECodeVerifier,
  randomState,
  refreshTokenGrant,
  setJwksCache,
  tokenRevocation,
  type Configuration,
  type CustomFetch,
} from 'openid-client'
import { isConfidential } from '../../../config/values.ts'
import type { CountersignError } from '../../../runtime/errors.ts'
import { isJsonObject } from '../../../runtime/json-object.ts'
import type { LoginRequest, ProviderAccess } from '../login-request.ts'
import type { Tokens } from '../login-record.ts'
import { beginDevice, type DeviceLogin } from './device.ts'
import { discover, type OpenProvider } from './discover.ts'
import { failureOf, loginFailed, type ProviderFailure } from './failure.ts'
import { tokensOf } from './tokens.ts'

/** A login in a browser that has begun (RFC 6749 §4.1 with RFC 7636). */
interface CodeLogin {
  /** Where the browser goes. */
  readonly url: URL
  /** What the answer has to bring back. */
  readonly state: string
  /**
   * Takes the answer, which is a URL below the redirection URI.
   *
   * @throws CountersignError `login-failed`, `unavailable`
   */
  finish(answer: URL): Promise<Tokens>
}

/** Options of a login in a browser. */
interface CodeOptions {
  /** Whether to request consent, without which some providers issue no refresh token. */
  readonly consent: boolean
}

/** The outcome of a renewal. */
export type Renewal = { readonly kind: 'renewed'; readonly tokens: Tokens } | ProviderFailure

/** A provider, for one client and its parameters. */
export interface Provider {
  readonly hasDeviceFlow: boolean
  /**
   * @param redirectUri on a loopback address (RFC 8252 §7.3)
   * @throws CountersignError `login-failed`
   */
  beginCode(redirectUri: string, options: CodeOptions): Promise<CodeLogin>
  /** @throws CountersignError `login-failed`, `unavailable` */
  beginDevice(): Promise<DeviceLogin>
  /** Gets new tokens for those of a login (RFC 6749 §6). Never rejects for what a provider does. */
  renew(login: Tokens & { readonly refreshToken: string }): Promise<Renewal>
  /** Revokes a token (RFC 7009); says whether that can be done here, and whether it was. */
  revoke(token: string, kind: 'refresh_token' | 'access_token'): Promise<Revocation>
}

/** The outcome of a revocation. */
export type Revocation =
  | { readonly kind: 'revoked' }
  | { readonly kind: 'not-offered' }
  | ProviderFailure

/**
 * Opens a provider.
 *
 * @throws CountersignError `unavailable`, `login-failed` when its discovery document is not what it
 *   should be, `file-unreadable`
 */
export const openProvider = async (
  request: LoginRequest,
  access: ProviderAccess,
): Promise<Provider> => {
  const open = await discover(request, access)
  return {
    hasDeviceFlow: open.configuration.serverMetadata().device_authorization_endpoint !== undefined,
    beginCode: async (redirectUri, options) => await beginCode(open, redirectUri, options),
    beginDevice: async () => await beginDevice(open),
    renew: async (login) => await renew(open, login),
    revoke: async (token, kind) => await revoke(open, token, kind),
  }
}

const beginCode = async (
  open: OpenProvider,
  redirectUri: string,
  options: CodeOptions,
): Promise<CodeLogin> => {
  const { configuration, request, clock } = open
  const { issuer, resource } = request
  const [state, nonce, verifier] = [randomState(), randomNonce(), randomPKCECodeVerifier()]
  const failed = (cause: unknown): CountersignError => loginFailed(issuer, failureOf(cause, clock))
  const challenge = await calculatePKCECodeChallenge(verifier)
  const url = loginPage(open, options, {
    redirect_uri: redirectUri,
    state,
    nonce,
    code_challenge: challenge,
    code_challenge_method: 'S256',
  })
  return {
    url,
    state,
    async finish(answer) {
      const obtained = Date.now()
      const checks = {
        expectedState: state,
        expectedNonce: nonce,
        pkceCodeVerifier: verifier,
        idTokenExpected: true,
      }
      try {
        const parameters = resource === undefined ? {} : { resource }
        const response = await authorizationCodeGrant(configuration, answer, checks, parameters)
        return tokensOf(response, obtained)
      } catch (cause) {
        throw failed(cause)
      }
    },
  }
}

const loginPage = (
  { configuration, request, scope, clock }: OpenProvider,
  { consent }: CodeOptions,
  parameters: Readonly<Record<string, string>>,
): URL => {
  const { issuer, resource, audience } = request
  try {
    const url = buildAuthorizationUrl(configuration, {
      ...parameters,
      scope,
      // OpenID Connect Core §11: without it `offline_access` need not be heeded.
      ...(consent && scope.split(' ').includes('offline_access') ? { prompt: 'consent' } : {}),
      ...(resource === undefined ? {} : { resource }),
      ...(audience === undefined ? {} : { audience }),
    })
    // It is passed to a program that opens any URL.
    if (!isConfidential(url)) throw new Error('its login page is not at an https URL')
    return url
  } catch (cause) {
    throw loginFailed(issuer, failureOf(cause, clock))
  }
}

const renew = async (
  { configuration, request: { resource }, clock, fetch }: OpenProvider,
  login: Tokens & { readonly refreshToken: string },
): Promise<Renewal> => {
  try {
    // First the keys: a refresh token is spent when it is sent, and without keys the response would be lost.
    await readKeys(configuration, fetch)
    const obtained = Date.now()
    const parameters = resource === undefined ? {} : { resource }
    const response = await refreshTokenGrant(configuration, login.refreshToken, parameters)
    return { kind: 'renewed', tokens: tokensOf(response, obtained, login) }
  } catch (cause) {
    return failureOf(cause, clock)
  }
}

const readKeys = async (configuration: Configuration, fetch: CustomFetch): Promise<void> => {
  const { jwks_uri: uri } = configuration.serverMetadata()
  if (uri === undefined) return
  const headers = { accept: 'application/json' }
  const response = await fetch(uri, { method: 'GET', headers, body: null, redirect: 'manual' })
  if (response.status !== 200) throw new Error('the key set cannot be read', { cause: response })
  const jwks = await response.json()
  if (!isKeySet(jwks)) throw new Error('the key set is invalid')
  setJwksCache(configuration, { jwks, uat: Math.floor(Date.now() / 1_000) })
}

type KeySet = Parameters<typeof setJwksCache>[1]['jwks']

/** RFC 7517 §5; of the keys themselves the library judges. */
const isKeySet = (value: unknown): value is KeySet =>
  isJsonObject(value) && Array.isArray(value['keys']) && value['keys'].every(isJsonObject)

const revoke = async (
  { configuration, clock }: OpenProvider,
  token: string,
  kind: 'refresh_token' | 'access_token',
): Promise<Revocation> => {
  if (configuration.serverMetadata().revocation_endpoint === undefined)
    return { kind: 'not-offered' }
  try {
    await tokenRevocation(configuration, token, { token_type_hint: kind })
    return { kind: 'revoked' }
  } catch (cause) {
    return failureOf(cause, clock)
  }
}
