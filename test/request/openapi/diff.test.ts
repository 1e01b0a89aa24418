// What changed between two versions of an API description.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { diffOperations } from '../../../src/request/openapi/diff.ts'
import { operation } from './operation.ts'

const NOTHING = { added: [], removed: [], changed: [], renamed: [] }
const a = operation('GET /a', { id: 'a', tags: ['x', 'y'], scopes: [['r', 's'], ['t']] })
const b = operation('GET /b', { id: 'b' })

describe('diffOperations', () => {
  it('finds nothing where nothing changed', () => {
    assert.deepEqual(diffOperations([a, b], [b, a]), NOTHING)
  })

  it('finds nothing where only the order of tags and scopes changed', () => {
    const other = { ...a, tags: ['y', 'x'], scopes: [['t'], ['s', 'r']] }
    assert.deepEqual(diffOperations([a], [other]), NOTHING)
  })

  it('finds what came and went', () => {
    assert.deepEqual(diffOperations([a], [b]), { ...NOTHING, added: [b], removed: [a] })
  })

  it('tells a new name from a new operation', () => {
    const other = { ...a, id: 'other', tags: [] }
    assert.deepEqual(diffOperations([a, b], [b, other]), {
      ...NOTHING,
      renamed: [{ method: 'GET', template: '/a', old: a, new: other }],
    })
  })

  it('names what changed while the id stayed', () => {
    const changes = {
      method: { ...a, method: 'POST' },
      template: { ...a, template: '/a/{id}' },
      tags: { ...a, tags: ['x'] },
      scopes: { ...a, scopes: [['r', 's', 't']] },
    }
    for (const [field, now] of Object.entries(changes)) {
      assert.deepEqual(diffOperations([a], [now]), {
        ...NOTHING,
        changed: [{ id: 'a', old: a, new: now, fields: [field] }],
      })
    }
  })

  it('sees two operations that changed places', () => {
    const now = [
      { ...a, template: '/b' },
      { ...b, template: '/a' },
    ]
    const { changed, ...rest } = diffOperations([a, b], now)
    assert.deepEqual(rest, { added: [], removed: [], renamed: [] })
    assert.deepEqual(
      changed.map(({ id, fields }) => [id, fields]),
      [
        ['a', ['template']],
        ['b', ['template']],
      ],
    )
  })
})
