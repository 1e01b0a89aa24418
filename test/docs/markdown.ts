// Reads what the tests of documents need from Markdown: text outside code blocks, headings, links.

import { readFileSync } from 'node:fs'
import { relative, resolve, sep } from 'node:path'

/** The root of the repository. */
export const ROOT = resolve(import.meta.dirname, '../..')

/** A path from the root of the repository, with slashes. */
export const fromRoot = (path: string): string => relative(ROOT, path).split(sep).join('/')

/** The text of a file, by its path from the root. */
export const textOf = (path: string): string => readFileSync(resolve(ROOT, path), 'utf8')

const FENCE = /^\s*(`{3,}|~{3,})/

/** The lines outside fenced code blocks. */
const proseOf = (text: string): readonly string[] => {
  const lines: string[] = []
  let fence: string | undefined
  for (const line of text.split('\n')) {
    const mark = FENCE.exec(line)?.[1]
    if (fence === undefined && mark === undefined) lines.push(line)
    else if (fence === undefined) fence = mark
    else if (mark?.startsWith(fence) === true) fence = undefined
  }
  return lines
}

/** The titles of headings of a level, without their marks. */
export const headingsOf = (text: string, level: number): readonly string[] =>
  proseOf(text).flatMap((line) => {
    const [, marks, title] = /^(#+) (.+)$/.exec(line) ?? []
    return marks?.length === level && title !== undefined ? [title] : []
  })

const CODE = /(`+)(?:(?!\1)[^])*?\1/g
const LINK = /\[(?:[^[\]]|\[[^\]]*\])*\]\(<?([^()\s>]+)>?(?: "[^"]*")?\)/g

/** The targets of inline links. */
export const linksOf = (text: string): readonly string[] => {
  const prose = proseOf(text).join('\n').replaceAll(CODE, '')
  return [...prose.matchAll(LINK)].map(([, target]) => target ?? '')
}

/** The texts of code spans. */
export const codeSpansOf = (text: string): readonly string[] =>
  [
    ...proseOf(text)
      .join('\n')
      .matchAll(/`([^`\n]+)`/g),
  ].map(([, code]) => code ?? '')

/**
 * The anchors of a page, as GitHub makes them: headings in lower case, without punctuation, spaces as hyphens; the
 * second of the same name gets `-1`. Ids of HTML elements as they are.
 */
export const anchorsOf = (text: string): ReadonlySet<string> => {
  const anchors = new Set<string>()
  for (const line of proseOf(text)) {
    for (const [, id] of line.matchAll(/<a (?:id|name)="([^"]+)"/g)) anchors.add(id ?? '')
    const title = /^#+ (.+)$/.exec(line)?.[1]
    if (title !== undefined) anchors.add(freeAnchor(anchorOf(title), anchors))
  }
  return anchors
}

const anchorOf = (title: string): string =>
  title
    .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\p{M}_ -]/gu, '')
    .replaceAll(' ', '-')

const freeAnchor = (anchor: string, taken: ReadonlySet<string>): string => {
  if (!taken.has(anchor)) return anchor
  let count = 1
  while (taken.has(`${anchor}-${count}`)) count += 1
  return `${anchor}-${count}`
}
