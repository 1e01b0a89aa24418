// Certificates that Envoy follows while it runs. Those that a bootstrap names are read once, when Envoy starts; those of a
// secret in a file are read again when their folder changes:
// https://www.envoyproxy.io/docs/envoy/latest/configuration/security/secret

import { join } from 'node:path'
import { file, typeUrl, type Message } from './message.ts'

/** A bootstrap, and the files that it names, by their paths. */
export interface FollowedCertificates {
  readonly bootstrap: object
  readonly files: ReadonlyMap<string, string>
}

interface Pair {
  readonly certificate: string
  readonly key: string
}

/** The bootstrap with a secret in a file of the folder for each certificate that it names, once for equal ones. */
export const followCertificates = (bootstrap: object, folder: string): FollowedCertificates => {
  const files = new Map<string, string>()
  const names = new Map<string, string>()
  const secretOf = (pair: Pair): Message => {
    const id = JSON.stringify(pair)
    const name = names.get(id) ?? `certificate-${names.size + 1}`
    names.set(id, name)
    const path = join(folder, `${name}.json`)
    files.set(path, secretFile(name, pair))
    return { name, sds_config: { path_config_source: { path }, resource_api_version: 'V3' } }
  }
  const followed = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(followed)
    if (typeof value !== 'object' || value === null) return value
    const entries = Object.entries(value).map(([field, inner]): readonly [string, unknown] => {
      const pair = field === 'tls_certificates' ? pairIn(inner) : undefined
      return pair === undefined
        ? [field, followed(inner)]
        : ['tls_certificate_sds_secret_configs', [secretOf(pair)]]
    })
    return Object.fromEntries(entries)
  }
  return { bootstrap: Object(followed(bootstrap)), files }
}

/** The files of the one TlsCertificate of a list; absent where it is not of two files. */
const pairIn = (certificates: unknown): Pair | undefined => {
  if (!Array.isArray(certificates) || certificates.length !== 1) return undefined
  const certificate = fieldOf(fieldOf(certificates[0], 'certificate_chain'), 'filename')
  const key = fieldOf(fieldOf(certificates[0], 'private_key'), 'filename')
  return typeof certificate === 'string' && typeof key === 'string'
    ? { certificate, key }
    : undefined
}

const fieldOf = (value: unknown, name: string): unknown =>
  new Map<string, unknown>(Object.entries(Object(value))).get(name)

/**
 * A DiscoveryResponse with one transport_sockets.tls.v3.Secret. Envoy watches the folder of each file for renames, such as
 * those of the kubelet, which renames a link in the folder and not the files.
 */
const secretFile = (name: string, { certificate, key }: Pair): string => {
  const secret = {
    '@type': typeUrl('transport_sockets.tls.v3.Secret'),
    name,
    tls_certificate: { certificate_chain: file(certificate), private_key: file(key) },
  }
  return `${JSON.stringify({ resources: [secret] }, undefined, 2)}\n`
}
