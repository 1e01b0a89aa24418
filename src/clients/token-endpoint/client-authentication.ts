// Client authentication at an authorization server (RFC 6749 §2.3, RFC 7523 §2.2, RFC 8705 §2).
// Secrets and keys stay in here: there is no object that could be printed.

import { createPrivateKey, randomUUID, type KeyObject } from 'node:crypto'
import type { Clock } from '../../runtime/clock.ts'
import { CountersignError } from '../../runtime/errors.ts'
import { signatureBy, suits, type Algorithm } from '../../keys/algorithm.ts'

/** The parts of a request that authenticate the client. */
export interface ClientCredentials {
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>
  /** Further parameters of the form. */
  readonly form: Readonly<Record<string, string>>
}

/** Makes the credentials for one request to an endpoint. */
export type ClientAuthentication = (endpoint: URL) => ClientCredentials

/** `client_secret_basic` (RFC 6749 §2.3.1). */
export const secretInHeader = (id: string, secret: string): ClientAuthentication => {
  // Form-encoded first, so that a colon in the name is not the one between the two.
  const pair = `${formEncoded(id)}:${formEncoded(secret)}`
  const authorization = `Basic ${Buffer.from(pair).toString('base64')}`
  return () => ({ headers: { authorization }, form: {} })
}

const formEncoded = (text: string): string =>
  new URLSearchParams([['', text]]).toString().slice('='.length)

/** `client_secret_post` (RFC 6749 §2.3.1), for servers that know nothing better. */
export const secretInForm =
  (id: string, secret: string): ClientAuthentication =>
  () => ({ headers: {}, form: { client_id: id, client_secret: secret } })

/** `tls_client_auth` (RFC 8705 §2): the connection's certificate authenticates, and the request only names the client. */
export const certificateOnly =
  (id: string): ClientAuthentication =>
  () => ({ headers: {}, form: { client_id: id } })

/** The parts of signed assertions. */
export interface AssertionOptions {
  readonly id: string
  readonly key: KeyObject
  readonly algorithm: Algorithm
  readonly keyId: string | undefined
  /** `aud`; `undefined` for the endpoint that it is sent to. */
  readonly audience: string | undefined
  /** The lifetime of each, in milliseconds. */
  readonly lifetime: number
  readonly clock: Clock
}

const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

/** `private_key_jwt` (RFC 7523 §2.2, §3): a new assertion for every request. */
export const signedAssertion =
  ({ id, key, algorithm, keyId, audience, lifetime, clock }: AssertionOptions) =>
  (endpoint: URL): ClientCredentials => {
    const now = clock.now()
    const header = { alg: algorithm, typ: 'JWT', ...(keyId === undefined ? {} : { kid: keyId }) }
    const claims = {
      iss: id,
      sub: id,
      aud: audience ?? endpoint.href,
      jti: randomUUID(),
      iat: Math.floor(now / 1_000),
      exp: Math.floor((now + lifetime) / 1_000),
    }
    const signed = [header, claims].map((part) => encode(JSON.stringify(part))).join('.')
    const signature = encode(signatureBy(algorithm, key, Buffer.from(signed)))
    return {
      headers: {},
      form: {
        client_id: id,
        client_assertion_type: ASSERTION_TYPE,
        client_assertion: `${signed}.${signature}`,
      },
    }
  }

const encode = (bytes: string | Buffer): string => Buffer.from(bytes).toString('base64url')

// RFC 7518 §3.3.
const MIN_MODULUS = 2_048

/**
 * Reads the key that assertions are signed with.
 *
 * @param name where it is, for messages
 * @throws CountersignError `configuration-invalid` when it is not a private key, or not one for the algorithm
 */
export const readSigningKey = (name: string, pem: Buffer, algorithm: Algorithm): KeyObject => {
  const key = privateKeyOf(name, pem)
  const { modulusLength = MIN_MODULUS } = key.asymmetricKeyDetails ?? {}
  if (!suits(algorithm, key) || modulusLength < MIN_MODULUS) {
    const message = `${name} holds no key that is fit for ${algorithm}`
    throw new CountersignError('configuration-invalid', message)
  }
  return key
}

const privateKeyOf = (name: string, pem: Buffer): KeyObject => {
  try {
    return createPrivateKey(pem)
  } catch {
    // Without what OpenSSL says, which may quote the key.
    const message = `${name} holds no private key: PEM, PKCS#8, not encrypted`
    throw new CountersignError('configuration-invalid', message)
  }
}
