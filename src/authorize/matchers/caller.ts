// Matchers of the caller: identity and source address.

import { BlockList, isIP, isIPv6 } from 'node:net'
import type { RuleConfig } from '../schema.ts'
import type { Identity } from '../../identity/identity.ts'
import { exactNames, indexKeys, nameMatcher } from '../../request/names.ts'
import { Derived } from '../../runtime/derived.ts'
import type { Dimension, Indexed, Matcher } from '../matcher.ts'

/** The matchers `users`, `groups`, `authenticators`. */
export const callerMatchers = (rule: RuleConfig): readonly Matcher[] => {
  const { users, groups, authenticators } = rule
  const matchers: Matcher[] = []
  if (users !== undefined) matchers.push(usersMatcher(users))
  if (groups !== undefined) matchers.push(groupsMatcher(groups))
  if (authenticators !== undefined) matchers.push(authenticatorsMatcher(authenticators))
  return matchers
}

const usersMatcher = (wanted: readonly string[]): Matcher => {
  const matches = nameMatcher(wanted)
  return {
    key: 'users',
    wanted,
    test: ({ identity }) => matches(identity.user),
    got: ({ identity }) => identity.user,
    indexed: indexedBy('user', indexKeys(wanted)),
  }
}

const groupsMatcher = (wanted: readonly string[]): Matcher => {
  const matches = nameMatcher(wanted)
  const exact = exactNames(wanted)
  return {
    key: 'groups',
    wanted,
    test:
      exact === undefined
        ? ({ identity }) => identity.groups.some(matches)
        : ({ identity }) => {
            const { groups } = identity
            if (groups.length * exact.length <= FEW) {
              return exact.some((group) => groups.includes(group))
            }
            const set = groupsOf(identity)
            return exact.some((group) => set.has(group))
          },
    got: ({ identity }) => identity.groups,
    indexed: indexedBy('group', indexKeys(wanted)),
  }
}

// So many comparisons take less than to find a set, and a set takes more memory than a list of a few groups.
const FEW = 32

// A user may be in hundreds, and identities are cached.
const groupSets = new Derived<Identity, ReadonlySet<string>>()

const groupsOf = (identity: Identity): ReadonlySet<string> => {
  const known = groupSets.get(identity)
  if (known !== undefined) return known
  const groups = new Set(identity.groups)
  groupSets.set(identity, groups)
  return groups
}

const authenticatorsMatcher = (wanted: readonly string[]): Matcher => {
  const matches = nameMatcher(wanted)
  return {
    key: 'authenticators',
    wanted,
    test: ({ identity }) => matches(identity.authenticator),
    got: ({ identity }) => identity.authenticator,
    indexed: indexedBy('authenticator', wanted),
  }
}

/** The matcher `sources`: the network that the caller is in. */
export const sourcesMatcher = (wanted: readonly string[]): Matcher => {
  const networks = new BlockList()
  for (const network of wanted) {
    const [address = '', length] = network.split('/')
    const family = isIPv6(address) ? 'ipv6' : 'ipv4'
    if (length === undefined) networks.addAddress(address, family)
    else networks.addSubnet(address, Number(length), family)
  }
  return {
    key: 'sources',
    wanted,
    // An IPv4 network also holds its IPv4-mapped addresses (RFC 4291 §2.5.5.2).
    test: ({ request: { source } }) => {
      const family = isIP(source.address)
      if (family === 0) return { unknown: 'the address of the caller is not known' }
      return networks.check(source.address, family === 6 ? 'ipv6' : 'ipv4')
    },
    got: ({ request }) => request.source.address,
  }
}

/** What the index may go by, where there is anything. */
export const indexedBy = (
  dimension: Dimension,
  values: readonly string[] | undefined,
): Indexed | undefined => (values === undefined ? undefined : { dimension, values })
