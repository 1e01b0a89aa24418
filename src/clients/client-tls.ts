// Reads the TLS files of an outgoing connection, and checks them when the configuration is loaded. OpenSSL alone takes
// text for an empty list of authorities, and accepts a certificate with a key of another type.

import { createPrivateKey, X509Certificate } from 'node:crypto'
import { createSecureContext } from 'node:tls'
import type { ConfigurationFiles } from '../config/files.ts'
import { describeReference, readSecret } from '../config/secret.ts'
import type { SecretReference } from '../config/values.ts'
import { CountersignError } from '../runtime/errors.ts'
import { decodePem } from '../x509/pem.ts'

interface ClientFiles {
  readonly certificate: string
  readonly key: SecretReference
}

/** Where the files are. */
export interface ClientTlsFiles {
  /** The CAs of the server's certificate; without it, those that Node trusts. */
  readonly ca: string | undefined
  /** The client certificate. */
  readonly client: ClientFiles | undefined
}

/** What is in them. */
export interface ClientTls {
  readonly ca: Buffer | undefined
  readonly client: { readonly certificate: Buffer; readonly key: Buffer } | undefined
}

/**
 * Reads them.
 *
 * @throws CountersignError `file-unreadable`, `configuration-invalid` when they cannot be used
 */
export const clientTls = async (
  { ca, client }: ClientTlsFiles,
  files: ConfigurationFiles,
): Promise<ClientTls> => ({
  ca: ca === undefined ? undefined : await readAuthorities(ca, files),
  client: client && (await readClient(client, files)),
})

const readAuthorities = async (path: string, files: ConfigurationFiles): Promise<Buffer> => {
  const pem = await files.read(path)
  if (!holdsCertificates(pem)) throw unusable(`${path} holds no certificate, PEM`)
  return pem
}

const readClient = async (
  { certificate: path, key: reference }: ClientFiles,
  files: ConfigurationFiles,
): Promise<NonNullable<ClientTls['client']>> => {
  const certificate = await files.read(path)
  if (!holdsCertificates(certificate)) throw unusable(`${path} holds no certificate, PEM`)
  const key = await readSecret(reference, files)
  if (!belong(certificate, key)) {
    throw unusable(`${describeReference(reference)} does not hold the key of ${path}`)
  }
  return { certificate, key }
}

const holdsCertificates = (pem: Buffer): boolean => {
  const found = decodePem('CERTIFICATE', pem.toString('latin1'))
  try {
    return found.length > 0 && found.every((der) => new X509Certificate(der).subject !== undefined)
  } catch {
    return false
  }
}

const belong = (certificate: Buffer, key: Buffer): boolean => {
  try {
    createSecureContext({ cert: certificate, key })
    return new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key))
  } catch {
    return false // without what OpenSSL says, which may quote the key
  }
}

const unusable = (message: string): CountersignError =>
  new CountersignError('configuration-invalid', message)
