// Tokens that are bound to a key, which the caller proves with every request (RFC 9449).

import type { ProvenCredential } from '../../identity/identity.ts'
import type { Request } from '../../request/request.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { ReplayMemory } from '../../state/replay-memory.ts'
import { proofKeyOf } from './binding.ts'
import type { ProofKey } from './proof-key.ts'
import { verifyProof, type ProofRules } from './proof.ts'

/** The options of a holder check. */
export interface DpopOptions extends ProofRules {
  /** Whether tokens that are not bound are refused. */
  readonly require: boolean
  readonly clock: Clock
  /** The used proofs. */
  readonly replays: ReplayMemory
}

/** Whether the caller may use a token that was presented with the scheme `DPoP`. */
export type HolderVerdict =
  | { readonly outcome: 'proven' }
  | {
      readonly outcome: 'rejected'
      readonly code: 'token-binding' | 'proof-invalid' | 'proof-replayed'
    }
  | { readonly outcome: 'unavailable'; readonly cause: unknown }

/** Checks the holder of a token; never rejects. */
export type HolderCheck = (
  request: Request,
  token: string,
  credential: ProvenCredential,
) => Promise<HolderVerdict>

const rejected = (
  code: Extract<HolderVerdict, { outcome: 'rejected' }>['code'],
): HolderVerdict => ({ outcome: 'rejected', code })

// A route may authenticate one request twice: for a token that is demanded with another credential, and for the token
// alone. That is one use of the proof.
const used = new WeakMap<Request, string>()

/** Makes the check. */
export const holderCheck = (options: DpopOptions): HolderCheck => {
  const { clock, replays } = options
  // Importing a key costs half as much as verifying the signature, and a token has only one key.
  const known = new WeakMap<ProvenCredential, ProofKey>()
  return async (request, token, credential) => {
    const thumbprint = proofKeyOf(credential.claims ?? {}, request.peerCertificate)
    if (thumbprint === undefined) return rejected('token-binding')
    const text = proofIn(request)
    if (text === undefined) return rejected('proof-invalid')
    const subject = { request, token, thumbprint, key: known.get(credential) }
    const proof = await verifyProof(text, subject, options, clock.now())
    if (proof === undefined) return rejected('proof-invalid')
    known.set(credential, proof.key)
    // Check 10 of RFC 9449 §4.3 is the last: only a valid proof may use up its jti.
    const id = `${thumbprint}.${proof.id}`
    if (used.get(request) === id) return { outcome: 'proven' }
    const use = await replays.use(id, proof.until)
    switch (use.outcome) {
      case 'first':
        used.set(request, id)
        return { outcome: 'proven' }
      case 'repeated':
        return rejected('proof-replayed')
      case 'unavailable':
        return use
    }
  }
}

/** The one proof (check 1); two that a proxy joined with a comma are not a JWT. */
const proofIn = ({ headers }: Request): string | undefined => {
  const [proof, ...more] = headers.lines.filter(({ name }) => name === 'dpop')
  return more.length > 0 ? undefined : proof?.value.toString('latin1')
}
