// The limits of extensions: which ones, and the values of the known ones.

import type { CertificateRefusal } from '../audit/event.ts'
import { AUTHORITY_EXTENSIONS, type LimitsConfig } from './schema.ts'
import { DerReader, malformed } from '../x509/der.ts'
import {
  decodeExtendedKeyUsage,
  decodeKeyUsage,
  decodePolicies,
  KEY_USAGES,
  notAuthority,
  type Extension,
} from '../x509/extensions.ts'
import { decodeGeneralNames, type GeneralName } from '../x509/general-names.ts'
import { EXTENSIONS, PURPOSES } from '../x509/oid.ts'
import { firstExcess, type Excess } from './excess.ts'
import type { NameLimits } from './name-limits.ts'

/** Finds the extension that exceeds the limits, and the names in extensions. */
export type ExtensionLimits = (extensions: readonly Extension[]) => {
  readonly names: readonly GeneralName[]
  readonly excess: Excess | undefined
}

/** Usages of a CA's key, which nothing that is issued may have. */
const AUTHORITY_USAGES: ReadonlySet<string> = new Set(['keyCertSign', 'cRLSign'])

/** Compiles the limits of extensions. The result throws for what is not DER. */
export const extensionLimits = (config: LimitsConfig, nameExcess: NameLimits): ExtensionLimits => {
  const usages = new Set<string>(config.keyUsage.filter((usage) => !AUTHORITY_USAGES.has(usage)))
  const purposes = new Set(config.extendedKeyUsage)
  const policies = new Set(config.policies)
  const others = new Set(config.extensions.filter((oid) => !AUTHORITY_EXTENSIONS.has(oid)))
  const required = requiredExtensions(usages, purposes)

  const excessOf = ({ oid, value }: Extension, names: readonly GeneralName[]) => {
    requireDer(value)
    switch (oid) {
      case EXTENSIONS.basicConstraints:
        return value.equals(notAuthority.value) ? undefined : refused('basicConstraints')
      case EXTENSIONS.keyUsage:
        return outside(usages, usagesOf(value), 'key-usage-refused')
      case EXTENSIONS.extendedKeyUsage:
        return outside(purposes, decodeExtendedKeyUsage(value), 'purpose-refused')
      case EXTENSIONS.certificatePolicies:
        return outside(policies, decodePolicies(value), 'policy-refused')
      case EXTENSIONS.subjectAltName:
        return nameExcess(names)
      default:
        // Among them, those that are the signer's to write: they are never listed.
        return others.has(oid) ? undefined : refused(oid)
    }
  }
  return (extensions) => {
    const names = namesIn(extensions)
    const excess =
      repeated(extensions) ??
      required(extensions) ??
      firstExcess(extensions, (extension) => excessOf(extension, names))
    return { names, excess }
  }
}

const refused = (detail: string): Excess => ({ code: 'extension-refused', detail })

const namesIn = (extensions: readonly Extension[]): readonly GeneralName[] => {
  const found = extensions.find(({ oid }) => oid === EXTENSIONS.subjectAltName)
  return found === undefined ? [] : decodeGeneralNames(found.value)
}

const repeated = (extensions: readonly Extension[]): Excess | undefined => {
  const seen = new Set<string>()
  for (const { oid } of extensions) {
    if (seen.has(oid)) return refused(`${oid}, twice`)
    seen.add(oid)
  }
  return undefined
}

/**
 * A certificate without a key usage or without purposes can be used for all of them (RFC 5280 §4.2.1.3
 * and §4.2.1.12), so it is within limits only where all are.
 */
const requiredExtensions = (
  usages: ReadonlySet<string>,
  purposes: ReadonlySet<string>,
): ((extensions: readonly Extension[]) => Excess | undefined) => {
  const allUsages = KEY_USAGES.every((usage) => usages.has(usage) || AUTHORITY_USAGES.has(usage))
  const anyPurpose = purposes.has(PURPOSES.any)
  return (extensions) => {
    const has = (wanted: string): boolean => extensions.some(({ oid }) => oid === wanted)
    if (!allUsages && !has(EXTENSIONS.keyUsage)) {
      return { code: 'key-usage-refused', detail: 'all, since the extension is absent' }
    }
    if (!anyPurpose && !has(EXTENSIONS.extendedKeyUsage)) {
      return { code: 'purpose-refused', detail: 'any, since the extension is absent' }
    }
    return undefined
  }
}

const usagesOf = (value: Buffer): readonly string[] => {
  const usages = decodeKeyUsage(value)
  if (usages.length === 0) throw malformed('a key usage of nothing') // RFC 5280 §4.2.1.3
  return usages
}

const outside = (
  permitted: ReadonlySet<string>,
  asked: readonly string[],
  code: CertificateRefusal,
): Excess | undefined => {
  const beyond = asked.filter((item) => !permitted.has(item))
  return beyond.length === 0 ? undefined : { code, detail: beyond.join(', ') }
}

const CONSTRUCTED = 0x20

/** Sees that a value is one element of DER throughout, whether or not anything here looks into it. */
const requireDer = (value: Buffer): void => {
  const outer = new DerReader(value)
  const pending = [outer.next()]
  outer.end()
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if ((next.tag & CONSTRUCTED) === 0) continue
    const reader = new DerReader(next.content)
    while (reader.more) pending.push(reader.next())
  }
}
