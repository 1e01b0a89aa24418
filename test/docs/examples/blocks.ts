// The fenced blocks of the documents. The info string of a fence is its language and attributes: ```yaml in=routes.app
// A value with spaces has quotes: ```sh no-run="needs a registry". GitHub and the site take the first word alone.

import { globSync } from 'node:fs'
import { textOf, ROOT } from '../markdown.ts'

/** A fenced block. */
export interface Block {
  /** From the root of the repository. */
  readonly page: string
  /** Of its fence, from 1. */
  readonly line: number
  readonly language: string
  /** `in=a.b` → `in` and `a.b`; `run` → `run` and the empty string. */
  readonly attributes: ReadonlyMap<string, string>
  readonly text: string
}

/** The pages whose examples are checked. */
export const PAGES: readonly string[] = globSync(
  ['*.md', 'docs/**/*.md', 'deploy/**/*.md', 'envoy/*.md', 'bench/README.md'],
  { cwd: ROOT },
)
  .map((path) => path.replaceAll('\\', '/'))
  .filter((path) => path !== 'CHANGELOG.md')
  .toSorted()

const FENCE = /^( *)(`{3,})([^\n`]*)\n([^]*?)^\1\2 *$/gm

/** The blocks of a page, in its order. */
export const blocksOf = (page: string): readonly Block[] => blocksIn(page, textOf(page))

/** The blocks of a text; indented ones, as in lists, lose their indentation. */
export const blocksIn = (page: string, text: string): readonly Block[] =>
  [...text.matchAll(FENCE)].map(({ index, 1: indentation = '', 3: info = '', 4: body = '' }) => {
    const [language = '', ...attributes] = info.match(/(?:"[^"]*"|[^\s"])+/g) ?? []
    return {
      page,
      line: text.slice(0, index).split('\n').length,
      language,
      attributes: new Map(attributes.map(attributeOf)),
      text: body.replaceAll(new RegExp(`^${indentation}`, 'gm'), ''),
    }
  })

const attributeOf = (text: string): readonly [string, string] => {
  const [name = '', ...value] = text.split('=')
  return [name, value.join('=').replaceAll('"', '')]
}

/** Whether a block has commands. */
export const isShell = ({ language }: Block): boolean => ['sh', 'console'].includes(language)

/**
 * The blocks of a page with `tested-by=TEST`, for the test itself, which executes them.
 *
 * @param test its path from the root of the repository
 * @throws Error where the page has none: the test would execute nothing
 */
export const blocksTestedBy = (test: string, page: string): readonly Block[] => {
  const blocks = blocksOf(page).filter(({ attributes }) =>
    attributes.get('tested-by')?.split(',').includes(test),
  )
  if (blocks.length === 0) throw new Error(`${page} has no block with tested-by=${test}`)
  return blocks
}

/** How messages name a block. */
export const placeOf = ({ page, line }: Block): string => `${page}:${line}`
