// Numbers of things, for people.

/** `1 rule`, `3 rules`. */
export const counted = (count: number, noun: string): string =>
  `${count} ${noun}${count === 1 ? '' : 's'}`
