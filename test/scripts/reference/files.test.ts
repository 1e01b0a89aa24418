// The examples of files in the reference are read by the code that reads such files.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fileExample } from '../../../scripts/reference/files.ts'
import { apiKeyFileSchema } from '../../../src/authenticate/api-key/schema.ts'
import { usersSchema } from '../../../src/authenticate/password/users-file.ts'
import { parseYaml } from '../../../src/config/document.ts'
import { DenyList } from '../../../src/pki/deny-list.ts'
import { textOf } from '../../docs/markdown.ts'

describe('the examples of files', () => {
  for (const [name, schema] of [
    ['users.yaml', usersSchema],
    ['api-keys.yaml', apiKeyFileSchema],
  ] as const) {
    it(`have a valid ${name}`, () => {
      const result = parseYaml(`/${name}`, fileExample(name), schema, [])
      assert.ok(result.ok, JSON.stringify(result))
    })
  }

  it('have a deny-list in which each line denies something', () => {
    const list = new DenyList()
    list.addLines('denied.txt', fileExample('denied.txt'))
    assert.equal(list.isEmpty, false)
    assert.throws(() => new DenyList().addLines('denied.txt', 'serial'), /is not one of/)
  })

  it('are on the page, with a row for each key of an entry', () => {
    const page = textOf('docs/reference/files.md')
    for (const name of ['users.yaml', 'api-keys.yaml', 'denied.txt'] as const) {
      assert.ok(page.includes(fileExample(name).trimEnd()), name)
    }
    for (const key of [
      'password',
      'hash',
      'user',
      'uid',
      'groups',
      'extra',
      'expires',
      'disabled',
    ]) {
      assert.ok(page.includes(`| \`${key}\` |`), key)
    }
  })
})
