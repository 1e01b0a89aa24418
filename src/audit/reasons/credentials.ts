// Reasons about credentials in general, passwords, API keys and sessions.

import type { AccountRefusal } from '../../authenticate/password/verifier.ts'
import type { ReasonExplanation } from './explanation.ts'

/** Credentials that are missing or not accepted on the route, whatever their kind. */
export const CREDENTIAL_REASONS = {
  'credential-missing': {
    cause: 'The request has no credential that an authenticator of the route reads.',
    remedy:
      'Send one: `WWW-Authenticate` of the answer lists the kinds. Behind another proxy, check that it forwards `Authorization` or the client certificate.',
  },
  'credential-unsupported': {
    cause:
      'The request has a credential that no authenticator of the route accepts: another scheme, or a token of another issuer.',
    remedy:
      '`detail` names the issuer of a token. Add an authenticator for it to `routes[].authenticate`, or obtain another credential.',
  },
  'credential-conflict': {
    cause:
      'The request has two credentials where one is expected, or, with `sameUser`, credentials of two users.',
    remedy: 'Send one credential. With `all`, send credentials of the same user.',
  },
  'credential-malformed': {
    cause:
      'The credential cannot be parsed: no Base64, no JWT, no key of this form, no certificate.',
    remedy: 'Correct the client. Copying often cuts a token or adds a line break.',
  },
  'credential-wrong': {
    cause: 'The password is wrong.',
    remedy: 'Correct the password. Repeated attempts lead to `too-many-attempts`.',
  },
  'too-many-attempts': {
    cause:
      'Too many failed attempts of this user, from this address, or both. This attempt was not verified, so its password may be right.',
    remedy:
      'Wait for the time in `Retry-After`. A client with an old password in its configuration causes this, too. Limits: `bruteForceProtection`.',
  },
  'rate-limited': {
    cause:
      'This caller sent more requests to a shared server (introspection, API server, token endpoint) than its share. Nothing was sent to the server.',
    remedy:
      'Wait for the time in `Retry-After`. If the load is legitimate, raise `perCaller` of that server, or `cacheTtl`.',
  },
  'authenticator-unavailable': {
    cause:
      'The server that verifies the credential did not answer in time, its answer was discarded, or its keys or CRLs could not be fetched.',
    remedy:
      'Read `detail` of the event (LDAP, RADIUS) or the log of authz for the cause, then `countersign doctor`. `countersign_dependency_up` shows which server is affected.',
  },
  'api-key-unknown': {
    cause: 'The file of API keys does not have this key.',
    remedy: 'Send a key that exists, or add it: `countersign keys api`.',
  },
  'api-key-expired': {
    cause: 'The key is past its `expires`.',
    remedy: 'Issue a new key, and remove the old entry.',
  },
  'session-ended': {
    cause: 'The session cookie belongs to no session: it ended, expired, or never existed.',
    remedy:
      'Log in again. If all users are affected, `state` was lost: without `sqlite` or `redis` a restart of authz ends all sessions.',
  },
  'cross-origin': {
    cause:
      'A page of another origin sent this request with the cookie of a session (`Origin`, `Sec-Fetch-Site`).',
    remedy:
      'Open the service in a tab of its own. If the page is a trusted one, add its origin to `session.origins`.',
  },
} as const satisfies Readonly<Record<string, ReasonExplanation>>

/** Users who cannot log in by a password. */
export const USER_REASONS = {
  'user-unknown': {
    cause: 'No verifier of the authenticator knows this user.',
    remedy:
      'Check the name. For LDAP, search the directory with the same `search.base` and `search.filter`. The event has `userHash` in place of the name.',
  },
  'user-disabled': {
    cause: 'The account is disabled.',
    remedy: 'Enable it in the directory or in the users file.',
  },
  'user-locked': {
    cause: 'The directory has locked the account.',
    remedy: 'Unlock it in the directory, and find the client that sends the old password.',
  },
  'user-expired': {
    cause: 'The account has expired in the directory.',
    remedy: 'Extend it in the directory.',
  },
  'user-restricted': {
    cause: 'The directory does not permit this account at this hour or from this address.',
    remedy: 'Change the permitted hours or workstations in the directory.',
  },
  'password-expired': {
    cause: 'The password has expired.',
    remedy: 'Change it in the directory: Countersign changes no passwords.',
  },
  'password-must-change': {
    cause: 'The directory requires another password at the first login.',
    remedy: 'Change it in the directory: Countersign changes no passwords.',
  },
  'second-factor-required': {
    cause: 'The RADIUS server requests a second factor, which HTTP Basic cannot carry.',
    remedy:
      'Log in at the login page, or send the factor with the password where the server accepts that.',
  },
} as const satisfies Readonly<Record<AccountRefusal | 'user-unknown', ReasonExplanation>>
