// The challenges of a 401 (RFC 9110 §11.6.1): one for each authenticator, with the error of the one that
// rejected a credential; and the challenge for a token with insufficient scope.

import type { CheckContext } from '../context.ts'
import type { Denial } from '../decision.ts'

/** The challenges of the route after this refusal; those that suit the client. */
export const challengesAfter = (denial: Denial): readonly string[] => {
  const challenges = withReply(denial)
  return isScriptOfLogin(denial.context)
    ? challenges.filter((challenge) => schemeOf(challenge) !== 'basic')
    : challenges
}

// Headers that browsers send with the requests of a page, and programs do not.
const OF_PAGES = ['sec-fetch-mode', 'origin', 'x-requested-with'] as const

/**
 * Whether a page of a route with a login sent the request: browsers show a password dialog of their own for
 * `Basic`, over the page, and its script does not receive the 401 before that is closed.
 */
const isScriptOfLogin = ({ route, request }: CheckContext): boolean =>
  route?.login !== undefined && OF_PAGES.some((name) => request?.headers.get(name) !== undefined)

const withReply = ({ context, challenge }: Denial): readonly string[] => {
  const invitations = context.route?.chain.challenges ?? []
  if (challenge === undefined) return invitations
  const { text, of } = challenge
  const isReplaced = (invitation: string): boolean =>
    of.includes(invitation) && schemeOf(invitation) === schemeOf(text)
  // A scheme that is not among the challenges of the route comes last: it must not be lost.
  return invitations.some(isReplaced)
    ? invitations.map((invitation) => (isReplaced(invitation) ? text : invitation))
    : [...invitations, text]
}

/** The schemes that have the error (RFC 6750 §3.1, RFC 9449 §7.1), the common one first. */
const TOKEN_SCHEMES = ['Bearer', 'DPoP'] as const

// RFC 6749 §3.3, scope-token: nothing that ends the quotes.
const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]+$/

/** What a token would need (RFC 6750 §3.1); none where the route invites no tokens. */
export const scopeChallenges = ({ context, missingScopes = [] }: Denial): readonly string[] => {
  const invited = new Set(context.route?.chain.challenges.map(schemeOf))
  const scheme = TOKEN_SCHEMES.find((candidate) => invited.has(candidate.toLowerCase()))
  if (scheme === undefined) return []
  const scopes = missingScopes.filter((scope) => SCOPE.test(scope))
  const named =
    scopes.length > 0 && scopes.length === missingScopes.length
      ? `, scope="${scopes.join(' ')}"`
      : ''
  return [`${scheme} error="insufficient_scope"${named}`]
}

const schemeOf = (challenge: string): string | undefined => challenge.split(' ')[0]?.toLowerCase()
