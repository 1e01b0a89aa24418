// Values that cannot change any more.

/** Freezes a value with all that it holds; what is frozen already is taken to be frozen deeply. */
export const deepFreeze = <T>(value: T): T => {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    for (const member of Object.values(value)) deepFreeze(member)
  }
  return value
}
