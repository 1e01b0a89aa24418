// The parameter and the claim `scope` (RFC 6749 §3.3).

/** The scopes of a value that came from outside; none where it is not a text. */
export const scopesIn = (scope: unknown): readonly string[] =>
  typeof scope === 'string' ? scope.split(' ').filter((name) => name !== '') : []
