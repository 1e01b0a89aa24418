// Name constraints (RFC 5280 §4.2.1.10): for which names a CA, and every CA below it, may speak.
// pkijs accepts a certificate when one of its names is permitted, whatever the other names are, and
// looks at directory names in the subject alone; OpenSSL's command does neither.

import { context, DerReader, malformed, readOnly, TAG } from '../x509/der.ts'
import { EXTENSIONS, ATTRIBUTES } from '../x509/oid.ts'
import { decodeName } from '../x509/name.ts'
import type { ChainCertificate } from './chain-certificate.ts'
import { isUnder, NAME_TAGS, type TaggedName } from './name-match.ts'

/** Extension `nameConstraints`. */
export const NAME_CONSTRAINTS = '2.5.29.30'

interface Constraints {
  readonly permitted: readonly TaggedName[]
  readonly excluded: readonly TaggedName[]
}

// So many comparisons take some milliseconds; no CA needs a hundredth of them.
const MAX_COMPARISONS = 50_000

/**
 * Whether every name in a path is one that the CAs above it may speak for.
 *
 * A name that cannot be understood is refused where there is a constraint on its kind.
 *
 * @param path leaf first, anchor last; the anchor's constraints count like those of any other CA
 * @throws CountersignError `malformed-certificate`
 */
export const meetsNameConstraints = (path: readonly ChainCertificate[]): boolean => {
  let comparisons = 0
  const all = path.map(({ parts }) => {
    const extension = parts.extensions.find(({ oid }) => oid === NAME_CONSTRAINTS)
    return extension && readConstraints(extension.value)
  })
  if (all.every((constraints) => constraints === undefined)) return true
  return path.every((certificate, index) => {
    const above = all.slice(index + 1).filter((constraints) => constraints !== undefined)
    // RFC 5280 §6.1.3 (b): a certificate that a CA issues to itself, to change its key, has no other entity's name.
    if (above.length === 0 || (certificate.isSelfIssued && index > 0)) return true
    const names = namesOf(certificate, index === 0)
    return above.every((constraints) => {
      comparisons += names.length * (constraints.permitted.length + constraints.excluded.length)
      return comparisons <= MAX_COMPARISONS && names.every((name) => isAllowed(name, constraints))
    })
  })
}

const isAllowed = (name: TaggedName, { permitted, excluded }: Constraints): boolean => {
  const sameKind = ({ tag }: TaggedName): boolean => tag === name.tag
  const within = permitted.filter(sameKind)
  return (
    (within.length === 0 || within.some((subtree) => isUnder(name, subtree, 'permitted'))) &&
    !excluded.some((subtree) => sameKind(subtree) && isUnder(name, subtree, 'excluded'))
  )
}

const PERMITTED = context(0, 'constructed')
const EXCLUDED = context(1, 'constructed')

const readConstraints = (der: Buffer): Constraints => {
  const reader = new DerReader(readOnly(der, TAG.sequence))
  const permitted = reader.tag === PERMITTED ? readSubtrees(reader.enter(PERMITTED)) : []
  const excluded = reader.tag === EXCLUDED ? readSubtrees(reader.enter(EXCLUDED)) : []
  reader.end()
  if (permitted.length + excluded.length === 0) throw malformed('empty name constraints')
  return { permitted, excluded }
}

const readSubtrees = (reader: DerReader): readonly TaggedName[] => {
  const subtrees: TaggedName[] = []
  while (reader.more) {
    const subtree = reader.enter(TAG.sequence)
    const { tag, content } = subtree.next()
    subtree.end() // RFC 5280 §4.2.1.10: the minimum is 0, which DER leaves out, and there is no maximum
    subtrees.push({ tag, content })
  }
  return subtrees
}

/** Every name of a certificate that a constraint can be about. */
const namesOf = ({ parts }: ChainCertificate, isLeaf: boolean): readonly TaggedName[] => {
  const extension = parts.extensions.find(({ oid }) => oid === EXTENSIONS.subjectAltName)
  const alternatives: TaggedName[] = []
  if (extension !== undefined) {
    const reader = new DerReader(readOnly(extension.value, TAG.sequence))
    while (reader.more) {
      const { tag, content } = reader.next()
      alternatives.push({ tag, content })
    }
  }
  const subject = decodeName(parts.subject)
  const valuesOf = (wanted: string): readonly Buffer[] =>
    subject.filter(({ oid }) => oid === wanted).map(({ value }) => Buffer.from(value, 'utf8'))
  const hasDns = alternatives.some(({ tag }) => tag === NAME_TAGS.dns)
  return [
    ...(subject.length === 0 ? [] : [{ tag: NAME_TAGS.directory, content: parts.subject }]),
    ...alternatives,
    // Mailboxes from before there were alternative names.
    ...valuesOf(ATTRIBUTES.emailAddress).map((content) => ({ tag: NAME_TAGS.email, content })),
    // A host name in the CN, where many look for one still; as OpenSSL does.
    ...(isLeaf && !hasDns ? valuesOf(ATTRIBUTES.CN).filter(isHostLike) : []).map((content) => ({
      tag: NAME_TAGS.dns,
      content,
    })),
  ]
}

const isHostLike = (name: Buffer): boolean =>
  /^[a-z0-9_*][a-z0-9_-]*(\.[a-z0-9_][a-z0-9_-]*)+$/i.test(name.toString('latin1'))
