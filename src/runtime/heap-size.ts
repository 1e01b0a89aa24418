// An estimate of the memory that a cached value takes, by which a cache is bounded.

// V8 on 64 bits with pointer compression off, as Node builds it: the header and map of a string, and
// what an object, an array and a property of either take. Measured, and rounded up.
const STRING_BYTES = 24
const OBJECT_BYTES = 56
const SLOT_BYTES = 8

/** Bytes of the heap that a value of the kinds of JSON takes, about; for bytes, their number. */
export const heapSizeOf = (value: unknown): number => {
  let bytes = 0
  const rest: unknown[] = [value]
  while (rest.length > 0) {
    const next = rest.pop()
    bytes += SLOT_BYTES
    if (typeof next === 'string') {
      bytes += STRING_BYTES + Buffer.byteLength(next)
    } else if (ArrayBuffer.isView(next)) {
      bytes += OBJECT_BYTES + next.byteLength
    } else if (typeof next === 'object' && next !== null) {
      bytes += OBJECT_BYTES
      const inner: readonly unknown[] = Array.isArray(next) ? next : Object.values(next)
      // By index: before V8 has optimized it, an iterator takes 1 kB for a token. Not spread: a list may have more entries
      // than a call may have arguments.
      for (let index = 0; index < inner.length; index++) rest.push(inner[index])
    }
  }
  return bytes
}
