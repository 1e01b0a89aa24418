// Names of JSON that V8 takes for one another (`src/runtime/strict-json.ts`).

/**
 * The name that must have been read before, in an object with the same names in front of it, for V8 13 and 14 to take the other
 * one for it: the beginning of the escaped spelling, as long as the name.
 *
 * @param spelling of the name in JSON, without quotation marks
 */
export const confusedWith = (name: string, spelling = JSON.stringify(name).slice(1, -1)): string =>
  spelling.slice(0, name.length)
