// Links of the documents lead somewhere: relative links to files, anchors to headings. Addresses on the web are
// not visited.

import assert from 'node:assert/strict'
import { existsSync, globSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { describe, it } from 'node:test'
import { anchorsOf, fromRoot, linksOf, ROOT, textOf } from './markdown.ts'

const DOCUMENTS = globSync(
  [
    '*.md',
    'docs/**/*.md',
    'src/*/README.md',
    'bench/*.md',
    'deploy/**/*.md',
    'envoy/*.md',
    'test/e2e/*/*.md',
  ],
  { cwd: ROOT },
)
  .map((path) => fromRoot(resolve(ROOT, path)))
  .toSorted()

/** Why a link of a page leads nowhere; `undefined` where it leads somewhere. */
const faultOf = (page: string, link: string): string | undefined => {
  if (/^[a-z][a-z+.-]*:/i.test(link)) return undefined
  const [path = '', anchor] = link.split('#')
  const target = path === '' ? resolve(ROOT, page) : resolve(ROOT, dirname(page), path)
  if (!existsSync(target)) return `${link}: no such file`
  if (anchor === undefined || !target.endsWith('.md')) return undefined
  return anchorsOf(textOf(target)).has(anchor) ? undefined : `${link}: no such heading`
}

const faultsOf = (page: string): readonly string[] =>
  linksOf(textOf(page)).flatMap((link) => faultOf(page, link) ?? [])

describe('the reading of Markdown', () => {
  it('finds inline links, and none in code', () => {
    const text = [
      'A [link](a.md), [`code`](b.md#c "title") and [![image](d.png)](e.md).',
      'Not `[a](code.md)`, nor:',
      '```',
      '[a](fenced.md)',
      '```',
    ].join('\n')
    assert.deepEqual(linksOf(text), ['a.md', 'b.md#c', 'e.md'])
  })

  it('makes the anchors that GitHub makes', () => {
    const text = ['# A `b.c`: d & é', '## Same', '## Same', '```', '# not one', '```'].join('\n')
    assert.deepEqual([...anchorsOf(text)], ['a-bc-d--é', 'same', 'same-1'])
  })

  it('distinguishes a missing file from a missing heading', () => {
    assert.equal(faultOf('README.md', 'no-such.md'), 'no-such.md: no such file')
    assert.equal(faultOf('README.md', '#no such'), '#no such: no such heading')
    assert.equal(faultOf('README.md', 'CONTRIBUTING.md#set-up'), undefined)
    assert.equal(faultOf('README.md', 'https://example.org/no-such'), undefined)
  })
})

describe('every link leads to a file and a heading', () => {
  for (const page of DOCUMENTS) {
    it(`leads to a file and a heading on ${page}`, () => {
      assert.deepEqual(faultsOf(page), [])
    })
  }
})
