// Client certificates, which Envoy sends with the check: alone, and with their revocation status available,
// from a CRL in a file or from earlier OCSP answers.

import { X509Certificate } from 'node:crypto'
import { copyFile, readFile, writeFile } from 'node:fs/promises'
import { skipWithoutOpenssl, startResponder } from '../../test/servers/ocsp.ts'
import { createAuthority, type Authority } from '../../test/servers/pki.ts'
import { temporaryFolder } from '../../test/servers/temporary.ts'
import { x509 } from '../../test/servers/x509.ts'
import type { Installation } from '../installation.ts'
import { GROUPS } from '../site.ts'
import type { Scheme, StartScheme } from './scheme.ts'

/** Certificates that count to their end. */
export const clientCertificates: StartScheme = async (installation, users) =>
  schemeOf('client certificate', await issue(installation, users))

/** Certificates that a CRL might list. */
export const listedCertificates: StartScheme = async (installation, users) => {
  const issued = await issue(installation, users)
  const file = installation.file('client-ca.crl')
  await writeFile(file, await makeCrl(issued.authority))
  return schemeOf('client certificate, with a CRL', issued, { crl: { files: [file] } })
}

const OCSP = 'client certificate, with an OCSP answer'

/** Certificates whose status a responder reports. */
export const askedCertificates: StartScheme = async (installation, users) => {
  const reason = skipWithoutOpenssl()
  if (reason !== false) return { name: OCSP, reason }
  const issued = await issue(installation, users)
  const url = await respond(installation, issued)
  // The responder is queried once about each certificate, before anything is measured.
  return schemeOf(OCSP, issued, { ocsp: { urls: [url], cacheTtl: '1h' } })
}

interface Issued {
  readonly authority: Authority
  /** PEM, by user. */
  readonly certificates: ReadonlyMap<string, string>
}

const issue = async (installation: Installation, users: readonly string[]): Promise<Issued> => {
  const authority = installation.use(await createAuthority('Countersign client bench CA'))
  const certificates = new Map<string, string>()
  for (const commonName of users) {
    const request = { commonName, organizations: GROUPS, usage: 'client' } as const
    const { certificate } = await authority.issue(request)
    certificates.set(commonName, await readFile(certificate, 'utf8'))
  }
  return { authority, certificates }
}

const schemeOf = (
  name: string,
  { authority, certificates }: Issued,
  revocation?: object,
): Scheme => ({
  name,
  authenticators: (cacheTtl) => [
    {
      certificate: {
        trust: authority.ca,
        cacheTtl,
        ...(revocation === undefined ? {} : { revocation }),
      },
    },
  ],
  credential: (user) => ({ certificate: certificates.get(user) ?? '' }),
  proofs: 'many',
  remembers: true,
})

const DAY = 86_400_000
const LISTED = 1_000

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const

/** A CRL that lists other certificates, DER. */
const makeCrl = async ({ ca, key }: Authority): Promise<Buffer> => {
  const root = new x509.X509Certificate(await readFile(ca, 'utf8'))
  const [der = new ArrayBuffer()] = x509.PemConverter.decode(await readFile(key, 'utf8'))
  const signingKey = await crypto.subtle.importKey('pkcs8', der, ALGORITHM, false, ['sign'])
  const crl = await x509.X509CrlGenerator.create({
    issuer: root.subjectName,
    thisUpdate: new Date(Date.now() - DAY),
    nextUpdate: new Date(Date.now() + DAY),
    entries: Array.from({ length: LISTED }, (_, index) => ({
      serialNumber: (0x10_0000 + index).toString(16),
      revocationDate: new Date(Date.now() - DAY),
    })),
    signingKey,
    signingAlgorithm: ALGORITHM,
  })
  return Buffer.from(crl.rawData)
}

/** Starts a responder that knows these certificates, its answers signed by their CA; gives its URL. */
const respond = async (
  installation: Installation,
  { authority, certificates }: Issued,
): Promise<string> => {
  const folder = installation.use(await temporaryFolder())
  // The list of `openssl ca`: valid, until when, serial number, file, subject.
  const lines = Array.from(certificates, ([user, pem]) =>
    [
      'V',
      '491231235959Z',
      '',
      new X509Certificate(pem).serialNumber,
      'unknown',
      `/CN=${user}`,
    ].join('\t'),
  )
  await writeFile(folder.file('index.txt'), `${lines.join('\n')}\n`)
  await copyFile(authority.ca, folder.file('ca.crt'))
  await copyFile(authority.key, folder.file('ca.key'))
  const responder = installation.use(await startResponder(folder, 'ca', ['-nmin', '120']))
  return responder.url
}
