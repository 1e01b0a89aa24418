// An issuer's metadata (OpenID Connect Discovery 1.0 §4), and which of its URLs can be trusted: the server at such a URL
// decides which callers are authenticated.

import { isConfidential } from '../config/values.ts'
import { cutText } from '../runtime/text.ts'
import { CountersignError } from '../runtime/errors.ts'
import { isJsonObject, type JsonObject } from '../runtime/json-object.ts'
import type { FetchJson } from './fetch-json.ts'

/** Characters of a value of the document that messages and logs quote. */
const LONGEST_NAMED = 200

/** A discovery document of the right issuer. */
export interface Discovery {
  /** Where it was found. */
  readonly url: URL
  readonly document: JsonObject
}

/**
 * The URL of an issuer's discovery document. The issuer's path may end with a slash, and this has
 * one only (§4.1).
 *
 * @throws CountersignError `configuration-invalid` for an issuer that is not fit to be trusted
 */
export const discoveryUrl = (issuer: string): URL => {
  const { search } = trustedUrl(issuer)
  if (search !== '') throw unfit(issuer, 'has a query') // §2: an issuer has none
  return new URL(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`)
}

/** Fetches the discovery document; rejects with a message for operators. */
export const discover = async (
  issuer: string,
  url: URL,
  fetchJson: FetchJson,
  signal: AbortSignal,
): Promise<Discovery> => {
  const { document } = await fetchJson(url, signal)
  // §4.3: exactly the same, or one provider could speak for another.
  if (document['issuer'] !== issuer) {
    const named = cutText(JSON.stringify(document['issuer']) ?? 'none', LONGEST_NAMED)
    throw new Error(`${url.href} is of another issuer: ${named}`)
  }
  return { url, document }
}

/**
 * A URL that a discovery document names.
 *
 * @throws Error, CountersignError when it names none, or one that is not fit to be trusted
 */
export const locationIn = ({ url, document }: Discovery, member: string): URL => {
  const location = document[member]
  if (typeof location !== 'string') throw new Error(`${url.href} names no ${member}`)
  const named = trustedUrl(location)
  if (named.protocol !== url.protocol && named.protocol !== 'https:') {
    throw new Error(`${url.href} names a ${member} that is not https`)
  }
  return named
}

/** The same for clients that show a certificate, which may have an address of its own (RFC 8705 §5). */
export const mutualTlsLocationIn = (discovery: Discovery, member: string): URL => {
  const { url, document } = discovery
  const aliases = document['mtls_endpoint_aliases']
  return isJsonObject(aliases) && member in aliases
    ? locationIn({ url, document: aliases }, member)
    : locationIn(discovery, member)
}

/**
 * A URL whose answer can be trusted: https, or on this machine.
 *
 * @throws CountersignError `configuration-invalid`
 */
export const trustedUrl = (text: string): URL => {
  const url = URL.parse(text)
  if (url === null) throw unfit(text, 'is not a URL')
  if (!isConfidential(url)) {
    throw unfit(text, 'must begin with https:// (http:// is for loopback addresses only)')
  }
  if (url.username !== '' || url.password !== '' || url.hash !== '') {
    throw unfit(text, 'may have no user, no password and no fragment')
  }
  return url
}

const unfit = (text: string, what: string): CountersignError =>
  new CountersignError(
    'configuration-invalid',
    `${JSON.stringify(cutText(text, LONGEST_NAMED))} ${what}`,
  )
