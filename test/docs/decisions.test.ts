// The pages of docs/decisions have the same parts, consecutive numbers and a legal status, and the index lists them.

import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { resolve } from 'node:path'
import { describe, it } from 'node:test'
import { headingsOf, linksOf, ROOT, textOf } from './markdown.ts'

const FOLDER = 'docs/decisions'
const PARTS = ['Context', 'Decision', 'Consequences']
const STATUS = /^(accepted|(?:partly )?superseded by \[\d{4}\]\(\d{4}-[a-z0-9-]+\.md\))$/

const files = readdirSync(resolve(ROOT, FOLDER))
  .filter((file) => file !== 'README.md')
  .toSorted()

interface Page {
  readonly file: string
  readonly number: string
  readonly text: string
  readonly title: string
  readonly status: string
  readonly date: string
}

const valueOf = (text: string, name: string): string =>
  new RegExp(`^- ${name}: (.+)$`, 'm').exec(text)?.[1] ?? ''

const pages: readonly Page[] = files.map((file) => {
  const text = textOf(`${FOLDER}/${file}`)
  const number = file.slice(0, 4)
  const [heading = ''] = headingsOf(text, 1)
  return {
    file,
    number,
    text,
    title: heading.replace(`${number}: `, ''),
    status: valueOf(text, 'Status'),
    date: valueOf(text, 'Date'),
  }
})

describe('the pages of decisions', () => {
  it('have consecutive numbers, from 0001', () => {
    const expected = pages.map((_, index) => String(index + 1).padStart(4, '0'))
    assert.deepEqual(
      pages.map(({ number }) => number),
      expected,
    )
  })

  it('are numbered by date', () => {
    const dates = pages.map(({ date }) => date)
    assert.deepEqual(dates, dates.toSorted())
  })

  for (const { file, number, text, title, status, date } of pages) {
    it(`${file} has a name, a heading, a status, a date and the three parts`, () => {
      assert.match(file, /^\d{4}-[a-z0-9]+(-[a-z0-9]+)*\.md$/)
      assert.deepEqual(headingsOf(text, 1), [`${number}: ${title}`])
      assert.match(status, STATUS)
      assert.match(date, /^\d{4}-\d\d-\d\d$/)
      assert.deepEqual(headingsOf(text, 2), PARTS)
      const sections = text.split(/^## .+$/m).slice(1)
      assert.ok(sections.every((section) => section.trim() !== ''))
    })

    it(`${file} is superseded only by a later decision`, () => {
      const later = linksOf(status).map((link) => link.slice(0, 4))
      assert.ok(later.every((other) => other > number))
    })
  }
})

it('the index of decisions lists every page with its title, status and date', () => {
  const rows = textOf(`${FOLDER}/README.md`)
    .split('\n')
    .filter((line) => line.startsWith('| ['))
  assert.deepEqual(
    rows,
    pages.map(
      ({ number, file, title, status, date }) =>
        `| [${number}](${file}) | ${title} | ${status} | ${date} |`,
    ),
  )
})
