// The kinds of key that are made for certificates.

/** Curve or modulus size of a key pair. */
export const KEY_ALGORITHMS = ['p256', 'p384', 'ed25519', 'rsa2048', 'rsa3072', 'rsa4096'] as const

/** The kind of a key pair. */
export type KeyAlgorithm = (typeof KEY_ALGORITHMS)[number]
