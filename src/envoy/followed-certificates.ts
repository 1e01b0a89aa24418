// Certificates and CAs that Envoy follows while it runs. Those that a bootstrap names are read once, when Envoy starts; those
// of a secret in a file are read again when their folder changes:
// https://www.envoyproxy.io/docs/envoy/latest/configuration/security/secret

import { join } from 'node:path'
import { file, typeUrl, type Message } from './message.ts'

/** A bootstrap, and the files that it names, by their paths. */
export interface FollowedCertificates {
  readonly bootstrap: object
  readonly files: ReadonlyMap<string, string>
}

/** The bootstrap with a secret in a file of the folder for each certificate and CA that it names, once for equal ones. */
export const followCertificates = (bootstrap: object, folder: string): FollowedCertificates => {
  const secrets = new Secrets(folder)
  const followed = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(followed)
    if (typeof value !== 'object' || value === null) return value
    const entries = Object.entries(value).map(
      ([field, inner]): readonly [string, unknown] =>
        replaced(field, inner, secrets) ?? [field, followed(inner)],
    )
    return Object.fromEntries(entries)
  }
  return { bootstrap: Object(followed(bootstrap)), files: secrets.files }
}

/** A field of CommonTlsContext with secrets in place of paths; absent where it has none of these paths. */
const replaced = (
  field: string,
  value: unknown,
  secrets: Secrets,
): readonly [string, unknown] | undefined => {
  if (field === 'tls_certificates') {
    const pair = pairIn(value)
    if (pair === undefined) return undefined
    return ['tls_certificate_sds_secret_configs', [secrets.configOf('certificate', pair)]]
  }
  if (field !== 'validation_context') return undefined
  const { trusted_ca: trusted, ...rest }: Message = Object(value)
  const path = fieldOf(trusted, 'filename')
  if (typeof path !== 'string') return undefined
  const config = secrets.configOf('ca', { trusted_ca: file(path) })
  if (Object.keys(rest).length === 0) return ['validation_context_sds_secret_config', config]
  // Envoy merges what the secret has into what stays here: the names that the peer must have.
  return [
    'combined_validation_context',
    { default_validation_context: rest, validation_context_sds_secret_config: config },
  ]
}

/** A TlsCertificate of the one pair of files in a list; absent where it is not of two files. */
const pairIn = (certificates: unknown): Message | undefined => {
  if (!Array.isArray(certificates) || certificates.length !== 1) return undefined
  const certificate = fieldOf(fieldOf(certificates[0], 'certificate_chain'), 'filename')
  const key = fieldOf(fieldOf(certificates[0], 'private_key'), 'filename')
  return typeof certificate === 'string' && typeof key === 'string'
    ? { certificate_chain: file(certificate), private_key: file(key) }
    : undefined
}

const fieldOf = (value: unknown, name: string): unknown =>
  new Map<string, unknown>(Object.entries(Object(value))).get(name)

/** The field of transport_sockets.tls.v3.Secret that holds a secret of a kind. */
const FIELDS = { certificate: 'tls_certificate', ca: 'validation_context' } as const

type Kind = keyof typeof FIELDS

/** The secrets in a folder. */
class Secrets {
  readonly files = new Map<string, string>()
  readonly #folder: string
  readonly #names = new Map<string, string>()
  readonly #counts: Record<Kind, number> = { certificate: 0, ca: 0 }

  constructor(folder: string) {
    this.#folder = folder
  }

  /** The SdsSecretConfig of a secret. */
  configOf(kind: Kind, content: Message): Message {
    const id = JSON.stringify(content)
    const name = this.#names.get(id) ?? `${kind}-${(this.#counts[kind] += 1)}`
    this.#names.set(id, name)
    const path = join(this.#folder, `${name}.json`)
    this.files.set(path, secretFile(name, { [FIELDS[kind]]: content }))
    return { name, sds_config: { path_config_source: { path }, resource_api_version: 'V3' } }
  }
}

/**
 * A DiscoveryResponse with one transport_sockets.tls.v3.Secret. Envoy watches the folder of each file for renames, such as
 * those of the kubelet, which renames a link in the folder and not the files.
 */
const secretFile = (name: string, content: Message): string => {
  const secret = { '@type': typeUrl('transport_sockets.tls.v3.Secret'), name, ...content }
  return `${JSON.stringify({ resources: [secret] }, undefined, 2)}\n`
}
