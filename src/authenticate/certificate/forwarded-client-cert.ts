// The client certificate that a front Envoy sends in X-Forwarded-Client-Cert. A client that could set this header
// could authenticate as any user, so the proxy must remove it from its requests.

import { createHash } from 'node:crypto'
import {
  readVisible,
  valuesOf,
  type CertificateSource,
  type PresentedCertificates,
} from './certificate-source.ts'
import { readUrlEncodedPem } from './pem-text.ts'

const NAME = 'x-forwarded-client-cert'

/** Which element is read: the only one there may be, or the one that the nearest proxy appended. */
export type ElementChoice = 'only' | 'last'

/** The certificate of an element of X-Forwarded-Client-Cert. */
export const forwardedClientCertSource = (choice: ElementChoice): CertificateSource => ({
  locations: [{ kind: 'connection', header: NAME }],
  find({ headers }) {
    const [value, ...more] = valuesOf(headers, NAME)
    if (value === undefined) return { outcome: 'absent' }
    // Envoy writes one line, and appends to it.
    if (more.length > 0) return { outcome: 'conflict' }
    const text = readVisible(value)
    if (text === undefined) return { outcome: 'malformed' }
    // `only`: a second element is a conflict. `last`: the last element may be part of a name, and is a conflict then.
    if (choice === 'only' ? hasSeveral(text) : isAmbiguous(text)) return { outcome: 'conflict' }
    return { outcome: 'found', text, read: () => readElement(readXfcc(text)?.at(-1)) }
  },
})

/** Whether a comma is outside quotes; most values have none, and are not parsed. */
const hasSeveral = (text: string): boolean =>
  text.includes(',') && (readXfcc(text)?.length ?? 0) > 1

/**
 * Whether the last element may be part of a name of a certificate. Envoy writes URIs and DNS names unquoted, and last:
 * a comma in one looks like the end of an element, and the text after it like the certificate of another client.
 */
const isAmbiguous = (text: string): boolean =>
  text.includes(',') &&
  UNQUOTED_NAME.test(text) &&
  (readXfcc(text) ?? []).slice(0, -1).some((element) => element.some(([key]) => isUnquoted(key)))

// Most headers have none, and need no parsing.
const UNQUOTED_NAME = /(?:^|[,;])(?:URI|DNS)=/i

const isUnquoted = (key: string): boolean => key === 'uri' || key === 'dns'

const readElement = (element: XfccElement = []): PresentedCertificates | undefined => {
  const cert = onlyOne(element, 'cert')
  const chain = onlyOne(element, 'chain')
  const hash = onlyOne(element, 'hash')
  if (cert === undefined || cert === '' || chain === undefined || hash === undefined) {
    return undefined
  }
  const [leaf, ...surplus] = readUrlEncodedPem(cert) ?? []
  if (leaf === undefined || surplus.length > 0) return undefined
  if (hash !== '' && hash.toLowerCase() !== sha256(leaf)) return undefined
  if (chain === '') return { leaf, others: [] }
  // Envoy's Chain begins with the leaf.
  const [first, ...others] = readUrlEncodedPem(chain) ?? []
  return first?.equals(leaf) === true ? { leaf, others } : undefined
}

/** The value of a key; empty where it is absent, `undefined` where it is repeated. */
const onlyOne = (element: XfccElement, wanted: string): string | undefined => {
  const [value = '', ...more] = element.filter(([key]) => key === wanted).map(([, text]) => text)
  return more.length === 0 ? value : undefined
}

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')

/** One proxy's description of its client. */
export type XfccElement = readonly (readonly [key: string, value: string])[]

// Envoy adds one for each proxy.
const MOST_ELEMENTS = 16
// A certificate may have any number of alternative names, and each is a pair.
const MOST_PAIRS = 256

// A value may be empty: Envoy writes `URI=` where there is none. Envoy does not quote a URI or a DNS name, and a URI
// may contain "="; a comma or semicolon in one is parsed as the next element or pair. Callers must refuse such a name
// before the element that is read.
const PAIR = /([A-Za-z]{1,32})=(?:"((?:[^"\\]|\\.)*)"|([^",;]*))([,;]|$)/y

/**
 * Parses the elements, the farthest proxy's first; keys in lower case (Envoy compares them case-insensitively).
 *
 * @returns `undefined` when the text has another form, or more parts than any Envoy writes
 */
export const readXfcc = (text: string): readonly XfccElement[] | undefined => {
  const elements: XfccElement[] = []
  let pairs: (readonly [string, string])[] = []
  let at = 0
  for (let separator = ';'; separator !== '';) {
    PAIR.lastIndex = at
    const match = PAIR.exec(text)
    if (match === null || pairs.length === MOST_PAIRS) return undefined
    const [, key = '', quoted, bare = '', end = ''] = match
    pairs.push([key.toLowerCase(), quoted?.replaceAll(/\\(.)/g, '$1') ?? bare])
    at = PAIR.lastIndex
    separator = end
    if (separator === ';') continue
    if (elements.length === MOST_ELEMENTS) return undefined
    elements.push(pairs)
    pairs = []
  }
  return elements
}
