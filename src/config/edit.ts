// Changes a YAML document that is maintained by hand: its comments and its order stay.

import { isMap, parseDocument } from 'yaml'

/**
 * The document with one more entry in the mapping at its top level that is named so.
 *
 * @param text a document that was parsed before, or nothing
 */
export const withEntry = (text: string, mapping: string, key: string, value: object): string => {
  const document = parseDocument(text)
  const found = document.get(mapping)
  // An empty mapping is usually written `{}`: the new entry needs a line of its own.
  if (isMap(found) && found.items.length === 0) found.flow = false
  else if (!isMap(found)) document.set(mapping, document.createNode({}))
  document.setIn([mapping, key], document.createNode(value))
  return document.toString({ lineWidth: 0 })
}
