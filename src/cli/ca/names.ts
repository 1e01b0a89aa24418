// The options of a command line → subject and alternative names of a certificate.

import { ATTRIBUTES } from '../../x509/oid.ts'
import type { Attribute } from '../../x509/name.ts'
import { usageError } from '../usage-error.ts'
import type { LeafRequest, Profile } from './issue.ts'
import type { NameOptions } from './options.ts'
import type { AlternativeName } from './template.ts'

/** The names in a certificate. */
export type Names = Pick<LeafRequest, 'subject' | 'names'>

/**
 * Subject and alternative names for a profile.
 *
 * @throws CountersignError `usage` for none, and for options of the other profile
 */
export const namesFor = (profile: Profile, options: NameOptions): Names =>
  profile === 'server' ? serverNames(options) : clientNames(options)

const serverNames = (options: NameOptions): Names => {
  refuse(options, ['user', 'group', 'uid'], 'names a client; a server has --dns, --ip or --spiffe')
  const names = alternativeNames(options)
  if (names.length === 0) throw usageError('a server needs a name: --dns, --ip or --spiffe')
  return { subject: subjectOf(options), names }
}

const clientNames = (options: NameOptions): Names => {
  refuse(options, ['name', 'dns', 'ip'], 'names a server; a client has --user or --spiffe')
  const names = alternativeNames(options)
  if (options.user === undefined && names.length === 0) {
    throw usageError('a client needs a name: --user or --spiffe')
  }
  return { subject: subjectOf(options), names }
}

const refuse = (
  options: NameOptions,
  foreign: readonly (keyof NameOptions)[],
  reason: string,
): void => {
  const found = foreign.find((name) => options[name] !== undefined)
  if (found !== undefined) throw usageError(`--${found} ${reason}`)
}

/** Every name of the options, for a server or a client. */
export const allNames = (options: NameOptions): Names => {
  const names = { subject: subjectOf(options), names: alternativeNames(options) }
  if (names.subject.length + names.names.length > 0) return names
  throw usageError('a request needs a name: --dns, --ip, --spiffe, --user or --name')
}

const alternativeNames = ({
  dns = [],
  ip = [],
  spiffe,
}: NameOptions): readonly AlternativeName[] => {
  const names: readonly AlternativeName[] = [
    ...dns.map((value) => ({ kind: 'dns' as const, value })),
    ...ip.map((value) => ({ kind: 'ip' as const, value })),
    ...(spiffe === undefined ? [] : [{ kind: 'uri' as const, value: spiffe }]),
  ]
  return names.filter(
    ({ kind, value }, index) =>
      names.findIndex((other) => other.kind === kind && other.value === value) === index,
  )
}

// RFC 5280 appendix A: the upper bound of a common name.
const LONGEST_CN = 64

/** The CN is informative: verifiers of servers read the alternative names (RFC 9525 §2). */
const subjectOf = (options: NameOptions): readonly Attribute[] => {
  const { user, group = [], uid, name, dns = [], ip = [], spiffe } = options
  const commonName = user ?? name ?? [...dns, ...ip, spiffe].find((value) => isShort(value))
  return [
    ...(commonName === undefined ? [] : [{ oid: ATTRIBUTES.CN, value: commonName }]),
    ...group.map((value) => ({ oid: ATTRIBUTES.O, value })),
    ...(uid === undefined ? [] : [{ oid: ATTRIBUTES.UID, value: uid }]),
  ]
}

const isShort = (value: string | undefined): boolean =>
  value !== undefined && value.length <= LONGEST_CN
