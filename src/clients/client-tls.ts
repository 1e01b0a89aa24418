// The TLS files of an outgoing connection, read and checked when the configuration is loaded. OpenSSL alone takes
// text for an empty list of authorities, and accepts a certificate with a key of another type.

import { createPrivateKey, X509Certificate } from 'node:crypto'
import { createSecureContext } from 'node:tls'
import type { ConfigurationFiles } from '../config/files.ts'
import { describeReference, readSecret } from '../config/secret.ts'
import type { ProblemList } from '../config/problem-list.ts'
import type { Resolved } from '../config/references.ts'
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

/** What is in them. A server has the same: the CAs of its clients, its certificate, and its key. */
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
): Promise<ClientTls> => {
  const tls = {
    ca: ca === undefined ? undefined : await files.read(ca),
    client: client && {
      certificate: await files.read(client.certificate),
      key: await readSecret(client.key, files),
    },
  }
  const names = {
    ca,
    certificate: client?.certificate,
    key: client && describeReference(client.key),
  }
  const fault = tlsFault(tls, names)
  if (fault !== undefined) throw new CountersignError('configuration-invalid', fault.message)
  return tls
}

/** References to the files, as `resolveReferences` reads them. */
interface ClientTlsReferences {
  readonly ca?: SecretReference | undefined
  readonly client?: Readonly<Record<'certificate' | 'key', SecretReference>> | undefined
}

/**
 * Checks files that `resolveReferences` has read.
 *
 * @param path of the section that has the keys `ca` and `client`
 * @returns whether they can be used; where they cannot, the reason is in `problems`
 */
export const isUsableTls = (
  { ca, client }: ClientTlsReferences,
  contents: Resolved<ClientTlsReferences>,
  path: readonly PropertyKey[],
  problems: ProblemList,
): boolean => {
  const tls = {
    ca: contents.ca?.bytes(),
    client: contents.client && {
      certificate: contents.client.certificate.bytes(),
      key: contents.client.key.bytes(),
    },
  }
  const nameOf = (reference: SecretReference | undefined) =>
    reference && describeReference(reference)
  const fault = tlsFault(tls, {
    ca: nameOf(ca),
    certificate: nameOf(client?.certificate),
    key: nameOf(client?.key),
  })
  if (fault !== undefined) problems.add([...path, ...fault.path], fault.message)
  return fault === undefined
}

/** What is wrong, and the key that names the file. */
interface Fault {
  readonly path: readonly string[]
  readonly message: string
}

/**
 * The first thing that is wrong with the files.
 *
 * @param names of the files, for the message
 */
export const tlsFault = (
  { ca, client }: ClientTls,
  names: Readonly<Record<'ca' | 'certificate' | 'key', string | undefined>>,
): Fault | undefined => {
  if (ca !== undefined && !holdsCertificates(ca)) {
    return { path: ['ca'], message: `${names.ca} holds no certificate in PEM` }
  }
  if (client === undefined) return undefined
  if (!holdsCertificates(client.certificate)) {
    const message = `${names.certificate} holds no certificate in PEM`
    return { path: ['client', 'certificate'], message }
  }
  if (belong(client.certificate, client.key)) return undefined
  const message = `${names.key} does not hold the key of ${names.certificate}`
  return { path: ['client', 'key'], message }
}

const holdsCertificates = (pem: Buffer): boolean => {
  const found = decodePem('CERTIFICATE', pem.toString('latin1'))
  try {
    // Not its subject, which may be empty (RFC 5280 §4.1.2.6), as in certificates of cert-manager.
    return found.length > 0 && found.every((der) => new X509Certificate(der).raw.length > 0)
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
