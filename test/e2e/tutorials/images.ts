// The images of a page.

import { blocksOf } from '../../docs/examples/blocks.ts'
import { textOf } from '../../docs/markdown.ts'
import { posix } from 'node:path'

/** An image of a page. */
export interface Image {
  /** Of the file, from the root of the repository. */
  readonly image: string
  /** The name of the file, without its extension. */
  readonly name: string
  readonly page: string
  /** From 1. */
  readonly line: number
}

const IMAGE = /!\[[^\]]*\]\(([^)\s]+)\)/

/** The images of a page in its order, one a line. */
export const imagesOf = (page: string): readonly Image[] => {
  const fenced = new Set(
    blocksOf(page).flatMap(({ line, text }) => text.split('\n').map((_, index) => line + index)),
  )
  return textOf(page)
    .split('\n')
    .flatMap((text, index) => {
      const target = IMAGE.exec(text)?.[1]
      if (target === undefined || fenced.has(index + 1)) return []
      const image = posix.join(posix.dirname(page), target)
      return [{ image, name: posix.parse(image).name, page, line: index + 1 }]
    })
}
