// The two ways of verifying a user at one server: search for the entry and bind as it, or bind at once and read the
// entry.

import { randomBytes } from 'node:crypto'
import type { Clock } from '../../../runtime/clock.ts'
import {
  readReference,
  writeReference,
  type ReferenceTexts,
  type AccountEnd,
  type AccountLookup,
  type AccountReference,
  type Verification,
} from '../verifier.ts'
import {
  ACCOUNT_ATTRIBUTES,
  accountEndOf,
  entryKeyOf,
  isExpired,
  passwordStampOf,
} from './account.ts'
import { AnswerBudget } from '../../../clients/ldap/answer-budget.ts'
import type { LdapConnection, OperationLimits } from '../../../clients/ldap/connection.ts'
import { EvenBinds } from './decoy.ts'
import { userAttributes, userOf } from './user.ts'
import { attributesOfGroups, groupsOf } from './groups.ts'
import type { BindOutcome } from './outcome.ts'
import { readerOn, readOne, unusable, valuesOf, type Reader } from '../../../clients/ldap/reader.ts'
import { isPresentable, type Search } from '../../../clients/ldap/requests.ts'
import type { Entry } from '../../../clients/ldap/responses.ts'
import type { DirectoryServer } from '../../../clients/ldap/server.ts'
import type { EntrySearch, LdapSettings } from './schema.ts'
import { isDnTemplate, renderFilter, renderName } from './template.ts'

/** A user and password to verify. */
interface Claim {
  readonly user: string
  /** Never empty; see {@link Prover.prove}. */
  readonly password: string
}

const KIND = 'ldap'

/** Verifies users; what it needs of the configuration is fixed. */
export class Prover {
  readonly #settings: LdapSettings
  readonly #attributes: readonly string[]
  readonly #binds: EvenBinds
  readonly #clock: Clock

  constructor(settings: LdapSettings, clock: Clock) {
    const { direct, search, attributes, groups } = settings
    this.#settings = settings
    this.#clock = clock
    const wanted = [
      ...ACCOUNT_ATTRIBUTES,
      ...userAttributes(attributes),
      ...attributesOfGroups(groups),
      ...(direct === undefined ? [] : ['objectSid']),
    ]
    this.#attributes = [...new Set(wanted.map((name) => name.toLowerCase()))]
    this.#binds = new EvenBinds(search?.base ?? '', clock)
  }

  /**
   * Verifies a user's password.
   *
   * @throws DirectoryError when the server or its entries do not permit a result
   */
  async prove(
    server: DirectoryServer,
    user: string,
    password: string,
    signal: AbortSignal,
  ): Promise<Verification> {
    // 32 random bytes match no password, so that the server counts the failure.
    const sent = isPresentable(password) ? password : randomBytes(32).toString('base64url')
    const claim = { user, password: sent }
    return this.#settings.direct === undefined
      ? await this.#searchThenBind(server, claim, signal)
      : await this.#bindDirectly(server, this.#settings.direct, claim, signal)
  }

  /** The texts of a reference, if this search found the account and can find it again. */
  referenceIn(account: AccountReference): ReferenceTexts | undefined {
    const { bind, search } = this.#settings
    // Without a service account only the user can search.
    if (bind === undefined || search === undefined) return undefined
    const reference = readReference(KIND, account)
    return reference?.['search'] === searchKeyOf(search) ? reference : undefined
  }

