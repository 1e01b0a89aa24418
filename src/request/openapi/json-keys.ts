// JSON in which one object has one key twice. `JSON.parse` takes the last without a word, other
// readers the first: an operation would be in the document for one of them only.

/** The next bracket or the next string, of text that is known to be JSON. */
const TOKEN = /[{}[\]]|"(?:[^"\\]|\\.)*"/g
const KEY_FOLLOWS = /\s*:/y

/**
 * The first key that stands twice in one object, and its 1-based line; `undefined`: there is none.
 * In linear time.
 *
 * @param json text that `JSON.parse` takes
 */
export const repeatedKey = (
  json: string,
): { readonly key: string; readonly line: number } | undefined => {
  const open: Set<string>[] = []
  for (const { 0: token, index } of json.matchAll(TOKEN)) {
    if (token === '{' || token === '[') {
      open.push(new Set())
    } else if (token === '}' || token === ']') {
      open.pop()
    } else {
      KEY_FOLLOWS.lastIndex = index + token.length
      if (!KEY_FOLLOWS.test(json)) continue
      const key = token.includes('\\') ? String(JSON.parse(token)) : token.slice(1, -1)
      const keys = open.at(-1)
      if (keys?.has(key) === true) return { key, line: json.slice(0, index).split('\n').length }
      keys?.add(key)
    }
  }
  return undefined
}
