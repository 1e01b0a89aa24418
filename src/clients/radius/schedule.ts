// When a RADIUS request is sent again (RFC 5080 §2.2.1).

/** RAND of RFC 5080: each interval is a tenth longer or shorter, so that clients fall out of step. */
const SPREAD = 0.1

// The same section's MRT is 16 s; here a user waits for the answer.
const LONGEST_INTERVAL = 8_000

/**
 * The milliseconds between a transmission and the next: `first`, then doubled each time, spread.
 *
 * @param sent how many transmissions there were before, 0 for none
 * @param random from 0 up to 1
 */
export const intervalAfter = (sent: number, first: number, random: () => number): number =>
  Math.min(first * 2 ** sent, LONGEST_INTERVAL) * (1 - SPREAD + 2 * SPREAD * random())
