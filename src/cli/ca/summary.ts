// Certificates and requests as readable text, as @peculiar/x509 reads them.

import { createHash, createPublicKey, type KeyObject } from 'node:crypto'
import { KEY_USAGES } from '../../x509/extensions.ts'
import { ATTRIBUTES, PURPOSES } from '../../x509/oid.ts'
import { printable } from '../printable.ts'
import { keyText } from './keys.ts'
import { decodeNameConstraints, type Subtree } from './name-constraints.ts'
import { NAME_CONSTRAINTS } from '../../pki/name-constraints.ts'
import { x509 } from './x509.ts'

type Line = readonly [label: string, text: string | undefined]

/**
 * The contents of a certificate.
 *
 * @param now milliseconds since the epoch
 */
export const certificateSummary = (certificate: x509.X509Certificate, now: number): string =>
  linesOf([
    ['subject', nameText(certificate.subjectName)],
    ['issuer', nameText(certificate.issuerName)],
    ['serial', certificate.serialNumber],
    ['valid', validityText(certificate, now)],
    ...extensionLines(certificate.extensions),
    ['key', publicKeyText(certificate.publicKey)],
    ['SHA-256', createHash('sha256').update(new Uint8Array(certificate.rawData)).digest('hex')],
  ])

/** The contents of a certificate request. */
export const requestSummary = (request: x509.Pkcs10CertificateRequest, isProven: boolean): string =>
  linesOf([
    ['subject', nameText(request.subjectName)],
    ...extensionLines(request.extensions),
    ['key', publicKeyText(request.publicKey)],
    ['signature', isProven ? 'holds by the key of the request' : 'DOES NOT HOLD'],
  ])

/** The alternative names of a request or certificate as text, such as `dns:api.example.org`. */
export const alternativeNameTexts = (extensions: readonly x509.Extension[]): readonly string[] =>
  extensions.flatMap((extension) =>
    extension instanceof x509.SubjectAlternativeNameExtension
      ? extension.names.items.map(({ type, value }) => `${type === 'url' ? 'uri' : type}:${value}`)
      : [],
  )

/** A distinguished name, in its order, with the short names of RFC 4519. */
export const nameText = (name: x509.Name): string =>
  new x509.Name(name.toArrayBuffer(), { ...ATTRIBUTES }).toString()

const WIDTH = 'name constraints'.length

const linesOf = (lines: readonly Line[]): string =>
  lines
    .filter(([, text]) => text !== undefined)
    .map(([label, text = '']) => `  ${label.padEnd(WIDTH)}  ${printable(text) || '(empty)'}\n`)
    .join('')

const DAY_MS = 86_400_000

const validityText = (
  { notBefore, notAfter }: Pick<x509.X509Certificate, 'notBefore' | 'notAfter'>,
  now: number,
): string => {
  const [from, until] = [notBefore, notAfter].map((date) => date.toISOString().replace('.000', ''))
  return `${from} to ${until} (${stateText(notBefore.getTime(), notAfter.getTime(), now)})`
}

const stateText = (notBefore: number, notAfter: number, now: number): string => {
  if (now < notBefore) return 'NOT YET VALID'
  if (now >= notAfter) return 'EXPIRED'
  const days = Math.floor((notAfter - now) / DAY_MS)
  return days === 1 ? '1 day left' : `${days} days left`
}

const publicKeyText = ({ rawData }: x509.PublicKey): string => {
  let key: KeyObject
  try {
    key = createPublicKey({ key: Buffer.from(rawData), format: 'der', type: 'spki' })
  } catch {
    return 'of an unknown kind'
  }
  return keyText(key)
}

const extensionLines = (extensions: readonly x509.Extension[]): readonly Line[] => {
  const names = alternativeNameTexts(extensions)
  return [
    ['names', names.length === 0 ? undefined : names.join(', ')],
    ...extensions.flatMap((extension): readonly Line[] => extensionLine(extension)),
  ]
}

const extensionLine = (extension: x509.Extension): readonly Line[] => {
  if (extension instanceof x509.SubjectAlternativeNameExtension) return []
  if (extension instanceof x509.SubjectKeyIdentifierExtension) return [['key id', extension.keyId]]
  if (extension instanceof x509.AuthorityKeyIdentifierExtension) {
    return [['issuer key id', extension.keyId ?? '(none)']]
  }
  if (extension instanceof x509.BasicConstraintsExtension) return [['CA', authorityText(extension)]]
  if (extension instanceof x509.KeyUsagesExtension) return [['key usage', usageText(extension)]]
  if (extension instanceof x509.ExtendedKeyUsageExtension) {
    return [['purposes', extension.usages.map(purposeText).join(', ')]]
  }
  if (extension.type === NAME_CONSTRAINTS) return [['name constraints', constraintsText(extension)]]
  return [['extension', `${extension.type}${extension.critical ? ' (critical)' : ''}`]]
}

const authorityText = ({ ca, pathLength }: x509.BasicConstraintsExtension): string => {
  if (!ca) return 'no'
  return pathLength === undefined ? 'yes' : `yes, path length ${pathLength}`
}

const usageText = ({ usages }: x509.KeyUsagesExtension): string =>
  KEY_USAGES.filter((usage) => (usages & x509.KeyUsageFlags[usage]) !== 0).join(', ')

const purposeNames: ReadonlyMap<string, string> = new Map(
  Object.entries(PURPOSES).map(([name, oid]) => [oid, name]),
)

const purposeText = (oid: unknown): string => purposeNames.get(String(oid)) ?? String(oid)

const constraintsText = ({ value }: x509.Extension): string => {
  try {
    const { permitted, excluded } = decodeNameConstraints(new Uint8Array(value))
    return [listText('permits', permitted), listText('excludes', excluded)]
      .filter((text) => text !== '')
      .join('; ')
  } catch {
    return 'cannot be read'
  }
}

const listText = (verb: string, subtrees: readonly Subtree[]): string =>
  subtrees.length === 0
    ? ''
    : `${verb} ${subtrees.map(({ kind, value }) => `${kind}:${value}`).join(', ')}`
