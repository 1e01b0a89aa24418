// The page by which another process reads kept spans.

import type { PageMaker } from '../http/server.ts'
import type { KeptSpans } from './kept-spans.ts'

/** The path of the page. `after` and `process` of its query are `last` and `process` of the page before. */
export const SPANS_PATH = '/spans'

/** Answers with the spans as JSON. */
export const spansPage =
  (spans: KeptSpans): PageMaker =>
  ({ query }) => {
    const after = Number(query.get('after') ?? '0')
    const page = spans.read(query.get('process') ?? '', Number.isSafeInteger(after) ? after : 0)
    return { status: 200, type: 'application/json', body: JSON.stringify(page) }
  }
