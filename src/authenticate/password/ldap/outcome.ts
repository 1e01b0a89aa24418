// The result of a bind as the user: the result code, Active Directory's sub-code, and the password policy control.

import type { AccountRefusal, Verification } from '../verifier.ts'
import { DirectoryError } from '../../../clients/ldap/failure.ts'
import { RESULT, type LdapResult } from '../../../clients/ldap/responses.ts'

/** The result of a bind as the user; `right` when it succeeded. */
export type BindOutcome =
  | { readonly outcome: 'right' }
  | Extract<Verification, { readonly outcome: 'wrong-password' | 'unknown-user' | 'barred' }>

// [MS-ERREF] 2.2, in hexadecimal, as the server's text has it: "…, data 52e, v4563".
const SUB_CODES: Readonly<Record<string, BindOutcome>> = {
  '525': { outcome: 'unknown-user' }, // ERROR_NO_SUCH_USER
  '52e': { outcome: 'wrong-password' }, // ERROR_LOGON_FAILURE
  '530': { outcome: 'barred', code: 'user-restricted' }, // ERROR_INVALID_LOGON_HOURS
  '531': { outcome: 'barred', code: 'user-restricted' }, // ERROR_INVALID_WORKSTATION
  '532': { outcome: 'barred', code: 'password-expired' }, // ERROR_PASSWORD_EXPIRED
  '533': { outcome: 'barred', code: 'user-disabled' }, // ERROR_ACCOUNT_DISABLED
  '701': { outcome: 'barred', code: 'user-expired' }, // ERROR_ACCOUNT_EXPIRED
  '773': { outcome: 'barred', code: 'password-must-change' }, // ERROR_PASSWORD_MUST_CHANGE
  '775': { outcome: 'barred', code: 'user-locked' }, // ERROR_ACCOUNT_LOCKED_OUT
}

// draft-behera-ldap-password-policy §6.2; its further codes concern a change of the password.
const POLICY_ERRORS: readonly AccountRefusal[] = [
  'password-expired',
  'user-locked',
  'password-must-change',
]

/**
 * Evaluates the result of a bind.
 *
 * @param server its URL, for messages
 * @throws DirectoryError when the result does not concern the user
 */
export const readBind = (
  { code, diagnostic, policyError }: LdapResult,
  server: string,
): BindOutcome => {
  const barred = policyError === undefined ? undefined : POLICY_ERRORS[policyError]
  // Whatever the result code: after a reset the bind succeeds, and permits only a change of the password; and the
  // result codes for a locked account differ between servers.
  if (barred !== undefined) return { outcome: 'barred', code: barred }
  switch (code) {
    case RESULT.success:
      return { outcome: 'right' }
    case RESULT.invalidCredentials:
      return subCodeIn(diagnostic) ?? { outcome: 'wrong-password' }
    case RESULT.inappropriateAuthentication: // the entry has no password
      return { outcome: 'wrong-password' }
    case RESULT.noSuchObject:
      return { outcome: 'unknown-user' }
    case RESULT.busy:
    case RESULT.unavailable:
      throw new DirectoryError('busy', `${server} is busy: result code ${code}`)
    case RESULT.confidentialityRequired:
      throw new DirectoryError('answered', `${server} takes no password without TLS`)
  }
  // Without the server's diagnostic message, which may contain the password.
  throw new DirectoryError(
    'answered',
    `${server} ended the bind as the user with result code ${code}`,
  )
}

const subCodeIn = (diagnostic: string): BindOutcome | undefined => {
  const [, subCode = ''] = /\bdata ([0-9a-f]{1,8})\b/i.exec(diagnostic) ?? []
  return SUB_CODES[subCode.toLowerCase()]
}
