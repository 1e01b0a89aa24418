// Where an issuer publishes its keys: at a URL, or at the one that its discovery document names
// (OpenID Connect Discovery 1.0 §4).

import { discover, discoveryUrl, locationIn, trustedUrl } from '../../clients/discovery.ts'
import type { FetchJson } from '../../clients/fetch-json.ts'
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
