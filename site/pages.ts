// The pages of the site and their order in the sidebar, made from the files: a title is the first heading of its page, and
// docs/index.md has the sections and the order. A page that it does not list comes last in the section of its folder.

import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join, posix, resolve } from 'node:path'

/** The root of the repository: links of the pages lead everywhere below it. */
export const ROOT = resolve(import.meta.dirname, '..')

const INDEX = 'docs/index.md'

/** The documents of the repository that are pages, besides docs/. */
const OTHER_PAGES = [
  '*.md',
  'bench/**/*.md',
  'deploy/**/*.md',
  'envoy/*.md',
  '{src,test/e2e}/*/README.md',
]

/** All pages, as paths from the root of the repository. */
export const pagePaths = (): readonly string[] =>
  globSync([...OTHER_PAGES, 'docs/**/*.md'], { cwd: ROOT })
    .map((path) => path.replaceAll('\\', '/'))
    .toSorted()

/** The path of a page in the site, with `.md`: `docs/` is left out, and README.md is the index of its folder. */
export const sitePath = (page: string): string =>
  page === 'README.md'
    ? 'readme.md'
    : page.replace(/^docs\//, '').replace(/(?<=\/)README\.md$/, 'index.md')

/** The first heading of a page, without marks of Markdown. */
export const titleOf = (page: string): string =>
  (/^# (.+)$/m.exec(readFileSync(join(ROOT, page), 'utf8'))?.[1] ?? page)
    .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replaceAll(/[`*]/g, '')

/** An entry of the sidebar, in the form of VitePress. */
export interface SidebarItem {
  readonly text: string
  readonly link?: string
  readonly collapsed?: boolean
  readonly items?: SidebarItem[]
}

/** The sidebar: the sections of docs/index.md, then every decision. */
export const sidebar = (): SidebarItem[] => {
  const sections = indexSections()
  const listed = new Set(sections.flatMap(({ pages }) => pages))
  const items = sections.map(({ title, pages }) => {
    const folders = new Set(pages.filter(isInFolder).map((page) => dirname(page)))
    const unlisted = pagePaths().filter(
      (page) => folders.has(dirname(page)) && !listed.has(page) && !isDecision(page),
    )
    return { text: title, collapsed: false, items: [...pages, ...unlisted].map(itemOf) }
  })
  const decisions = pagePaths().filter((page) => isDecision(page) && !listed.has(page))
  const decisionItems = decisions.map((page) => ({ text: titleOf(page), link: linkOf(page) }))
  return [...items, { text: 'Decisions', collapsed: true, items: decisionItems }]
}

const isInFolder = (page: string): boolean =>
  page.startsWith('docs/') && page !== INDEX && !page.endsWith('/README.md')

const isDecision = (page: string): boolean => page.startsWith('docs/decisions/')

/** A page; below it those of the folder of its name, or of the folder whose README it is. */
const itemOf = (page: string): SidebarItem => {
  const item = { text: titleOf(page), link: linkOf(page) }
  const folder = page.endsWith('/README.md') ? dirname(page) : page.replace(/\.md$/, '')
  if (!folder.startsWith('docs/') || isDecision(page)) return item
  const parts = pagePaths().filter((part) => dirname(part) === folder && part !== page)
  return parts.length === 0 ? item : { ...item, collapsed: true, items: parts.map(itemOf) }
}

const linkOf = (page: string): string =>
  `/${sitePath(page)
    .replace(/(^|\/)index\.md$/, '$1')
    .replace(/\.md$/, '')}`

/** The sections of docs/index.md with the pages that each links to, in its order. */
const indexSections = (): readonly { readonly title: string; readonly pages: string[] }[] => {
  const [, ...parts] = readFileSync(join(ROOT, INDEX), 'utf8').split(/^## /m)
  const taken = new Set<string>()
  return parts.map((part) => {
    const [title = '', ...lines] = part.split('\n')
    const links = [...lines.join('\n').matchAll(/\]\(([^)#\s]+\.md)/g)].map(([, link = '']) =>
      posix.join('docs', link),
    )
    const pages = links.filter((page) => existsSync(join(ROOT, page)) && !taken.has(page))
    for (const page of pages) taken.add(page)
    return { title, pages: [...new Set(pages)] }
  })
}

/** The anchor of a heading, as GitHub makes it, so that one link works in both places. */
export const anchorOf = (title: string): string =>
  title
    .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\p{M}_ -]/gu, '')
    .replaceAll(' ', '-')
