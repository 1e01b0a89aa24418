// Certificates as they are on the day of the check: their times, their keys, and whether a CA is one.

import { createPrivateKey } from 'node:crypto'
import type { ConfigurationFiles } from '../../config/files.ts'
import { readChainCertificate, type ChainCertificate } from '../../pki/chain-certificate.ts'
import { CountersignError, describeError } from '../../runtime/errors.ts'
import { decodePem } from '../../x509/pem.ts'
import { errorAt, warningAt, type Finding } from './finding.ts'
import type { NamedCertificates } from './named-files.ts'

/** What a check reads with. */
export interface Reading {
  readonly files: ConfigurationFiles
  /** Milliseconds since the epoch. */
  readonly now: number
}

/** What is wrong with the certificates of one file. */
export const certificateFindings = async (
  named: NamedCertificates,
  reading: Reading,
): Promise<readonly Finding[]> => {
  const { path, file, role } = named
  const text = await contentsOf(named, reading)
  if (typeof text !== 'string') return [text]
  const certificates = readAll(text)
  if (certificates === undefined) return [errorAt(path, `${file} holds a malformed certificate`)]
  if (certificates.length === 0) return [errorAt(path, `${file} holds no certificate in PEM`)]
  if (role === 'leaf' || role === 'responder') {
    return [
      ...leafTimes(named, certificates, reading.now),
      ...(await keyFindings(named, certificates, reading)),
    ]
  }
  return [
    ...authorityTimes(named, certificates, reading.now),
    ...notAuthorities(named, certificates),
  ]
}

const contentsOf = async (
  { path, file }: Pick<NamedCertificates, 'path' | 'file'>,
  { files }: Reading,
): Promise<string | Finding> => {
  try {
    return (await files.read(file)).toString('latin1')
  } catch (cause) {
    if (!(cause instanceof CountersignError)) throw cause
    return errorAt(path, describeError(cause))
  }
}

const readAll = (text: string): readonly ChainCertificate[] | undefined => {
  try {
    return decodePem('CERTIFICATE', text).map(readChainCertificate)
  } catch {
    return undefined
  }
}

const DAY_S = 86_400
const MOST_SOON_S = 30 * DAY_S
const SKEW_S = 60

type Age = 'expired' | 'not-yet' | 'soon' | 'valid'

/** `soon`: in the last tenth of its life, and at most a month before its end. */
const ageOf = ({ parts: { notBefore, notAfter } }: ChainCertificate, now: number): Age => {
  const seconds = now / 1_000
  if (notAfter <= seconds) return 'expired'
  if (notBefore > seconds + SKEW_S) return 'not-yet'
  return notAfter - seconds < Math.min(MOST_SOON_S, (notAfter - notBefore) / 10) ? 'soon' : 'valid'
}

const ageText = (certificate: ChainCertificate, age: Age): string => {
  const { notBefore, notAfter } = certificate.parts
  if (age === 'not-yet') return `is not valid before ${isoTime(notBefore)}`
  return `${age === 'expired' ? 'expired' : 'expires'} at ${isoTime(notAfter)}`
}

const REMEDIES = {
  expired: 'Renew it',
  'not-yet': 'Check the clock of this machine and of its CA',
  soon: 'Renew it in time',
  valid: '',
} as const

const isoTime = (seconds: number): string =>
  new Date(seconds * 1_000).toISOString().replace('.000Z', 'Z')

const leafTimes = (
  { path, file }: NamedCertificates,
  certificates: readonly ChainCertificate[],
  now: number,
): readonly Finding[] => {
  const worst = certificates
    .map((certificate, index) => ({ certificate, index, age: ageOf(certificate, now) }))
    .find(({ age }) => age !== 'valid')
  if (worst === undefined) return []
  const { certificate, index, age } = worst
  const which = index === 0 ? `the certificate in ${file}` : `certificate ${index + 1} of ${file}`
  const message = `${which} ${ageText(certificate, age)}. ${REMEDIES[age]}`
  return [age === 'soon' ? warningAt(path, message) : errorAt(path, message)]
}

/** In a bundle, expired certificates are a warning while a valid one is left. */
const authorityTimes = (
  { path, file }: NamedCertificates,
  certificates: readonly ChainCertificate[],
  now: number,
): readonly Finding[] => {
  const aged = certificates
    .map((certificate, index) => ({ certificate, index, age: ageOf(certificate, now) }))
    .filter(({ age }) => age !== 'valid')
  const [first] = aged
  if (first === undefined) return []
  const { certificate, index, age } = first
  const isOnly = certificates.length === 1
  const which = isOnly
    ? `the CA in ${file}`
    : `CA ${index + 1} of ${certificates.length} in ${file}`
  const others = aged.length > 1 ? ` (and ${aged.length - 1} more)` : ''
  const unusable = aged.filter((one) => one.age !== 'soon').length === certificates.length
  const message = `${which} ${ageText(certificate, age)}${others}. ${unusable ? 'Every certificate of it is refused. ' : ''}${REMEDIES[age]}`
  return [unusable ? errorAt(path, message) : warningAt(path, message)]
}

const notAuthorities = (
  { path, file, role }: NamedCertificates,
  certificates: readonly ChainCertificate[],
): readonly Finding[] => {
  const index = certificates.findIndex(({ constraints }) => !constraints.isAuthority)
  const certificate = certificates[index]
  if (certificate === undefined) return []
  const which = certificates.length === 1 ? file : `certificate ${index + 1} of ${file}`
  const message = `${which} is not the certificate of a CA (basicConstraints without CA:TRUE). Name the CA that signed it`
  // A server's own self-signed certificate can be pinned so.
  return [
    role === 'ca' && certificate.isSelfIssued ? warningAt(path, message) : errorAt(path, message),
  ]
}

const keyFindings = async (
  { file, key }: NamedCertificates,
  [leaf]: readonly ChainCertificate[],
  reading: Reading,
): Promise<readonly Finding[]> => {
  if (key === undefined || leaf === undefined) return []
  const pem = await contentsOf(key, reading)
  if (typeof pem !== 'string') return [pem]
  if (/ENCRYPTED/.test(pem)) return [] // with a passphrase, which the section itself checks
  try {
    if (leaf.x509.checkPrivateKey(createPrivateKey(pem))) return []
  } catch {
    // Without what OpenSSL says, which may quote the key.
    return [errorAt(key.path, `${key.file} is not a private key in PEM`)]
  }
  return [errorAt(key.path, `${key.file} does not hold the key of ${file}`)]
}
