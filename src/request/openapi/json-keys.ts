// JSON in which one object has one key twice. `JSON.parse` takes the last without a word, other
// readers the first: an operation would be in the document for one of them only.

const KEY_FOLLOWS = /\s*:/y

/**
 * The first key that occurs twice in one object, and its 1-based line; `undefined`: there is none.
 * In linear time.
 *
 * @param json text that `JSON.parse` takes
 */
export const repeatedKey = (
  json: string,
): { readonly key: string; readonly line: number } | undefined => {
  const open: Set<string>[] = []
  const next = /[{}[\]"]/g // outside of strings
  for (let found = next.exec(json); found !== null; found = next.exec(json)) {
    const { 0: token, index } = found
    if (token === '{' || token === '[') {
      open.push(new Set())
    } else if (token === '}' || token === ']') {
      open.pop()
    } else {
      const end = stringEnd(json, index)
      next.lastIndex = end
      KEY_FOLLOWS.lastIndex = end
      if (!KEY_FOLLOWS.test(json)) continue
      const quoted = json.slice(index, end)
      const key = quoted.includes('\\') ? String(JSON.parse(quoted)) : quoted.slice(1, -1)
      const keys = open.at(-1)
      if (keys?.has(key) === true) return { key, line: json.slice(0, index).split('\n').length }
      keys?.add(key)
    }
  }
  return undefined
}

/**
 * The index behind the string that begins at `start`: behind the first quote with an even number of
 * backslashes before it. No regular expression: V8's keeps a way back for each repetition, and
 * overflows its stack in a string of millions of characters or escapes.
 */
const stringEnd = (json: string, start: number): number => {
  let quote = start
  let backslashes: number
  do {
    quote = json.indexOf('"', quote + 1)
    backslashes = 0
    while (json[quote - 1 - backslashes] === '\\') backslashes += 1
  } while (backslashes % 2 === 1)
  return quote + 1
}
