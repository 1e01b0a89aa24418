// A user's groups: from an attribute, by a search, or as Active Directory resolves them; nested ones level by level.
// An incomplete list is an error, since the missing group may be one that a rule denies.

import { dnKey, firstValueOf, isTooLong, isUnder } from '../../../clients/ldap/dn.ts'
import { DirectoryError } from '../../../clients/ldap/failure.ts'
import { siblingSid } from '../../../clients/ldap/identifiers.ts'
import { readOne, textsOf, type Reader } from '../../../clients/ldap/reader.ts'
import type { Search } from '../../../clients/ldap/requests.ts'
import type { Entry } from '../../../clients/ldap/responses.ts'
import type { LdapGroups } from './schema.ts'
import { renderFilter } from './template.ts'

/** The attributes of the user's entry that {@link groupsOf} reads. */
export const attributesOfGroups = (groups: LdapGroups | undefined): readonly string[] => [
  ...(groups?.attribute === undefined ? [] : [groups.attribute.name]),
  ...(groups?.primaryGroupBase === undefined ? [] : ['objectSid', 'primaryGroupID']),
]

/** A group: its DN, and its entry where that was read. */
interface Group {
  readonly dn: string
  readonly entry?: Entry
}

/**
 * The names of a user's groups, sorted.
 *
 * @param name the user's name by the directory, for `{user}` in a filter: the typed one may differ in case, which
 *   `memberUid` distinguishes and the bind does not
 * @throws DirectoryError `groups-unusable` when there are too many, or one cannot be read
 */
export const groupsOf = async (
  reader: Reader,
  user: Entry,
  name: string,
  options: LdapGroups | undefined,
): Promise<readonly string[]> => {
  if (options === undefined) return []
  const found = await new GroupWalk(reader, name, options).from(user)
  const counted = found.filter(
    ({ dn }) => options.subtree === undefined || isUnder(dn, options.subtree),
  )
  const names = new Set<string>()
  for (const group of counted) names.add(await nameOf(group, reader, options))
  return [...names].toSorted()
}

class GroupWalk {
  readonly #reader: Reader
  readonly #name: string
  readonly #options: LdapGroups
  readonly #found = new Map<string, Group>()

  constructor(reader: Reader, name: string, options: LdapGroups) {
    this.#reader = reader
    this.#name = name
    this.#options = options
  }

