// The pages of the site: each has one title, can be found, and is short enough to be read.

import assert from 'node:assert/strict'
import { dirname, join, posix } from 'node:path'
import { describe, it } from 'node:test'
import { anchorOf, pagePaths, ROOT, sidebar, sitePath, type SidebarItem } from '../../site/pages.ts'
import { siteLink } from '../../site/links.ts'
import versions from '../../site/versions.json' with { type: 'json' }
import packageJson from '../../package.json' with { type: 'json' }
import { anchorsOf, headingsOf, linksOf, ROOT as REPOSITORY, textOf } from './markdown.ts'

const MOST_LINES = 300
const LONG: Readonly<Record<string, string>> = {
  'docs/reference/': 'a reference is searched, not read',
}

const pages = pagePaths()
const documents = pages.filter((page) => page.startsWith('docs/'))

/** The pages that a page links to. */
const targetsOf = (page: string): readonly string[] =>
  linksOf(textOf(page))
    .filter((link) => !/^[a-z][a-z+.-]*:|^#/i.test(link))
    .map((link) => posix.join(dirname(page), link.split('#')[0] ?? ''))

const linked = new Set(pages.flatMap((page) => targetsOf(page).filter((target) => target !== page)))

describe('every page of docs/', () => {
  for (const page of documents) {
    it(`has one title, is linked to, and is no longer than it may be: ${page}`, () => {
      const text = textOf(page)
      assert.equal(headingsOf(text, 1).length, 1, 'one heading of the first level')
      if (page !== 'docs/index.md') assert.ok(linked.has(page), 'no page links to it')
      if (Object.keys(LONG).some((folder) => page.startsWith(folder))) return
      assert.ok(text.split('\n').length <= MOST_LINES, `more than ${MOST_LINES} lines: divide it`)
    })
  }

  it('has a title of its own among those of its folder', () => {
    const titles = documents.map((page) => `${dirname(page)}: ${headingsOf(textOf(page), 1)[0]}`)
    const repeated = titles.filter((title, index) => titles.indexOf(title) !== index)
    assert.deepEqual(repeated, [])
  })
})

const linksIn = (items: readonly SidebarItem[]): readonly string[] =>
  items.flatMap(({ link, items: parts = [] }) => [
    ...(link === undefined ? [] : [link]),
    ...linksIn(parts),
  ])

describe('the sidebar', () => {
  it('has every page of docs/ but the index, once', () => {
    const links = linksIn(sidebar())
    const expected = documents
      .filter((page) => page !== 'docs/index.md')
      .map(
        (page) =>
          `/${sitePath(page)
            .replace(/(?<=\/)index\.md$/, '')
            .replace(/\.md$/, '')}`,
      )
    const missing = expected.filter((link) => !links.includes(link))
    assert.deepEqual(missing, [])
    assert.deepEqual([...new Set(links)], links)
  })

  it('has the sections of Diátaxis', () => {
    assert.deepEqual(
      sidebar().map(({ text }) => text),
      ['Tutorials', 'How-to guides', 'Operate', 'Reference', 'Explanation', 'Decisions'],
    )
  })
})

describe('links in the site', () => {
  it('lead to pages and to files, from where the page is in the repository', () => {
    const page = 'docs/how-to/rules.md'
    assert.equal(siteLink(page, '../../README.md#try-it'), '/readme.md#try-it')
    assert.equal(siteLink(page, '../../envoy/README.md'), '/envoy/index.md')
    assert.equal(siteLink(page, '../../package.json'), '/files/package.json.md')
    assert.equal(siteLink(page, '#here'), '#here')
    assert.equal(siteLink(page, 'https://example.org/a.md'), 'https://example.org/a.md')
  })

  it('have the anchors that GitHub makes', () => {
    const title = 'A `b.c`: d & é'
    assert.ok(anchorsOf(`# ${title}`).has(anchorOf(title)))
    assert.equal(ROOT, join(REPOSITORY))
  })
})

it('the first version of the site is the one of the package', () => {
  assert.ok(packageJson.version.startsWith(`${versions[0]?.version}.`))
})
