// Options for the directories of the tests, and what a verifier says of them.

import { readFile } from 'node:fs/promises'
import { LdapVerifier } from '../../../../src/authenticate/password/ldap/verifier.ts'
import { DirectoryError } from '../../../../src/clients/ldap/failure.ts'
import type { LdapOptions } from '../../../../src/authenticate/password/ldap/options.ts'
import { ServicePassword, type LdapLimits } from '../../../../src/clients/ldap/options.ts'
import type { Verification } from '../../../../src/authenticate/password/verifier.ts'
import { callerUntil } from '../../../fakes/caller.ts'
import type { OpenLdap } from '../../../servers/openldap.ts'
import { PEOPLE, SERVICE } from '../../../servers/openldap-data.ts'
import type { SambaAd } from '../../../servers/samba-ad.ts'
import { AD_PEOPLE, AD_SERVICE } from '../../../servers/samba-ad-data.ts'

/** A signal that never aborts. */
export const FOREVER = new AbortController().signal

/** Limits that a loaded machine keeps. */
export const LIMITS: LdapLimits = {
  connectTimeout: 5_000,
  operationTimeout: 5_000,
  concurrency: 8,
  waiting: 512,
  coolDown: 200,
  idle: 60_000,
}

/** Search and bind on OpenLDAP, through TLS. */
export const openLdapOptions = async ({ tlsPort, authority }: OpenLdap): Promise<LdapOptions> => ({
  servers: [`ldaps://127.0.0.1:${tlsPort}`],
  tls: { startTls: true, ca: await readFile(authority.ca) },
  limits: LIMITS,
  proof: {
    kind: 'search',
    service: { dn: SERVICE.dn, password: new ServicePassword(SERVICE.password) },
    search: { base: PEOPLE, scope: 'sub', filter: '(&(objectClass=inetOrgPerson)(uid={user}))' },
  },
  attributes: { user: 'uid', extra: {} },
})

/** Search and bind on Active Directory, through TLS. */
export const sambaOptions = async ({ address, authority }: SambaAd): Promise<LdapOptions> => ({
  servers: [`ldaps://${address}`],
  tls: { startTls: true, ca: await readFile(authority.ca) },
  limits: LIMITS,
  proof: {
    kind: 'search',
    service: { dn: AD_SERVICE.dn, password: new ServicePassword(AD_SERVICE.password) },
    search: {
      base: AD_PEOPLE,
      scope: 'sub',
      filter: '(&(objectCategory=person)(sAMAccountName={user}))',
    },
  },
  attributes: { user: 'sAMAccountName', extra: {} },
})

/** What a new verifier with these options says. */
export const verifyWith = async (
  options: LdapOptions,
  user: string,
  password: string,
  signal = FOREVER,
): Promise<Verification> => {
  using verifier = new LdapVerifier(options)
  return await verifier.verify(user, password, callerUntil(signal))
}

/** Why a verification is unavailable: the failure and the message, or what else came instead. */
export const causeOf = (
  verification: Verification,
): { readonly failure: string; readonly message: string } => {
  if (verification.outcome !== 'unavailable') return { failure: verification.outcome, message: '' }
  const { cause } = verification
  if (cause instanceof DirectoryError) return { failure: cause.failure, message: cause.message }
  return { failure: 'other', message: String(cause) }
}
