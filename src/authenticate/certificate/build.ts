// The `certificate` section, built: the trust anchors, and the location of the certificate.

import type { Authenticator } from '../authenticator.ts'
import type { CertificateSource } from './certificate-source.ts'
import { clientCertSource } from './client-cert.ts'
import { connectionSource } from './connection.ts'
import { forwardedClientCertSource } from './forwarded-client-cert.ts'
import { readAuthorities, trustIn } from '../../pki/trust.ts'
import { clientCertificateSchema, type ClientCertificateConfig } from './schema.ts'
import type { AuthenticatorKind } from '../kind.ts'
import type { AuthenticatorParts } from '../parts.ts'
import { buildRevocation } from './revocation.ts'

/** Builds an authenticator for client certificates; `undefined` when there are problems. */
const buildCertificate = async (
  name: string,
  config: ClientCertificateConfig,
  parts: AuthenticatorParts,
): Promise<Authenticator | undefined> => {
  const path = ['authenticators', name, 'certificate']
  const { files, problems, clock, credentialCache: cache } = parts
  const readFile = async (key: string, file: string) =>
    await problems.collect([...path, key], async () =>
      // As bytes, since comments around the certificates may have any encoding.
      readAuthorities(file, (await files.read(file)).toString('latin1')),
    )
  const anchors = await readFile('trust', config.trust)
  const intermediates =
    config.intermediates === undefined ? [] : await readFile('intermediates', config.intermediates)
  const revocation =
    config.revocation && (await buildRevocation(config.revocation, [...path, 'revocation'], parts))
  if (anchors === undefined || intermediates === undefined) return undefined
  // There are problems with it. A configured check must not be left out.
  if (config.revocation !== undefined && revocation === undefined) return undefined
  const { purposes, cacheTtl } = config
  // With the libraries that validate paths, which only this kind needs.
  const { certificateAuthenticator } = await import('./authenticator.ts')
  return certificateAuthenticator({
    name,
    source: sourceOf(config),
    trust: trustIn(anchors, intermediates),
    purposes,
    revocation,
    cacheTtl,
    clock,
    cache,
  })
}

const sourceOf = ({ from, element }: ClientCertificateConfig): CertificateSource => {
  switch (from) {
    case 'connection':
      return connectionSource
    case 'x-forwarded-client-cert':
      return forwardedClientCertSource(element)
    case 'client-cert':
      return clientCertSource
  }
}

/** The kind `certificate`. */
export const certificate = {
  schema: clientCertificateSchema,
  subject: 'certificate',
  method: 'certificate',
  proves: ['certificate'],
  locations: (config) => sourceOf(config).locations,
  build: buildCertificate,
} as const satisfies AuthenticatorKind<ClientCertificateConfig>
