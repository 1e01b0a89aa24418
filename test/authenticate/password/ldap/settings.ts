// Settings for the directories of the tests, and the verifications with them.

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import type { LdapSettings } from '../../../../src/authenticate/password/ldap/schema.ts'
import { LdapVerifier } from '../../../../src/authenticate/password/ldap/verifier.ts'
import type { Verification } from '../../../../src/authenticate/password/verifier.ts'
import { readServerUrl } from '../../../../src/clients/ldap/server-url.ts'
import { DirectoryError } from '../../../../src/clients/ldap/failure.ts'
import { Secret } from '../../../../src/config/references.ts'
import { callerUntil } from '../../../fakes/caller.ts'
import type { OpenLdap } from '../../../servers/openldap.ts'
import { PEOPLE, SERVICE } from '../../../servers/openldap-data.ts'
import type { SambaAd } from '../../../servers/samba-ad.ts'
import { AD_PEOPLE, AD_SERVICE } from '../../../servers/samba-ad-data.ts'

/** A signal that never aborts. */
export const FOREVER = new AbortController().signal

/** Limits that a busy machine keeps. */
export const LIMITS = {
  connectTimeout: 5_000,
  operationTimeout: 5_000,
  concurrency: 8,
  maxPending: 512,
  coolDown: 200,
  idleTimeout: 60_000,
} as const

/** The servers of these URLs. */
export const serversAt = (...urls: readonly string[]): LdapSettings['servers'] =>
  urls.map((url) => {
    const address = readServerUrl(url)
    assert.ok(address, url)
    return address
  })

/** Search and bind on OpenLDAP, through TLS. */
export const openLdapSettings = async ({
  tlsPort,
  authority,
}: OpenLdap): Promise<LdapSettings> => ({
  servers: serversAt(`ldaps://127.0.0.1:${tlsPort}`),
  startTls: true,
  ca: new Secret(await readFile(authority.ca)),
  ...LIMITS,
  bind: { dn: SERVICE.dn, password: new Secret(SERVICE.password) },
  search: { base: PEOPLE, scope: 'sub', filter: '(&(objectClass=inetOrgPerson)(uid={user}))' },
  attributes: { user: 'uid', extra: {} },
})

/** Search and bind on Active Directory, through TLS. */
export const sambaSettings = async ({ address, authority }: SambaAd): Promise<LdapSettings> => ({
  servers: serversAt(`ldaps://${address}`),
  startTls: true,
  ca: new Secret(await readFile(authority.ca)),
  ...LIMITS,
  bind: { dn: AD_SERVICE.dn, password: new Secret(AD_SERVICE.password) },
  search: {
    base: AD_PEOPLE,
    scope: 'sub',
    filter: '(&(objectCategory=person)(sAMAccountName={user}))',
  },
  attributes: { user: 'sAMAccountName', extra: {} },
})

/** These settings with names to bind in place of the service account. */
export const withDirectBind = (
  settings: LdapSettings,
  direct: readonly string[],
  search?: LdapSettings['search'],
): LdapSettings => ({ ...settings, bind: undefined, direct: [...direct], search })

/** The verification by a new verifier with these settings. */
export const verifyWith = async (
  settings: LdapSettings,
  user: string,
  password: string,
  signal = FOREVER,
): Promise<Verification> => {
  using verifier = new LdapVerifier(settings)
  return await verifier.verify(user, password, callerUntil(signal))
}

/** The failure and the message of an unavailable verification, or its other outcome. */
export const causeOf = (
  verification: Verification,
): { readonly failure: string; readonly message: string } => {
  if (verification.outcome !== 'unavailable') return { failure: verification.outcome, message: '' }
  const { cause } = verification
  if (cause instanceof DirectoryError) return { failure: cause.failure, message: cause.message }
  return { failure: 'other', message: String(cause) }
}
