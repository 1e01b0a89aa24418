// A scripted directory with one user: it answers correctly except where a test changes it.

import assert from 'node:assert/strict'
import { inspect } from 'node:util'
import { LdapVerifier } from '../../../../src/authenticate/password/ldap/verifier.ts'
import type { LdapSettings } from '../../../../src/authenticate/password/ldap/schema.ts'
import { Secret } from '../../../../src/config/references.ts'
import type { Verification } from '../../../../src/authenticate/password/verifier.ts'
import { CALLER } from '../../../fakes/caller.ts'
import {
  ldapEntry,
  ldapResponse,
  startLdapServer,
  type LdapAnswer,
  type LdapRequest,
  type LdapServer,
} from '../../../fakes/ldap-server.ts'
import { LIMITS, serversAt } from './settings.ts'

/** The service account of the scripted servers. */
export const SERVICE = { dn: 'cn=svc', password: 'service-Passw0rd' }
/** Their only user. */
export const ALICE = { dn: 'uid=alice', password: 'alice-Passw0rd' }

/** Search and bind on scripted servers, in the clear. */
export const settingsFor = (servers: readonly Pick<LdapServer, 'port'>[]): LdapSettings => ({
  servers: serversAt(...servers.map(({ port }) => `ldap://127.0.0.1:${port}`)),
  startTls: false,
  ...LIMITS,
  operationTimeout: 500,
  bind: { dn: SERVICE.dn, password: new Secret(SERVICE.password) },
  search: { base: 'ou=people', scope: 'sub', filter: '(uid={user})' },
  attributes: { user: 'uid', extra: {} },
})

/** The answer to a search that finds her. */
export const found = ({ messageId }: LdapRequest, dn = ALICE.dn): Buffer =>
  Buffer.concat([
    ldapEntry(messageId, dn, { uid: ['alice'] }),
    ldapResponse({ messageId, kind: 'search' }, 0),
  ])

/** A server that answers correctly except for the bind as the user, which is the second. */
export const answerBind =
  (bind: (request: LdapRequest) => LdapAnswer) =>
  (request: LdapRequest): LdapAnswer => {
    if (request.kind === 'search') return found(request)
    if (request.kind !== 'bind') return undefined
    return request.before === 0 ? ldapResponse(request, 0) : bind(request)
  }

/** The verification of alice by such a server. */
export const verifyAlice = async (
  answer: (request: LdapRequest) => LdapAnswer,
  password = ALICE.password,
): Promise<Verification> => {
  await using server = await startLdapServer(answer)
  using verifier = new LdapVerifier(settingsFor([server]))
  return await verifier.verify('alice', password, CALLER)
}

/** Asserts that a value contains no password, at any depth. */
export const assertSilent = (value: unknown): void => {
  const text = inspect(value, { depth: 10, showHidden: true, getters: true })
  for (const { password } of [SERVICE, ALICE]) assert.ok(!text.includes(password), text)
}
