// Limits by the words of `signer.yaml`, and what they say of a grant.

import assert from 'node:assert/strict'
import { it } from 'node:test'
import { Limits, type LimitsVerdict } from '../../src/ca/limits.ts'
import { parseSignerConfig } from '../../src/ca/parse.ts'
import type { LimitsConfig } from '../../src/ca/schema.ts'
import type { Grant } from '../../src/grant/grant.ts'
import type { Extension } from '../../src/x509/extensions.ts'
import { encodeGeneralNames, type NameKind } from '../../src/x509/general-names.ts'
import { EXTENSIONS } from '../../src/x509/oid.ts'
import { grantOf, NOW_S, subjectOf } from '../fakes/grant.ts'

/** Parses limits written in YAML. */
export const limitsConfig = (yaml: string): LimitsConfig => {
  const text = `
version: 1
listen: unix:signer.sock
authorities: { kube: { certificate: ca.pem, key: 'file:ca.key', limits: ${yaml} } }`
  const parsed = parseSignerConfig('/etc/signer.yaml', text)
  assert.ok(parsed.ok, JSON.stringify(parsed))
  const { limits } = parsed.value.authorities['kube'] ?? assert.fail()
  return limits
}

/** Long after everything that is minted in these tests. */
export const AUTHORITY_ENDS = NOW_S + 10 * 365 * 86_400

/** What limits say of a grant, at the second at which a fake clock starts. */
export const judge = (yaml: string, changes: Partial<Grant>): LimitsVerdict =>
  new Limits(limitsConfig(yaml), AUTHORITY_ENDS).check(grantOf(changes), NOW_S * 1_000)

/** The refusal as `code: detail`, or `within`. */
export const verdictOf = (yaml: string, changes: Partial<Grant>): string => {
  const verdict = judge(yaml, changes)
  return verdict.outcome === 'within' ? 'within' : `${verdict.code}: ${verdict.detail}`
}

/** Alternative names as an extension. */
export const namesOf = (...names: readonly (readonly [NameKind, string])[]): Extension => ({
  oid: EXTENSIONS.subjectAltName,
  critical: false,
  value: encodeGeneralNames(names.map(([kind, value]) => ({ kind, value }))),
})

/** The extensions that every grant needs, and more. */
export const withExtensions = (...more: readonly Extension[]): Partial<Grant> => ({
  extensions: [...grantOf().extensions, ...more],
})

/** The extensions that every grant needs, with the given ones in place of those of the same kind. */
export const inPlace = (...others: readonly Extension[]): Partial<Grant> => {
  const oids = new Set(others.map(({ oid }) => oid))
  return { extensions: [...grantOf().extensions.filter(({ oid }) => !oids.has(oid)), ...others] }
}

/** A grant, and what is said of it. */
export interface LimitsCase {
  readonly name: string
  readonly limits?: string
  readonly grant: Partial<Grant>
  /** `within`, or `code: detail`. */
  readonly want: 'within' | RegExp
}

/** Makes a test of each case. */
export const checkLimits = (cases: readonly LimitsCase[]): void => {
  for (const { name, limits = '{}', grant, want } of cases) {
    it(name, () => {
      const got = verdictOf(limits, grant)
      if (want === 'within') assert.equal(got, want)
      else assert.match(got, want)
    })
  }
}

/** As wide as limits can be. */
export const WIDE_LIMITS = `{
  lifetime: 999d, subject: { "*": ["*"] }, extensions: [1.2.3.4], policies: [1.2.3],
  subjectAltName: { dns: ["*"], uri: ["*"], email: ["*"], upn: ["*"], ip: [0.0.0.0/0, "::/0"] } }`

/** A grant that never yields a certificate. */
export interface HostileCase {
  readonly name: string
  readonly grant: Partial<Grant>
  readonly want: RegExp
}

/** Makes a test of each case. */
export const checkHostile = (cases: readonly HostileCase[]): void => {
  for (const { name, grant, want } of cases) {
    it(`is refused: ${name}`, () => assert.match(verdictOf(WIDE_LIMITS, grant), want))
  }
}

/** A grant with this subject. */
export const subject = (...attributes: readonly (readonly [string, string])[]): Partial<Grant> => ({
  subject: subjectOf(...attributes),
})
