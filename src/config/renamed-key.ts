// The problem with a key that a schema does not have: where it had another name, the new one is named.

/** A key with its name before the first release. */
export interface RenamedKey {
  readonly from: string
  readonly to: string
  /** The key that it is directly under; indices of lists do not count. Absent: any. `/^$/`: the document itself. */
  readonly under?: RegExp
}

/**
 * The problem with an unknown key.
 *
 * @param path of the mapping that holds it
 * @param meant the known key that it resembles
 */
export const unknownKey = (
  path: readonly PropertyKey[],
  key: string,
  renamed: readonly RenamedKey[],
  meant?: string,
): string => {
  const parent = path.findLast((step) => typeof step !== 'number') ?? ''
  const found = renamed.find(
    ({ from, under }) => from === key && (under?.test(String(parent)) ?? true),
  )
  if (found !== undefined) return `unknown key; it is called "${found.to}" now`
  return meant === undefined ? 'unknown key' : `unknown key; did you mean "${meant}"?`
}
