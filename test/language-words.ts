// The words and phrases that texts, documents, comments and names of tests avoid, each with the word to write. The rules
// that it keeps are in docs/explanation/glossary.md.

/** A word to avoid. */
export interface Avoided {
  /** Matched without regard to case; a blank matches any white space, so that lines may break anywhere. */
  readonly word: RegExp
  /** What to write. */
  readonly write: string
}

/** A use of an avoided word that is right. */
export interface Exception {
  /** The text around the word; whatever it covers is not looked at. */
  readonly text: RegExp
  readonly reason: string
}

const BE = '(?:is|are|was|were|be|been|being)'

const avoid = (pattern: string, write: string): Avoided => ({
  word: new RegExp(`\\b(?:${pattern})\\b`.replaceAll(' ', '\\s+'), 'giu'),
  write,
})

/** Words of a private idiom, where the RFCs, Envoy and Kubernetes have a word of their own. */
export const AVOIDED: readonly Avoided[] = [
  avoid('whoever|whomever', 'the noun: a client that …, users who …'),
  avoid('nobody', 'the noun: no user, no client, no file'),
  avoid('somebody|anybody|everybody', 'the noun: a user, any client, every user'),
  avoid('people|persons?', 'users'),
  avoid('others', 'the noun: other clients, other users, other fields'),
  avoid('ours|of theirs', "Countersign's, this process's"),
  avoid('told', 'receives, is notified, is called; distinguished'),
  avoid('tells? apart|telling apart', 'distinguish'),
  avoid('tells? (?:that|which|one|it|them|two|these|those)(?: \\S+){0,3} apart', 'distinguish'),
  avoid(`(?:${BE}|not|never) asked`, 'is requested, is queried, is called'),
  avoid('asked for', 'requested'),
  avoid('stands?|stood', 'is, represents, is valid, remains'),
  avoid('standing', 'status'),
  avoid('foreign', "upstream; another origin's; untrusted"),
  avoid('farewells?|goodbye', 'logout'),
  avoid('beside', 'next to, with, in addition to'),
  avoid('good (?:no more|any more|for anything|until)', 'valid, no longer valid'),
  avoid('no more(?! than)', 'no longer'),
  avoid(`(?<!there )${BE} no (?!longer|more|less|fewer|other|different)\\w+`, 'is not a …'),
  avoid('com(?:es|e|ing) to (?!the|a|an|this|it|us|them)\\w+', 'results in, amounts to'),
  avoid('(?:does|do) not amount to|amounts? to an', 'is incomplete, is missing'),
  avoid('gone', 'removed, closed, ended, deleted'),
  avoid('lent|lends?|lending', 'in use; acquire'),
  avoid('dear|dearer|dearest', 'expensive'),
  avoid('patience', 'deadline'),
  avoid('at hand|for want of|in vain|for good', 'available; without; unsuccessfully; permanently'),
  avoid('but for', 'except'),
  avoid('(?:has|have|had) to do with', 'concerns'),
  avoid('who (?:you|they|it|he|she|somebody|one) (?:are|is)', 'authenticate; the identity'),
  avoid('who is who', 'the identity'),
  avoid('service behind', 'upstream'),
  avoid('cannot be (?:said|told)', 'is undetermined, cannot be evaluated'),
  avoid('makes? of (?:a|an|one|it|the|each|this)', 'evaluates, handles'),
  avoid('believed|believes?|believing', 'trusted, accepted'),
  avoid('(?:goes|go|going|went) on', 'continue'),
  avoid('(?:came|comes?|coming|became|becomes?) of', 'result, outcome'),
  avoid('whom', 'the noun: the user that …, the client that …'),
  avoid('(?:left|leaves?) (?:\\S+ )?alone', 'receives no requests; the circuit breaker is open'),
  avoid('(?:to be|be|was|were|been) had', 'available'),
  avoid('giv(?:es?|ing) (?:way|back)|gave (?:way|back)', 'is evicted, closes; return, revoke'),
]

/** Where an avoided word is the right one. */
export const EXCEPTIONS: readonly Exception[] = [
  { text: /\b410 Gone\b/gu, reason: 'HTTP status (RFC 9110 §15.5.11)' },
  { text: /\bou=people\b/giu, reason: 'the usual branch of users in a directory' },
  {
    text: /\bany person obtaining a copy\b|\bpersons to whom the Software\b/gu,
    reason: 'the MIT License',
  },
  {
    text: /\bthe link from another person\b/gu,
    reason: 'a warning of a page against phishing: the sender need not be a user',
  },
]
