// The user name if the configuration has no expression for it.

import type { CertificateFields } from './certificate-fields.ts'

/**
 * The user of a token: a subject is unique to its issuer only (RFC 7519 §4.1.2). Kubernetes names
 * users so by default (kubernetes.io, "Authenticating": --oidc-username-prefix).
 */
export const tokenUser = (issuer: string, subject: string): string => `${issuer}#${subject}`

/** The user of a certificate: its CN, as Kubernetes has it; where it is not clear which, the whole name. */
export const certificateUser = ({ subject, subjectName }: CertificateFields): string => {
  const [name, ...more] = subject['CN'] ?? []
  return name !== undefined && more.length === 0 ? name : subjectName
}

/** The groups of a certificate: every O, as Kubernetes has it. */
export const certificateGroups = ({ subject }: CertificateFields): readonly string[] =>
  subject['O'] ?? []
