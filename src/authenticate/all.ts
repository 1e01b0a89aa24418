// Several credentials that are demanded together: all are verified, and the first yields the caller's identity.

import { methodsOf } from '../identity/authentication-context.ts'
import type { ProvenCredential } from '../identity/identity.ts'
import type { Authenticator } from './authenticator.ts'
import type { ChainLink } from './chain.ts'

/**
 * Makes one authenticator of several.
 *
 * - `authenticated`: all credentials are verified.
 * - `not-applicable`: one of the credentials is absent; the chain continues.
 * - `rejected`, `unavailable`: the outcome of the first authenticator that has it.
 *
 * @param links none of whose identities may be refused; the caller has the identity of the first
 * @param sameUser whether all credentials must name the same user
 */
export const allOf = (links: readonly ChainLink[], sameUser: boolean): ChainLink => {
  const [first] = links
  if (first === undefined) throw new TypeError('all of nothing')
  const authenticators = links.map(({ authenticator }) => authenticator)
  const combine = combination()
  const authenticator: Authenticator = {
    name: authenticators.map(({ name }) => name).join('+'),
    challenges: authenticators.flatMap(({ challenges }) => challenges),
    locations: authenticators.flatMap(({ locations }) => locations),
    unread: authenticators.flatMap(({ unread = [] }) => unread),
    async authenticate(request, signal) {
      const proven: ProvenCredential[] = []
      const users = new Set<string>()
      for (const link of links) {
        const authentication = await link.authenticator.authenticate(request, signal)
        if (authentication.outcome !== 'authenticated') return authentication
        const mapping = link.mapping.identityOf(authentication.credential)
        if (mapping.outcome === 'refused') {
          return { outcome: 'rejected', code: mapping.code, user: authentication.credential.user }
        }
        users.add(mapping.identity.user)
        proven.push(authentication.credential)
      }
      return sameUser && users.size > 1
        ? { outcome: 'rejected', code: 'credential-conflict', user: [...users].join(', ') }
        : { outcome: 'authenticated', credential: combine(proven) }
    },
  }
  return { authenticator, mapping: first.mapping }
}

/** Combines credentials; equal input yields the same object, by which the identity mapping caches its result. */
const combination = (): ((proven: readonly ProvenCredential[]) => ProvenCredential) => {
  const known = new WeakMap<
    ProvenCredential,
    { readonly of: readonly ProvenCredential[]; readonly combined: ProvenCredential }
  >()
  return (proven) => {
    const [first, ...others] = proven
    if (first === undefined) throw new TypeError('nothing was proven')
    const last = known.get(first)
    if (last?.of.every((one, index) => one === proven[index]) === true) return last.combined
    const certified = proven.find(({ certificate }) => certificate !== undefined)
    const combined: ProvenCredential = {
      ...first,
      digest: proven.map(({ digest }) => digest).join('+'),
      expires: earliest(proven.map(({ expires }) => expires)),
      requestLimit: earliest(proven.map(({ requestLimit }) => requestLimit)),
      authenticatedAt: earliest(proven.map(({ authenticatedAt }) => authenticatedAt)),
      methods: methodsOfAll(proven),
      certificate: certified?.certificate,
      certificateDer: certified?.certificateDer,
      claims: first.claims ?? others.find(({ claims }) => claims)?.claims,
    }
    known.set(first, { of: proven, combined })
    return combined
  }
}

const earliest = (times: readonly (number | undefined)[]): number | undefined => {
  const known = times.filter((time) => time !== undefined)
  return known.length === 0 ? undefined : Math.min(...known)
}

// RFC 8176 §2: several factors. Two credentials of one kind are one factor.
const MULTIPLE_FACTORS = 'mfa'

const methodsOfAll = (proven: readonly ProvenCredential[]): readonly string[] | undefined => {
  const methods = new Set(proven.flatMap((one) => one.methods ?? methodsOf(one) ?? []))
  const kinds = new Set(proven.map(({ method }) => method))
  // Not with a token: its issuer verified the user, perhaps by the same password.
  if (kinds.has('basic') && kinds.has('certificate')) methods.add(MULTIPLE_FACTORS)
  return methods.size === 0 ? undefined : [...methods]
}
