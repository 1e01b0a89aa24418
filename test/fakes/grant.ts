// Grants: a valid one, and the changes that a test makes to it.

import assert from 'node:assert/strict'
import { gcmsiv } from '@noble/ciphers/aes.js'
import type { Grant } from '../../src/grant/grant.ts'
import { GrantSeal, type Opening } from '../../src/grant/seal.ts'
import { newGrantKeyLine, parseGrantKeys, type GrantKey } from '../../src/keys/grant-keys.ts'
import { extendedKeyUsage, keyUsage, notAuthority } from '../../src/x509/extensions.ts'
import { encodeName } from '../../src/x509/name.ts'
import { attributeOid, PURPOSES } from '../../src/x509/oid.ts'
import { FakeClock } from './clock.ts'

/** The second at which a fake clock starts. */
export const NOW_S = new FakeClock().now() / 1_000

/** A subject from short names and values. */
export const subjectOf = (...attributes: readonly (readonly [string, string])[]): Buffer =>
  encodeName(attributes.map(([name, value]) => ({ oid: attributeOid(name) ?? name, value })))

/** A grant for alice, for an hour, of the CA `kube`, with changes. */
export const grantOf = (changes: Partial<Grant> = {}): Grant => ({
  authority: 'kube',
  route: 'kubernetes',
  authenticator: 'staff',
  subject: subjectOf(['CN', 'alice'], ['O', 'developers']),
  extensions: [
    keyUsage(['digitalSignature']),
    extendedKeyUsage([PURPOSES.clientAuth]),
    notAuthority,
  ],
  notBefore: NOW_S - 300,
  notAfter: NOW_S + 3_600,
  renewAt: NOW_S + 1_800,
  ...changes,
})

/** A new grant key. */
export const makeGrantKey = (): GrantKey => {
  const [key] = parseGrantKeys('test', newGrantKeyLine())
  assert.ok(key !== undefined)
  return key
}

/** The handle of a grant. */
export const sealed = (grant: Grant, ...keys: readonly GrantKey[]): string => {
  const sealing = new GrantSeal(keys).seal(grant)
  assert.equal(sealing.outcome, 'sealed')
  return sealing.handle
}

/** A handle that holds whatever bytes, sealed as a grant is. */
export const sealedBytes = (bytes: Uint8Array, { id, secret }: GrantKey): string => {
  const header = Buffer.concat([Buffer.of(1), id])
  const text = gcmsiv(secret.export(), new Uint8Array(12), header).encrypt(bytes)
  return Buffer.concat([header, text]).toString('base64url')
}

/** Why a handle was refused, or that it was opened. */
export const codeOf = (opening: Opening): string =>
  opening.outcome === 'refused' ? opening.code : opening.outcome
