// Names that callers of one issuer could share with users of another: what `countersign validate` warns about. Pure; it
// decides no request.

import type { Locate } from '../../config/document.ts'
import type { Problem } from '../../config/problem.ts'
import type { IdentityConfig } from '../../identity/schema.ts'
import { authenticatorsNamed } from '../route-authenticators.ts'
import type { Config } from '../schema.ts'

/**
 * Warns where a route or the login page accepts the users of several authorities, and the users of another issuer are
 * named by a claim that is not unique beyond it, without a prefix or suffix: OpenID Connect Core §5.7 has only `sub`
 * unique, for its issuer, and users may be able to change the rest.
 */
export const unprefixedNameWarnings = (config: Config, locate: Locate): readonly Problem[] => {
  const named = [...atRoutes(config), ...atLogin(config)]
  const places = named.map(({ path }) => JSON.stringify(path))
  const firsts = named.filter((_, index) => places.indexOf(places[index] ?? '') === index)
  return firsts.map(({ path, claim, issuer, where }) =>
    locate(
      path,
      `names users by "claims.${claim}" without a prefix, and ${where} accepts users of other origin, too: a user of ${issuer} with the name of one of them is taken for that user. Put a prefix before it, such as "oidc:" + claims.sub`,
    ),
  )
}

/** A name that is not unique where it is used. */
interface SharedName {
  readonly path: readonly PropertyKey[]
  readonly claim: string
  readonly issuer: string
  readonly where: string
}

/** Users, by who names them. */
interface Users {
  readonly path: readonly PropertyKey[]
  /** Where the names are unique: the URL of an issuer, or {@link LOCAL}. */
  readonly authority: string
  readonly identity: Pick<IdentityConfig, 'user'> | undefined
}

/** Whatever this operator names: accounts, certificates, keys, and tokens of Countersign itself. */
const LOCAL = ''

const atRoutes = (config: Config): readonly SharedName[] =>
  config.routes.flatMap((route) => {
    const users = authenticatorsNamed(route).flatMap((name) => usersOf(name, config))
    return sharedNames(users, `route "${route.name}"`)
  })

const atLogin = (config: Config): readonly SharedName[] => {
  const { authenticators = [], providers = {} } = config.issuer?.login ?? {}
  const local = authenticators.flatMap((name) => usersOf(name, config))
  const federated = Object.entries(providers).map(([id, { issuer, identity }]) => ({
    path: ['issuer', 'login', 'providers', id],
    authority: issuer,
    identity,
  }))
  return sharedNames([...local, ...federated], 'the login page')
}

const usersOf = (name: string, { authenticators, issuer }: Config): readonly Users[] => {
  const authenticator = authenticators[name]
  if (authenticator === undefined) return []
  const { bearer, introspection, identity } = authenticator
  const of = bearer?.issuer ?? introspection?.issuer ?? LOCAL
  const authority = of === issuer?.url ? LOCAL : of
  return [{ path: ['authenticators', name], authority, identity }]
}

const sharedNames = (users: readonly Users[], where: string): readonly SharedName[] =>
  users.flatMap(({ path, authority, identity }) => {
    const claim = authority === LOCAL ? undefined : bareClaim(identity?.user)
    const isAlone = users.every((user) => user.authority === authority)
    if (claim === undefined || isAlone) return []
    return [{ path: [...path, 'identity', 'user'], claim, issuer: authority, where }]
  })

// OpenID Connect Core §5.1: what providers let users choose, and what is unique to one of them.
const CLAIM = /\bclaims\.\??(sub|preferred_username|email|name|nickname)\b/

/** The claim that is the whole name, as an expression yields it for two users who have nothing in common. */
const bareClaim = (user: IdentityConfig['user']): string | undefined => {
  const [, claim] = CLAIM.exec(user?.source ?? '') ?? []
  if (user === undefined || claim === undefined) return undefined
  const [one, other] = ['anna', 'bert'].map((value) =>
    user.evaluate({ claims: { [claim]: value } }),
  )
  return one?.[0] === 'anna' && other?.[0] === 'bert' ? claim : undefined
}
