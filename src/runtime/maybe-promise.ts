// Values that may have to be waited for. The request path returns them as they are where nothing has to be: a
// promise costs about a microsecond and a turn of the event loop.

/** A value, or the promise of one. */
export type MaybePromise<T> = T | Promise<T>

/** Applies a function to the value, at once where it is there. What the function throws is thrown or rejected. */
export const andThen = <T, U>(
  value: MaybePromise<T>,
  apply: (value: T) => MaybePromise<U>,
): MaybePromise<U> => (value instanceof Promise ? value.then(apply) : apply(value))
