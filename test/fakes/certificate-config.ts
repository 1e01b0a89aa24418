// `forward.certificate` of a route, parsed as the configuration's is.

import { certificateSchema, type CertificateConfig } from '../../src/grant/schema.ts'

/** CN from the user, one O for each group, and what the test says otherwise. */
export const certificateConfigOf = (
  parts: Readonly<Record<string, unknown>> = {},
): CertificateConfig =>
  certificateSchema.parse({
    ca: 'kube',
    subject: { CN: 'identity.user', O: 'identity.groups' },
    ...parts,
  })
