// The limits of alternative names.

import { BlockList, isIPv4 } from 'node:net'
import type { LimitsConfig } from './schema.ts'
import { nameMatcher } from '../request/names.ts'
import { nameFault, type GeneralName, type NameKind } from '../x509/general-names.ts'
import { firstExcess, valueExcess, type Excess } from './excess.ts'

/** Finds the alternative name that exceeds the limits. */
export type NameLimits = (names: readonly GeneralName[]) => Excess | undefined

/** Compiles the limits of alternative names. */
export const nameLimits = ({ subjectAltName: names }: LimitsConfig): NameLimits => {
  const dns = nameMatcher(names.dns.map((pattern) => pattern.toLowerCase()))
  const permitted: Readonly<Record<NameKind, (value: string) => boolean>> = {
    dns: (value) => dns(value.toLowerCase()), // RFC 4343: DNS names have no case
    uri: nameMatcher(names.uri),
    email: nameMatcher(names.email),
    ip: networks(names.ip),
    upn: nameMatcher(names.upn),
  }
  const excessOf = ({ kind, value }: GeneralName): Excess | undefined => {
    const refused: Excess = { code: 'name-refused', detail: `${kind}: ${value}` }
    if (kind === 'other') return refused
    const excess = valueExcess(kind, value)
    if (excess !== undefined) return excess
    return nameFault(kind, value) === undefined && permitted[kind](value) ? undefined : refused
  }
  return (list) => firstExcess(list, excessOf)
}

const familyOf = (address: string): 'ipv4' | 'ipv6' => (isIPv4(address) ? 'ipv4' : 'ipv6')

const networks = (list: readonly string[]): ((address: string) => boolean) => {
  const permitted = new BlockList() // a list is a list
  for (const entry of list) {
    const [address = '', prefix] = entry.split('/')
    if (prefix === undefined) permitted.addAddress(address, familyOf(address))
    else permitted.addSubnet(address, Number(prefix), familyOf(address))
  }
  return (address) => permitted.check(address, familyOf(address))
}
