// A file of another kind in the place of the one that belongs there. One problem says so: each of its keys would
// be one otherwise. Documents are recognised by keys at their top.

/** A kind of document. */
interface Kind {
  /** All of them are at the top of such a document. */
  readonly keys: readonly string[]
  readonly description: string
}

const KINDS: readonly Kind[] = [
  {
    keys: ['authorities'],
    description:
      'the configuration of the signer (signer.yaml), which "countersign signer" and "validate --signer" read',
  },
  { keys: ['authenticators'], description: 'the configuration of authz (countersign.yaml)' },
  { keys: ['routes'], description: 'the configuration of authz (countersign.yaml)' },
  {
    keys: ['static_resources'],
    description: 'a configuration of Envoy, which "countersign envoy lint" reads',
  },
  { keys: ['apiVersion', 'kind'], description: 'a Kubernetes manifest' },
  { keys: ['openapi', 'paths'], description: 'an OpenAPI document' },
  { keys: ['swagger', 'paths'], description: 'an OpenAPI document' },
  { keys: ['users'], description: 'a users file' },
  { keys: ['keys'], description: 'a file of keys (API keys, or a JWKS)' },
]

/**
 * The problem with a document of another kind; `undefined` where it could be of this one.
 *
 * @param known the keys at the top of the kind that belongs here
 */
export const otherDocument = (raw: unknown, known: readonly string[]): string | undefined => {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) return undefined
  const has = (kind: Kind): boolean => kind.keys.every((key) => Object.hasOwn(raw, key))
  const isOwn = ({ keys }: Kind): boolean => keys.every((key) => known.includes(key))
  if (KINDS.some((kind) => isOwn(kind) && has(kind))) return undefined
  const found = KINDS.find((kind) => !isOwn(kind) && has(kind))
  return found && `this is ${found.description}: it has ${found.keys.map(quoted).join(' and ')}`
}

const quoted = (key: string): string => `"${key}"`
