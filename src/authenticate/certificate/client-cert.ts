// The client certificate that a TLS-terminating proxy sends in Client-Cert and Client-Cert-Chain (RFC 9440). A client
// that could set these headers could authenticate as any user, so the proxy must remove them from its requests (RFC
// 9440 §4).

import {
  MOST_CERTIFICATES,
  readVisible,
  valuesOf,
  type CertificateSource,
  type PresentedCertificates,
} from './certificate-source.ts'
import { decodeBase64 } from './pem-text.ts'

const LEAF = 'client-cert'
const CHAIN = 'client-cert-chain'

/** The certificate of Client-Cert, with those of Client-Cert-Chain. */
export const clientCertSource: CertificateSource = {
  locations: [
    { kind: 'connection', header: LEAF },
    { kind: 'connection', header: CHAIN },
  ],
  find({ headers }) {
    const [leaf, ...leaves] = valuesOf(headers, LEAF)
    const [chain, ...chains] = valuesOf(headers, CHAIN)
    if (leaf === undefined && chain === undefined) return { outcome: 'absent' }
    // RFC 9440 §2.2 and §2.3: a singleton, and no chain without it.
    if (leaf === undefined || leaves.length > 0 || chains.length > 0) {
      return { outcome: 'malformed' }
    }
    const text = readVisible(leaf)
    const further = chain && readVisible(chain)
    if (text === undefined || (chain !== undefined && further === undefined)) {
      return { outcome: 'malformed' }
    }
    return {
      outcome: 'found',
      text: further === undefined ? text : `${text}\n${further}`,
      read: () => readCertificates(text, further),
    }
  },
}

const readCertificates = (text: string, chain?: string): PresentedCertificates | undefined => {
  const leaf = readByteSequence(text)
  const others = chain === undefined ? [] : readByteSequences(chain)
  if (leaf === undefined || others === undefined) return undefined
  return others.length < MOST_CERTIFICATES ? { leaf, others } : undefined
}

/**
 * The bytes of an item that is one byte sequence, `:base64:`, without parameters.
 *
 * @returns `undefined` for anything else, non-canonical base64 included
 */
export const readByteSequence = (text: string): Buffer | undefined => {
  const [, base64] = /^ *:([A-Za-z0-9+/=]+): *$/.exec(text) ?? []
  return (base64 && decodeBase64(base64)) || undefined
}

/** The bytes of every member of a list of byte sequences; `undefined` for anything else. */
export const readByteSequences = (text: string): readonly Buffer[] | undefined => {
  // Neither base64 nor a colon contains a comma.
  const members = text.split(',').map(readByteSequence)
  const bytes = members.filter((member) => member !== undefined)
  return bytes.length === members.length ? bytes : undefined
}
