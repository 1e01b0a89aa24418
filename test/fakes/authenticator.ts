// An authenticator whose answer the test chooses.

import type { Authentication, Authenticator } from '../../src/authenticate/authenticator.ts'
import type { ProvenCredential } from '../../src/identity/identity.ts'
import type { Request } from '../../src/request/request.ts'

/** ProvenCredential about alice, or whatever the test says otherwise. */
export const credentialOf = (credential: Partial<ProvenCredential> = {}): ProvenCredential => ({
  method: 'basic',
  digest: 'fingerprint',
  user: 'alice',
  groups: [],
  extra: {},
  ...credential,
})

/** How the fake answers. */
export type FakeAnswer =
  | Authentication
  | ((request: Request, signal: AbortSignal) => Promise<Authentication>)

/** Makes an authenticator with that answer. */
export const fakeAuthenticator = (
  name: string,
  answer: FakeAnswer,
  challenge = `Fake realm="${name}"`,
  locations: Authenticator['locations'] = [],
): Authenticator => ({
  name,
  challenges: [challenge],
  locations,
  authenticate: async (request, signal) =>
    typeof answer === 'function' ? await answer(request, signal) : answer,
})

/** Alice, proven, with two groups. */
export const PROVEN: Authentication = {
  outcome: 'authenticated',
  credential: credentialOf({ groups: ['dev', 'ops'] }),
}

/** The outcome, or why the credential was rejected. */
export const codeOf = (authentication: Authentication): string =>
  authentication.outcome === 'rejected' ? authentication.code : authentication.outcome
