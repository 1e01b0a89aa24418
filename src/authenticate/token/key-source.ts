// Where an issuer publishes its keys: at a URL, or at the one that its discovery document names
// (OpenID Connect Discovery 1.0 §4).

import { isLoopback } from '../../config/values.ts'
import { CountersignError } from '../../runtime/errors.ts'
import type { FetchJson } from './fetch-json.ts'
import { readKeys, type KeysReading } from './keys.ts'

/** Where keys come from. */
export type KeySource =
  /** A JWKS at this URL. */
  | { readonly kind: 'url'; readonly url: string }
  /** The JWKS that `<issuer>/.well-known/openid-configuration` names. */
  | { readonly kind: 'discovery'; readonly issuer: string }

/** A key set as it was fetched. */
export interface FetchedKeys extends KeysReading {
  /** How long the sender says that it is good for, in milliseconds. */
  readonly maxAge: number | undefined
}

/** Fetches the keys as they are now; rejects with a message for operators. */
export type FetchKeys = (signal: AbortSignal) => Promise<FetchedKeys>

/**
 * Makes the way to the keys of a source.
 *
 * @throws CountersignError `configuration-invalid` for a URL that is not fit to be trusted
 */
export const keyFetcher = (source: KeySource, fetchJson: FetchJson): FetchKeys => {
  const start = source.kind === 'url' ? trusted(source.url) : discoveryUrl(source.issuer)
  return async (signal) => {
    const url =
      source.kind === 'url' ? start : await discover(source.issuer, start, fetchJson, signal)
    const { document, maxAge } = await fetchJson(url, signal)
    const reading = readKeys(document)
    if (reading === undefined) throw new Error(`${url.href} is not a JSON Web Key Set`)
    return { ...reading, maxAge }
  }
}

/** The issuer's path may end with a slash, and the document's URL has one only (§4.1). */
const discoveryUrl = (issuer: string): URL => {
  const { search } = trusted(issuer)
  if (search !== '') throw unfit(issuer, 'has a query') // §2: an issuer has none
  return new URL(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`)
}

const discover = async (
  issuer: string,
  url: URL,
  fetchJson: FetchJson,
  signal: AbortSignal,
): Promise<URL> => {
  const { document } = await fetchJson(url, signal)
  // §4.3: exactly the same, or one provider could speak for another.
  if (document['issuer'] !== issuer) {
    throw new Error(`${url.href} is of another issuer: ${JSON.stringify(document['issuer'])}`)
  }
  const location = document['jwks_uri']
  if (typeof location !== 'string') throw new Error(`${url.href} names no jwks_uri`)
  const keys = trusted(location)
  if (keys.protocol !== url.protocol && keys.protocol !== 'https:') {
    throw new Error(`${url.href} names a jwks_uri that is not https`)
  }
  return keys
}

/** A URL of which the answer can be believed: https, or on this machine. */
const trusted = (text: string): URL => {
  const url = URL.parse(text)
  if (url === null) throw unfit(text, 'is no URL')
  const host = url.hostname.replaceAll(/^\[|\]$/g, '')
  const local = isLoopback({ kind: 'tcp', host, port: 0 })
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && local)) {
    throw unfit(text, 'must begin with https:// (http:// is for loopback addresses only)')
  }
  if (url.username !== '' || url.password !== '' || url.hash !== '') {
    throw unfit(text, 'may have no user, no password and no fragment')
  }
  return url
}

const unfit = (text: string, what: string): CountersignError =>
  new CountersignError('configuration-invalid', `${JSON.stringify(text)} ${what}`)