  /**
   * Looks an account up again, by the search that found it.
   *
   * @param reference of {@link Prover.referenceIn}
   * @throws DirectoryError as {@link Prover.prove}
   */
  async lookup(
    server: DirectoryServer,
    reference: ReferenceTexts,
    signal: AbortSignal,
  ): Promise<AccountLookup> {
    const { attributes, groups } = this.#settings
    const { user = '' } = reference
    const reader = this.#serviceReader(server, this.#limits(signal))
    const entry = await readOne(reader, this.#userSearch(user))
    if (entry === undefined) return { outcome: 'ended', code: 'user-unknown' }
    const code = endIn(entry, reference, this.#clock.now())
    if (code !== undefined) return { outcome: 'ended', code }
    const found = userOf(entry, user, attributes)
    const names = await groupsOf(reader, entry, found.user, groups)
    return { outcome: 'current', user: { ...found, groups: names } }
  }

  #serviceReader(server: DirectoryServer, limits: OperationLimits): Reader {
    return async (search) => {
      if (server.service === undefined) throw new Error('a server without a service account')
      return await server.service.use(limits.signal, (connection) =>
        readerOn(connection, limits)(search),
      )
    }
  }

  async #searchThenBind(
    server: DirectoryServer,
    { user, password }: Claim,
    signal: AbortSignal,
  ): Promise<Verification> {
    const limits = this.#limits(signal)
    const reader = this.#serviceReader(server, limits)
    const entry = await readOne(reader, this.#userSearch(user))
    if (entry === undefined) {
      await server.users.use(signal, (connection) =>
        this.#binds.bindDecoy(connection, password, limits),
      )
      return { outcome: 'unknown-user' }
    }
    const bound = await server.users.use(signal, (connection) =>
      this.#binds.bind(connection, entry.dn, password, limits),
    )
    if (bound.outcome !== 'right') return bound
    const verified = await this.#verified(reader, entry, user)
    return verified.outcome === 'verified'
      ? { ...verified, account: referenceTo(entry, user, this.#search) }
      : verified
  }

  async #bindDirectly(
    server: DirectoryServer,
    templates: readonly string[],
    claim: Claim,
    signal: AbortSignal,
  ): Promise<Verification> {
    const limits = this.#limits(signal)
    return await server.users.use(signal, async (connection) => {
      const names = templates.flatMap((template) => {
        const name = renderName(template, claim.user)
        return name === undefined ? [] : [{ name, isDn: isDnTemplate(template) }]
      })
      if (names.length === 0) await this.#binds.bindDecoy(connection, claim.password, limits)
      let said: BindOutcome = { outcome: 'unknown-user' }
      for (const { name, isDn } of names) {
        const bound = await this.#binds.bind(connection, name, claim.password, limits)
        if (bound.outcome === 'barred') return bound
        if (bound.outcome === 'right') {
          const dn = isDn ? name : undefined
          return await this.#readAsUser(connection, dn, claim.user, limits)
        }
        if (said.outcome === 'unknown-user') said = bound
      }
      return said
    })
  }

  /** @param dn the name that was bound, where that is a DN */
  async #readAsUser(
    connection: LdapConnection,
    dn: string | undefined,
    user: string,
    limits: OperationLimits,
  ): Promise<Verification> {
    const reader = readerOn(connection, limits)
    const wanted =
      this.#settings.search === undefined
        ? { filter: '(objectClass=*)', attributes: this.#attributes }
        : this.#userSearch(user)
    const entry = await readOne(
      reader,
      dn === undefined ? this.#userSearch(user) : { ...wanted, base: dn, scope: 'base' },
    )
    if (entry === undefined) return { outcome: 'unknown-user' }
    if (dn === undefined) await requireBoundAs(reader, entry)
    return await this.#verified(reader, entry, user)
  }

  async #verified(reader: Reader, entry: Entry, user: string): Promise<Verification> {
    // Some servers accept the password of an expired account.
    if (isExpired(entry, this.#clock.now())) return { outcome: 'barred', code: 'user-expired' }
    const found = userOf(entry, user, this.#settings.attributes)
    const groups = await groupsOf(reader, entry, found.user, this.#settings.groups)
    return { outcome: 'verified', user: { ...found, groups } }
  }

  get #search(): EntrySearch {
    const { search } = this.#settings
    if (search === undefined) throw new Error('the schema requires a search here')
    return search
  }

  #userSearch(user: string): Omit<Search, 'atMost'> {
    const { base, scope, filter } = this.#search
    return { base, scope, filter: renderFilter(filter, { user }), attributes: this.#attributes }
  }

  /** The limits of one login attempt. */
  #limits(signal: AbortSignal): OperationLimits {
    const { operationTimeout } = this.#settings
    return { signal, limit: operationTimeout, budget: new AnswerBudget() }
  }
}

/** Identifies the search of a reference: another search may find another account by the same name. */
const searchKeyOf = ({ base, scope, filter }: EntrySearch): string =>
  JSON.stringify([base, scope, filter])

const referenceTo = (entry: Entry, user: string, search: EntrySearch): AccountReference =>
  writeReference(KIND, {
    search: searchKeyOf(search),
    user,
    entry: entryKeyOf(entry),
    password: passwordStampOf(entry),
  })

const endIn = (entry: Entry, reference: ReferenceTexts, now: number): AccountEnd | undefined => {
  if (entryKeyOf(entry) !== reference['entry']) return 'user-replaced'
  const code = accountEndOf(entry, now)
  if (code !== undefined) return code
  return passwordStampOf(entry) === reference['password'] ? undefined : 'password-changed'
}

/**
 * Requires that the entry is the account that was bound: `alice@corp.example.org` can be the userPrincipalName of one
 * account, and derive from the sAMAccountName of another. The root DSE has the SIDs of the bound account, and never
 * those of another ([MS-ADTS] 3.1.1.3.2).
 */
const requireBoundAs = async (reader: Reader, entry: Entry): Promise<void> => {
  const root = await readOne(reader, {
    base: '',
    scope: 'base',
    filter: '(objectClass=*)',
    attributes: ['tokenGroups'],
  })
  const own = root === undefined ? [] : valuesOf(root, 'tokenGroups')
  const [sid] = valuesOf(entry, 'objectSid')
  if (sid !== undefined && own.some((one) => one.equals(sid))) return
  throw unusable(entry, 'is not the account that was bound, as far as the server tells')
}
