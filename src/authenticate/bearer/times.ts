// The times of a token (RFC 7519 §2, NumericDate), wherever they are written down.

// The end of the year 9999: the last that a Date, a header or a certificate can be sure to show.
const LAST_SECOND = 253_402_300_799

/** Whether a value is a time, in seconds since the epoch; it may have a fraction. */
export const isTime = (value: unknown): value is number =>
  typeof value === 'number' && value >= 0 && value <= LAST_SECOND
