// The client certificate as an Envoy in front says it in X-Forwarded-Client-Cert. Whoever can write
// that header is whoever they like, so this is for proxies that remove what callers send.

import { createHash } from 'node:crypto'
import {
  readVisible,
  valuesOf,
  type CertificateSource,
  type ShownCertificates,
} from './certificate-source.ts'
import { readUrlEncodedPem } from './pem-text.ts'

const NAME = 'x-forwarded-client-cert'

/** Which element counts: the only one there may be, or the one that the nearest proxy appended. */
export type ElementChoice = 'only' | 'last'

/** The certificate of an element of X-Forwarded-Client-Cert. */
export const forwardedClientCertSource = (choice: ElementChoice): CertificateSource => ({
  locations: [{ kind: 'connection', header: NAME }],
  find({ headers }) {
    const [value, ...more] = valuesOf(headers, NAME)
    if (value === undefined) return { outcome: 'absent' }
    // Envoy writes one line, and appends to that.
    if (more.length > 0) return { outcome: 'conflict' }
    const text = readVisible(value)
    if (text === undefined) return { outcome: 'malformed' }
    // In one with a comma, what is remembered would have to remember which element counts.
    if (choice === 'only' ? hasSeveral(text) : isAmbiguous(text)) return { outcome: 'conflict' }
    return { outcome: 'found', text, read: () => readElement(readXfcc(text)?.at(-1)) }
  },
})

/** Whether a comma stands outside quotes; without a comma at all, which is the rule, at no cost. */
const hasSeveral = (text: string): boolean =>
  text.includes(',') && (readXfcc(text)?.length ?? 0) > 1

/**
 * Whether the last element could stand inside a name of a certificate. Envoy writes URIs and DNS names as they are,
 * and last: a comma in one looks like the end of an element, and what follows it like the certificate of another.
 */
const isAmbiguous = (text: string): boolean =>
  text.includes(',') &&
  UNQUOTED_NAME.test(text) &&
  (readXfcc(text) ?? []).slice(0, -1).some((element) => element.some(([key]) => isUnquoted(key)))

// Most headers have none, and need not be read.
const UNQUOTED_NAME = /(?:^|[,;])(?:URI|DNS)=/i

const isUnquoted = (key: string): boolean => key === 'uri' || key === 'dns'

const readElement = (element: XfccElement = []): ShownCertificates | undefined => {
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

/** The value of a key; empty where it isn't there, `undefined` where it is more than once. */
const onlyOne = (element: XfccElement, wanted: string): string | undefined => {
  const [value = '', ...more] = element.filter(([key]) => key === wanted).map(([, text]) => text)
  return more.length === 0 ? value : undefined
}

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')

/** One proxy's account of its client. */
export type XfccElement = readonly (readonly [key: string, value: string])[]

// Envoy adds one for each proxy.
const MOST_ELEMENTS = 16
// A certificate may have any number of alternative names, and each is a pair.
const MOST_PAIRS = 256

// A value may be empty: Envoy writes `URI=` where there is none. Envoy does not quote a URI or a DNS
// name, and a URI may hold "="; a comma or semicolon in one is the next element or pair, whoever
// meant it. Callers of this see that no such name stands before the element that counts.
const PAIR = /([A-Za-z]{1,32})=(?:"((?:[^"\\]|\\.)*)"|([^",;]*))([,;]|$)/y

/**
 * Reads the elements, the farthest proxy's first; keys in lower case (Envoy compares them so).
 *
 * @returns `undefined` when the text has another form or more parts than anybody's has
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
