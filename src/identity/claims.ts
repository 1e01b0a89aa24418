// The claims of a token.

/** The claims of a token: a JSON object (RFC 7519 §4). */
export type Claims = Readonly<Record<string, unknown>>
