// The address of an issuer's keys: a URL, or the `jwks_uri` of its discovery document (OpenID Connect Discovery 1.0
// §4).

import { discover, discoveryUrl, locationIn, trustedUrl } from '../../clients/discovery.ts'
import type { FetchJson } from '../../clients/fetch-json.ts'
import { readKeys, type KeysReading } from './keys.ts'

/** A source of keys. */
export type KeySource =
  /** A JWKS at this URL. */
  | { readonly kind: 'url'; readonly url: string }
  /** The JWKS that `<issuer>/.well-known/openid-configuration` names. */
  | { readonly kind: 'discovery'; readonly issuer: string }

/** A key set as it was fetched. */
export interface FetchedKeys extends KeysReading {
  /** How long the response is fresh, in milliseconds; `undefined` where it does not say. */
  readonly maxAge: number | undefined
}

/** Fetches the current keys; rejects with a message for operators. */
export type FetchKeys = (signal: AbortSignal) => Promise<FetchedKeys>

/**
 * Makes the function that fetches the keys of a source.
 *
 * @throws CountersignError `configuration-invalid` for a URL that cannot be trusted
 */
export const keyFetcher = (source: KeySource, fetchJson: FetchJson): FetchKeys => {
  const start = source.kind === 'url' ? trustedUrl(source.url) : discoveryUrl(source.issuer)
  return async (signal) => {
    const url =
      source.kind === 'url'
        ? start
        : locationIn(await discover(source.issuer, start, fetchJson, signal), 'jwks_uri')
    const { document, maxAge } = await fetchJson(url, signal)
    const reading = readKeys(document)
    if (reading === undefined) throw new Error(`${url.href} is not a JSON Web Key Set`)
    return { ...reading, maxAge }
  }
}
