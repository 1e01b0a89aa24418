// Verifies credentials of the login page by the same authenticators as requests, so that lock-outs, cached credentials
// and identity rules are the same.

import { HeaderLine } from '../../request/header-line.ts'
import type { LoginLookup, LoginStep, PasswordQuestion, RejectionCode } from '../authenticator.ts'
import type { AccountEnd } from '../password/verifier.ts'
import type { MaybePromise } from '../../runtime/maybe-promise.ts'
import type { Identity, IdentityRefusal } from '../../identity/identity.ts'
import type { MappingResult } from '../../identity/mapping.ts'
import { readRequest, type Request } from '../../request/request.ts'
import type { LocalLogin } from '../../logins/proven-logins.ts'
import type { ChainLink } from '../chain.ts'

/** One authenticator of the login page. */
export interface LoginMethod {
  readonly kind: 'password' | 'certificate'
  readonly link: ChainLink
}

/** The client of the login page, as Envoy sent it. */
export interface LoginCaller {
  /** An IP address. */
  readonly source: string
  /** URL-encoded PEM; empty for none. */
  readonly certificate: string
}

/** A challenge that waits for its answer, and the authenticator that sent it. */
export interface PendingChallenge {
  /** The authenticator, by its name. */
  readonly authenticator: string
  readonly question: PasswordQuestion
}

/** The presented credential. */
export type LoginCredential =
  | { readonly kind: 'password'; readonly user: string; readonly password: string }
  | { readonly kind: 'certificate' }

/** The result of verifying it. */
export type Proof =
  | { readonly outcome: 'proven'; readonly identity: Identity }
  | Extract<LoginStep, { outcome: 'rejected' | 'unavailable' }>
  | Extract<MappingResult, { outcome: 'refused' }>
  | ({ readonly outcome: 'asked' } & PendingChallenge)
  /** The question cannot be answered any longer. */
  | { readonly outcome: 'stale' }
  /** No authenticator of the login page is for this credential. */
  | { readonly outcome: 'not-applicable' }

/** The result of a recheck. */
export type ProofAgain =
  | Extract<Proof, { outcome: 'proven' | 'refused' | 'unavailable' }>
  | { readonly outcome: 'rejected'; readonly code: RejectionCode | IdentityRefusal | AccountEnd }
  /** The authenticator no longer exists, or cannot look the account up. */
  | { readonly outcome: 'unsupported' }

/** The deadline of a recheck, which has no user and no second factor to wait for. */
const DEADLINE_MS = 14_000

/** Calls the authenticators of that kind in turn. The first that knows the user decides. Never rejects. */
export const prove = async (
  { methods, wait }: { readonly methods: readonly LoginMethod[]; readonly wait: number },
  presented: LoginCredential,
  caller: LoginCaller,
): Promise<Proof> => {
  const request = requestFor(presented, caller)
  if (request === undefined) return { outcome: 'not-applicable' }
  const signal = AbortSignal.timeout(wait)
  let last: Proof = { outcome: 'not-applicable' }
  for (const { kind, link } of methods) {
    if (kind !== presented.kind) continue
    last = await proveBy(link, request, signal)
    // A user of another directory may be in this one; a user who is known here is not looked up elsewhere.
    if (last.outcome !== 'not-applicable' && !isUnknownUser(last)) return last
  }
  return last
}

const isUnknownUser = (proof: Proof): boolean =>
  proof.outcome === 'rejected' && proof.code === 'user-unknown'

/** Verifies the answer to a question of one of these authenticators. Never rejects. */
export const proveAnswer = async (
  methods: readonly LoginMethod[],
  { authenticator: name, question }: PendingChallenge,
  answer: string,
  source: string,
): Promise<Proof> => {
  const link = methods.find((way) => way.link.authenticator.name === name)?.link
  const login = link?.authenticator.login
  if (link === undefined || login === undefined) return { outcome: 'stale' }
  return await proven(link, () => login.answer(question, answer, source))
}

/**
 * Verifies again, without the user, what a login was authenticated by: the account is looked up, the certificate is
 * verified with its revocation. Never rejects.
 */
export const proveAgain = async (
  methods: readonly LoginMethod[],
  { authenticator: name, proven: before }: Pick<LocalLogin, 'authenticator' | 'proven'>,
): Promise<ProofAgain> => {
  const link = methods.find((way) => way.link.authenticator.name === name)?.link
  if (link === undefined || before === undefined) return { outcome: 'unsupported' }
  const lookup = 'account' in before ? link.authenticator.login?.lookup(before) : undefined
  if (lookup !== undefined) return await provenAgain(link, lookup)
  const { certificate = '' } = 'certificate' in before ? before : {}
  const request = requestFor({ kind: 'certificate' }, { source: '', certificate })
  if (request === undefined) return { outcome: 'unsupported' }
  const proof = await proveBy(link, request, AbortSignal.timeout(DEADLINE_MS))
  const isOther =
    proof.outcome === 'not-applicable' || proof.outcome === 'asked' || proof.outcome === 'stale'
  return isOther ? { outcome: 'unsupported' } : proof
}

const provenAgain = async (
  { mapping }: LoginMethod['link'],
  lookup: Promise<LoginLookup>,
): Promise<ProofAgain> => {
  const found = await lookup
  if (found.outcome === 'ended') return { outcome: 'rejected', code: found.code }
  if (found.outcome !== 'current') return found
  const result = mapping.identityOf(found.credential)
  return result.outcome === 'identity' ? { outcome: 'proven', identity: result.identity } : result
}

const proveBy = async (
  link: LoginMethod['link'],
  request: Request,
  signal: AbortSignal,
): Promise<Proof> => {
  const { authenticator } = link
  return await proven(link, () =>
    authenticator.login === undefined
      ? authenticator.authenticate(request, signal)
      : authenticator.login.begin(request, signal),
  )
}

const proven = async (
  { authenticator, mapping }: LoginMethod['link'],
  ask: () => MaybePromise<LoginStep>,
): Promise<Proof> => {
  try {
    const step = await ask()
    if (step.outcome === 'asked') return { ...step, authenticator: authenticator.name }
    if (step.outcome !== 'authenticated') return step
    const result = mapping.identityOf(step.credential)
    return result.outcome === 'identity' ? { outcome: 'proven', identity: result.identity } : result
  } catch (cause) {
    return { outcome: 'unavailable', cause }
  }
}

/** The request that would present the same credential; `undefined` where none can. */
const requestFor = (
  presented: LoginCredential,
  { source, certificate }: LoginCaller,
): Request | undefined => {
  const headers = []
  if (presented.kind === 'password') {
    const { user, password } = presented
    // RFC 7617 §2: such a user and another with a longer password are indistinguishable.
    if (user.includes(':')) return undefined
    const pair = Buffer.from(`${user}:${password}`).toString('base64')
    headers.push(HeaderLine.of('authorization', Buffer.from(`Basic ${pair}`)))
  }
  const reading = readRequest({
    method: 'POST',
    host: 'login',
    path: '/login',
    headers,
    sourceAddress: source,
    sourcePort: 0,
    peerCertificate: presented.kind === 'certificate' ? certificate : '',
    serverName: '',
    contextExtensions: new Map(),
  })
  return reading.outcome === 'read' ? reading.request : undefined
}
