// Just enough reading of HTML to ask a page what it says. It is for pages that are well-formed, which the
// tests in a browser see to.

/** A tag with its attributes, as they are written. */
export interface Tag {
  readonly name: string
  readonly attributes: Readonly<Record<string, string>>
}

const TAG = /<([a-z][a-z0-9]*)((?:\s+[a-z-]+(?:="[^"]*")?)*)\s*\/?>/g
const ATTRIBUTE = /([a-z-]+)(?:="([^"]*)")?/g

/** All start tags of a name, or all there are. */
export const tagsIn = (markup: string, name?: string): readonly Tag[] =>
  [...markup.matchAll(TAG)]
    .map(([, found = '', text = '']) => ({
      name: found,
      attributes: Object.fromEntries(
        [...text.matchAll(ATTRIBUTE)].map(([, key = '', value = '']) => [key, value]),
      ),
    }))
    .filter((tag) => name === undefined || tag.name === name)

/** The order of tags and the names of their attributes: what a text must not be able to change. */
export const skeletonOf = (markup: string): readonly string[] => {
  const known = [...markup.matchAll(/<[^>]*>/g)].map(([tag]) => tag.replaceAll(/"[^"]*"/g, '""'))
  return known.map((tag) => tag.replaceAll(/\s+/g, ' '))
}

/** What is read, without tags; entities stay. */
export const textOf = (markup: string): string =>
  markup
    .replaceAll(/<(style|script)>.*?<\/\1>/gs, '')
    .replaceAll(/<[^>]*>/g, ' ')
    .replaceAll(/\s+/g, ' ')
    .trim()

/** The title. */
export const titleOf = (markup: string): string => /<title>(.*?)<\/title>/s.exec(markup)?.[1] ?? ''