  async from(user: Entry): Promise<readonly Group[]> {
    const { activeDirectory } = this.#options
    const primary = await this.#primaryOf(user)
    let level = this.#add([...(await this.#above(user)), ...primary])
    // AD has resolved those of the user already, except those of the primary group.
    if (activeDirectory !== undefined) level = primary
    const levels = activeDirectory === undefined ? nestingOf(this.#options) : 1
    for (let depth = 0; depth < levels && level.length > 0; depth += 1) {
      level = await this.#addAbove(level)
    }
    if (activeDirectory === undefined && levels > 0) await this.#requireTop(level, levels)
    return [...this.#found.values()]
  }

  /** Adds groups, and yields the new ones, so that a cycle ends. */
  #add(groups: readonly Group[]): readonly Group[] {
    const fresh: Group[] = []
    for (const group of groups) {
      if (isTooLong(group.dn)) {
        const message = `a group of ${this.#name} has a name that is too long: ${group.dn.slice(0, 100)}…`
        throw new DirectoryError('groups-unusable', message)
      }
      const key = dnKey(group.dn)
      if (this.#found.has(key)) continue
      if (this.#found.size >= this.#options.limit) {
        const message = `${this.#name} is in more than ${this.#options.limit} groups`
        throw new DirectoryError('groups-unusable', message)
      }
      this.#found.set(key, group)
      fresh.push(group)
    }
    return fresh
  }

  /** Adds the groups that these are directly in, and yields the new ones. */
  async #addAbove(groups: readonly Group[]): Promise<readonly Group[]> {
    const fresh: Group[] = []
    for (const group of groups) {
      fresh.push(...this.#add(await this.#above(await this.#entryOf(group))))
    }
    return fresh
  }

  /** The groups that an entry is directly in. */
  async #above(member: Entry): Promise<readonly Group[]> {
    const { attribute } = this.#options
    if (attribute !== undefined) return textsOf(member, attribute.name).map((dn) => ({ dn }))
    const { base, scope, filter } = groupSearchOf(this.#options)
    const entries = await this.#reader({
      base,
      scope,
      filter: renderFilter(filter, { dn: member.dn, user: this.#name }),
      attributes: groupAttributes(this.#options),
      // One more than allowed, to detect that there are too many.
      atMost: this.#options.limit + 1,
    })
    return entries.map((entry) => ({ dn: entry.dn, entry }))
  }

  async #entryOf(group: Group): Promise<Entry> {
    return group.entry ?? (await readGroup(group.dn, this.#reader, this.#options))
  }

  /** The primary group is identified only by the last part of its SID. */
  async #primaryOf(user: Entry): Promise<readonly Group[]> {
    const { primaryGroupBase } = this.#options
    if (primaryGroupBase === undefined) return []
    const [sid] = textsOf(user, 'objectSid')
    const [relativeId] = textsOf(user, 'primaryGroupID')
    const entry =
      sid === undefined || relativeId === undefined || !/^\d+$/.test(relativeId)
        ? undefined
        : await readOne(this.#reader, {
            base: primaryGroupBase,
            scope: 'sub',
            filter: `(objectSid=${siblingSid(sid, relativeId)})`,
            attributes: groupAttributes(this.#options),
          })
    if (entry !== undefined) return [{ dn: entry.dn, entry }]
    const message = `the primary group of ${user.dn} is not found under "${primaryGroupBase}"`
    throw new DirectoryError('groups-unusable', message)
  }

  async #requireTop(level: readonly Group[], levels: number): Promise<void> {
    if ((await this.#addAbove(level)).length === 0) return
    const message = `groups of ${this.#name} are nested more than ${levels} levels deep`
    throw new DirectoryError('groups-unusable', message)
  }
}

// LDAP_MATCHING_RULE_IN_CHAIN ([MS-ADTS] 3.1.1.3.4.4.3)
const IN_CHAIN = '1.2.840.113556.1.4.1941'

/** The search for the groups of an entry. */
const groupSearchOf = ({
  search,
  activeDirectory,
}: LdapGroups): Pick<Search, 'base' | 'scope' | 'filter'> => {
  if (search !== undefined) return search
  if (activeDirectory === undefined) throw new Error('the schema requires a way to find groups')
  const { base, filter } = activeDirectory
  return { base, scope: 'sub', filter: `(&${filter}(member:${IN_CHAIN}:={dn}))` }
}

/** How many levels of groups in groups are followed. */
const nestingOf = ({ attribute, search }: LdapGroups): number => (attribute ?? search)?.nested ?? 0

const groupAttributes = ({ attribute, name }: LdapGroups): readonly string[] => [
  ...(attribute !== undefined && attribute.nested > 0 ? [attribute.name] : []),
  ...(name === undefined ? [] : [name]),
]

const readGroup = async (dn: string, reader: Reader, options: LdapGroups): Promise<Entry> => {
  const entry = await readOne(reader, {
    base: dn,
    scope: 'base',
    filter: '(objectClass=*)',
    attributes: groupAttributes(options),
  })
  if (entry !== undefined) return entry
  throw new DirectoryError('groups-unusable', `the group ${dn} cannot be read`)
}

const nameOf = async (group: Group, reader: Reader, options: LdapGroups): Promise<string> => {
  const { name } = options
  if (name === undefined) {
    const value = firstValueOf(group.dn)?.normalize('NFC')
    if (value !== undefined && value !== '') return value
    throw new DirectoryError('groups-unusable', `the group "${group.dn}" has no name`)
  }
  const entry = group.entry ?? (await readGroup(group.dn, reader, options))
  const [text, another] = textsOf(entry, name)
  if (text !== undefined && text !== '' && another === undefined) return text
  const message = `the group ${group.dn} has not exactly one ${name}`
  throw new DirectoryError('groups-unusable', message)
}
