// Links of the pages are those of GitHub: relative, to files of the repository. In the site they lead to pages, and to a page
// with the contents of every other file that a page links to.

import { readFileSync, statSync } from 'node:fs'
import { dirname, extname, join, posix } from 'node:path'
import { pagePaths, ROOT, sitePath } from './pages.ts'

/** Where a link of a page leads in the site; links to other sites and within a page stay as they are. */
export const siteLink = (page: string, link: string): string => {
  if (/^([a-z][a-z+.-]*:|#)/i.test(link)) return link
  const [path = '', anchor] = link.split('#')
  const target = pageAt(posix.join(dirname(page), decodeURI(path)))
  const site = isPage(target) ? sitePath(target) : filePath(target)
  return `/${site}${anchor === undefined ? '' : `#${anchor}`}`
}

/** A folder is its README. */
const pageAt = (target: string): string => {
  const path = target.replace(/\/$/, '')
  const stat = statSync(join(ROOT, path), { throwIfNoEntry: false })
  return stat?.isDirectory() === true ? `${path}/README.md` : path
}

const pages = new Set(pagePaths())

const isPage = (path: string): boolean => pages.has(path)

const filePath = (file: string): string => `files/${file}.md`

/** The files that are no pages and that a page links to, from the root of the repository. */
export const linkedFiles = (): readonly string[] => {
  const files = pagePaths().flatMap((page) =>
    [...readFileSync(join(ROOT, page), 'utf8').matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)]
      .map(([, link = '']) => link)
      .filter((link) => !/^[a-z][a-z+.-]*:/i.test(link))
      .map((link) => pageAt(posix.join(dirname(page), link)))
      .filter((file) => !isPage(file))
      .filter((file) => statSync(join(ROOT, file), { throwIfNoEntry: false })?.isFile() === true),
  )
  return [...new Set(files)].toSorted()
}

/** The page of such a file. */
export const filePage = (file: string): string => {
  const language = extname(file).slice(1) || 'text'
  if (IMAGES.has(language)) return `# ${file}\n\n![${file}](/${file})\n`
  const text = readFileSync(join(ROOT, file), 'utf8').trimEnd()
  return `# ${posix.basename(file)}\n\n\`${file}\`\n\n\`\`\`\`${LANGUAGES[language] ?? 'text'}\n${text}\n\`\`\`\`\n`
}

const IMAGES = new Set(['svg', 'png', 'webp'])

const LANGUAGES: Readonly<Record<string, string>> = {
  md: 'md',
  yaml: 'yaml',
  yml: 'yaml',
  json: 'json',
  ts: 'ts',
  sh: 'sh',
  go: 'go',
}
