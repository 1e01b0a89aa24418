// Whose attempt it is, for counting: names that some directory takes for one user are one.

const MARKS = /[\p{M}\p{Default_Ignorable_Code_Point}]/gu
const SPACES = /[\s\p{Z}]+/gu

/**
 * The name under which a user's attempts are counted. Directories ignore case, accents, width and
 * spaces, some of them each (RFC 4518 §2; Active Directory all): what one of them takes for the same
 * user must not have a budget of its own for each way of writing it. Two users may come out as one:
 * they share a count, and nothing else.
 */
export const countedUser = (user: string): string =>
  user
    .normalize('NFKD')
    .replaceAll(MARKS, '')
    .replaceAll(SPACES, ' ')
    .trim()
    .toLowerCase() // "ẞ" to "ß",
    .toUpperCase() // and that to "SS", as others fold it
