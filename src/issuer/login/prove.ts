// What somebody showed at the login page, proven by the same authenticators that prove what requests
// carry, so that lock-outs, remembered proofs and identity rules are the same too.

import type { LoginStep } from '../../authenticate/authenticator.ts'
import type { LoginWay } from '../../check/authorization-server.ts'
import type { Identity } from '../../identity/identity.ts'
import type { MappingResult } from '../../identity/mapping.ts'
import { readRequest, type Request } from '../../request/request.ts'
import { certificateOf, sourceOf, type CallerMessage } from '../caller.ts'
import type { AskedQuestion } from './questions.ts'

/** What was shown. */
export type Shown =
  | { readonly kind: 'password'; readonly user: string; readonly password: string }
  | { readonly kind: 'certificate' }

/** What came of it. */
export type Proof =
  | { readonly outcome: 'proven'; readonly identity: Identity }
  | Extract<LoginStep, { outcome: 'rejected' | 'unavailable' }>
  | Extract<MappingResult, { outcome: 'refused' }>
  | ({ readonly outcome: 'asked' } & AskedQuestion)
  /** The question that was answered is not one any more. */
  | { readonly outcome: 'stale' }
  /** Nothing was shown that these ways know. */
  | { readonly outcome: 'not-applicable' }

// As long as Envoy waits for the answer (envoy/issuer.ts), with room for it.
const DEADLINE_MS = 14_000

/** Asks the ways of that kind in turn. The first that knows what was shown decides. Never rejects. */
export const prove = async (
  ways: readonly LoginWay[],
  shown: Shown,
  message: CallerMessage,
): Promise<Proof> => {
  const request = requestFor(shown, message)
  if (request === undefined) return { outcome: 'not-applicable' }
  const signal = AbortSignal.timeout(DEADLINE_MS)
  let last: Proof = { outcome: 'not-applicable' }
  for (const { kind, link } of ways) {
    if (kind !== shown.kind) continue
    // oxlint-disable-next-line no-await-in-loop -- the order is the meaning
    last = await proveBy(link, request, signal)
    // A user of another directory may be in this one; whoever is known here is not asked elsewhere.
    if (last.outcome !== 'not-applicable' && !isUnknownUser(last)) return last
  }
  return last
}

const isUnknownUser = (proof: Proof): boolean =>
  proof.outcome === 'rejected' && proof.code === 'user-unknown'

/** Answers a question of one of these ways. Never rejects. */
export const proveAnswer = async (
  ways: readonly LoginWay[],
  { authenticator: name, question }: AskedQuestion,
  answer: string,
  message: CallerMessage,
): Promise<Proof> => {
  const link = ways.find((way) => way.link.authenticator.name === name)?.link
  const login = link?.authenticator.login
  if (link === undefined || login === undefined) return { outcome: 'stale' }
  return await proven(link, () => login.answer(question, answer, sourceOf(message)))
}

const proveBy = async (
  link: LoginWay['link'],
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
  { authenticator, mapping }: LoginWay['link'],
  ask: () => Promise<LoginStep>,
): Promise<Proof> => {
  try {
    const step = await ask()
    if (step.outcome === 'asked') return { ...step, authenticator: authenticator.name }
    if (step.outcome !== 'authenticated') return step
    const result = mapping.identityOf(step.facts)
    return result.outcome === 'identity' ? { outcome: 'proven', identity: result.identity } : result
  } catch (cause) {
    return { outcome: 'unavailable', cause }
  }
}

/** The request that would show the same; `undefined` where none could. */
const requestFor = (shown: Shown, message: CallerMessage): Request | undefined => {
  const headers = []
  if (shown.kind === 'password') {
    const { user, password } = shown
    // RFC 7617 §2: such a user cannot be told from another with a longer password.
    if (user.includes(':')) return undefined
    const pair = Buffer.from(`${user}:${password}`).toString('base64')
    headers.push({ name: 'authorization', value: Buffer.from(`Basic ${pair}`) })
  }
  const reading = readRequest({
    method: 'POST',
    host: 'login',
    path: '/login',
    headers,
    sourceAddress: sourceOf(message),
    sourcePort: 0,
    peerCertificate: shown.kind === 'certificate' ? certificateOf(message) : '',
    serverName: '',
    contextExtensions: new Map(),
  })
  return reading.outcome === 'read' ? reading.request : undefined
}
