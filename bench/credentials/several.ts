// Two credentials at once.

import { clientCertificates } from './certificates.ts'
import type { StartScheme } from './scheme.ts'
import { signedTokens } from './tokens.ts'

/** A client certificate and a token, both of the same user. */
export const certificateAndToken: StartScheme = async (installation, users) => {
  const certificate = await clientCertificates(installation, users)
  const token = await signedTokens('ES256')(installation, users)
  if ('reason' in certificate) return certificate
  if ('reason' in token) return token
  return {
    name: `${certificate.name} and ${token.name}`,
    authenticators: (cacheTtl) =>
      [certificate, token].flatMap((scheme) => scheme.authenticators(cacheTtl)),
    credential: (user, index) => ({
      ...certificate.credential(user, index),
      ...token.credential(user, index),
    }),
    proofs: 'many',
    remembers: true,
  }
}
