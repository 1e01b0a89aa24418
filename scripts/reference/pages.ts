// The generated pages of docs/reference.

import { pageText, type ReferencePage } from './markdown.ts'
import { reasonsPage } from './reasons.ts'

const pages = (): readonly ReferencePage[] => [reasonsPage()]

/** Each page, by its path from the root of the repository. */
export const referencePages = (): readonly { readonly file: string; readonly text: string }[] =>
  pages().map((page) => ({ file: page.file, text: pageText(page) }))
