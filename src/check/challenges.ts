// The challenges of a 401 (RFC 9110 §11.6.1): one for each way in, and what the authenticator that
// rejected a credential has to say about it.

import type { Trail } from './decision.ts'

/** The challenges of the route, as they are after what happened. */
export const challengesAfter = ({ route, challenge }: Trail): readonly string[] => {
  const invitations = route?.chain.challenges ?? []
  if (challenge === undefined) return invitations
  const { text, of } = challenge
  const isReplaced = (invitation: string): boolean =>
    of.includes(invitation) && schemeOf(invitation) === schemeOf(text)
  // That of a scheme which nobody invites comes last: it must not be lost.
  return invitations.some(isReplaced)
    ? invitations.map((invitation) => (isReplaced(invitation) ? text : invitation))
    : [...invitations, text]
}

const schemeOf = (challenge: string): string | undefined => challenge.split(' ')[0]?.toLowerCase()
