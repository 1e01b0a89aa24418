// JSON in which one object has one key twice. `JSON.parse` takes the last without a word, other
// readers the first: an operation would be in the document for one of them only.

import { stringEnd } from '../../runtime/strict-json.ts'

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
      const end = stringEnd(json, index) ?? json.length
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
