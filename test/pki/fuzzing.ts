// Random changes to good input, the same ones every time.

/** A generator of numbers from 0 up to a bound. */
const dice = (seed: number): ((sides: number) => number) => {
  let state = seed
  return (sides) => {
    // Numerical Recipes' linear congruence; the low bits repeat soonest.
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * sides)
  }
}

const SPECIAL = ['"', ',', ';', '=', ':', '\\', '%', '\0', '\n', '\t', ' ', 'é'].map((char) =>
  Buffer.from(char),
)

/** Texts with up to four changes each: bytes dropped, doubled, replaced by random and by special ones. */
export const mutations = function* (seeds: readonly string[], count: number): Generator<Buffer> {
  const roll = dice(1)
  for (let round = 0; round < count; round++) {
    let bytes = Buffer.from(seeds[roll(seeds.length)] ?? '')
    for (let change = roll(4); change >= 0; change--) {
      const at = roll(bytes.length)
      const [head, tail] = [bytes.subarray(0, at), bytes.subarray(at)]
      const piece = [
        [tail.subarray(1 + roll(8))],
        [tail.subarray(0, roll(16)), tail],
        [Buffer.of(roll(256)), tail.subarray(1)],
        [SPECIAL[roll(SPECIAL.length)] ?? Buffer.of(), tail.subarray(roll(2))],
      ][roll(4)] ?? [tail]
      bytes = Buffer.concat([head, ...piece])
    }
    yield bytes
  }
}
