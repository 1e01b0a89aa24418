// A page for each file that is no page and that a page links to.

import { filePage, linkedFiles } from '../links.ts'

// oxlint-disable-next-line import/no-default-export -- VitePress reads it
export default {
  paths: () => linkedFiles().map((file) => ({ params: { file }, content: filePage(file) })),
}
