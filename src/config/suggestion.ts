// The word that was probably meant, for messages about a name that does not exist.

/**
 * `; did you mean "authenticate"?`, or nothing where no candidate is close.
 *
 * @param word what was written
 * @param candidates what would be valid
 */
export const didYouMean = (word: string, candidates: Iterable<string>): string => {
  const meant = nearest(word, candidates)
  return meant === undefined ? '' : `; did you mean "${meant}"?`
}

// The comparison costs the product of both lengths, and keys are shorter.
const LONGEST = 64

/** The candidate that a slip or two makes into the word; of several the one with the fewest, then the first. */
export const nearest = (word: string, candidates: Iterable<string>): string | undefined => {
  if (word.length > LONGEST) return undefined
  let found: { readonly candidate: string; readonly distance: number } | undefined
  for (const candidate of candidates) {
    if (candidate.length > LONGEST || candidate === word) continue
    const most = Math.floor(Math.max(word.length, candidate.length) / 3)
    if (Math.abs(word.length - candidate.length) > most) continue
    const distance = distanceOf(plain(word), plain(candidate))
    if (distance <= most && (found === undefined || distance < found.distance)) {
      found = { candidate, distance }
    }
  }
  return found?.candidate
}

/** Without what writers vary: capitals, `-` and `_`. */
const plain = (word: string): string => word.toLowerCase().replaceAll(/[-_]/g, '')

/** Insertions, deletions, replacements, and exchanges of neighbours (optimal string alignment). */
const distanceOf = (one: string, other: string): number => {
  let before: readonly number[] = []
  let last: readonly number[] = Array.from({ length: other.length + 1 }, (_, index) => index)
  for (let i = 1; i <= one.length; i++) {
    const row = [i]
    for (let j = 1; j <= other.length; j++) {
      const isSame = one[i - 1] === other[j - 1]
      const isSwap = one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1]
      row.push(
        Math.min(
          at(last, j) + 1,
          at(row, j - 1) + 1,
          at(last, j - 1) + (isSame ? 0 : 1),
          isSwap && i > 1 && j > 1 ? at(before, j - 2) + 1 : Number.POSITIVE_INFINITY,
        ),
      )
    }
    before = last
    last = row
  }
  return at(last, other.length)
}

const at = (row: readonly number[], index: number): number => row[index] ?? Number.POSITIVE_INFINITY
