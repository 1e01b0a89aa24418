// CAs and callers of the scenarios: their certificates, on disk where Envoy, authz and the callers
// themselves read them.

import { createHash } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { readCertificate } from '../../../src/x509/certificate.ts'
import { DAY, makeAuthority, makeClient, pemOf, type Made } from '../../pki/making.ts'
import type { KeyPair } from '../../servers/pki.ts'
import type { TemporaryFolder } from '../../servers/temporary.ts'
import type { Site } from '../site.ts'

/** A caller, and what its certificate says. */
export interface Caller extends KeyPair {
  readonly made: Made
  /** Lower-case hexadecimal. */
  readonly serial: string
  /** SHA-256 of the DER, lower-case hexadecimal. */
  readonly fingerprint: string
}

/** The site as that caller reaches it. */
export const as = (site: Site, { certificate, key }: KeyPair): Site => ({
  ...site,
  target: { ...site.target, client: { certificate, key } },
})

/** Seconds since the epoch. */
export const now = (): number => Math.floor(Date.now() / 1_000)

// Begun yesterday, since clocks of containers and their hosts differ.
const validity = (): { readonly notBefore: number; readonly notAfter: number } => ({
  notBefore: now() - DAY,
  notAfter: now() + 30 * DAY,
})

/** Makes a CA, by itself or under another. */
export const makeCa = (subject: string, signer?: Made): Made =>
  makeAuthority({ subject, ...validity(), ...(signer === undefined ? {} : { signer }) })

/** Makes a caller's certificate, that of CN=alice,O=developers unless it is to be another. */
export const makeCaller = async (
  folder: TemporaryFolder,
  wish: Parameters<typeof makeClient>[0],
  chain: readonly Made[] = [],
): Promise<Caller> => {
  const made = makeClient({ ...validity(), ...wish })
  const fingerprint = createHash('sha256').update(made.der).digest('hex')
  const files = {
    certificate: folder.file(`${fingerprint}.pem`),
    key: folder.file(`${fingerprint}.key`),
  }
  const key = made.keys.privateKey.export({ type: 'pkcs8', format: 'pem' })
  await writeFile(files.certificate, pemOf(made, ...chain))
  await writeFile(files.key, key, { mode: 0o600 })
  const { serialNumber } = readCertificate(made.der)
  const serial = serialNumber.toString('hex').replace(/^00(?=..)/, '')
  return { ...files, made, serial, fingerprint }
}

/** Writes certificates into one PEM file, and gives its path. */
export const writePem = async (
  folder: TemporaryFolder,
  name: string,
  ...certificates: readonly Made[]
): Promise<string> => {
  const file = folder.file(name)
  await writeFile(file, pemOf(...certificates))
  return file
}
