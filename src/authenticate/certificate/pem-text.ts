// Certificates as Envoy writes them: PEM (RFC 7468), URL-encoded. Strict: Envoy writes nothing between the blocks, and
// no malformed block.

import { LONGEST_TEXT, MOST_CERTIFICATES } from './certificate-source.ts'

const BLOCK =
  /-----BEGIN CERTIFICATE-----\r?\n([A-Za-z0-9+/=\r\n]+)-----END CERTIFICATE-----(?:\r?\n|$)/y

/**
 * The DER of every certificate of a URL-encoded PEM text, in order.
 *
 * @returns `undefined` when the text is anything else, or has no certificate or too many
 */
export const readUrlEncodedPem = (text: string): readonly [Buffer, ...Buffer[]] | undefined => {
  const pem = percentDecoded(text)
  if (pem === undefined) return undefined
  const ders: Buffer[] = []
  for (let at = 0; at < pem.length; at = BLOCK.lastIndex) {
    BLOCK.lastIndex = at
    const [, base64] = BLOCK.exec(pem) ?? []
    const der = base64 && decodeBase64(base64.replaceAll(/\r?\n/g, ''))
    if (!der || ders.length === MOST_CERTIFICATES) return undefined
    ders.push(der)
  }
  const [leaf, ...others] = ders
  return leaf && [leaf, ...others]
}

const percentDecoded = (text: string): string | undefined => {
  if (text.length > LONGEST_TEXT) return undefined
  try {
    // Not form decoding: "+" is a digit of base64.
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

/** Base64 (RFC 4648 §4) in its canonical spelling; `undefined` for any other text. */
export const decodeBase64 = (text: string): Buffer | undefined => {
  const bytes = Buffer.from(text, 'base64')
  return bytes.length > 0 && bytes.toString('base64') === text ? bytes : undefined
}
