// docs/explanation/dependencies.md has each library, with the places to which the test of the architecture confines it.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { LIBRARIES } from '../libraries.ts'
import { codeSpansOf, textOf } from './markdown.ts'

/** The rows of the first table: libraries, purpose, places. */
const rows = (textOf('docs/explanation/dependencies.md').split('## Own code')[0]?.split('\n') ?? [])
  .filter((line) => line.startsWith('| `'))
  .map((line) => line.split('|').map(codeSpansOf))

describe('the page of dependencies', () => {
  it('has a row for each library', () => {
    const named = rows.flatMap(([, libraries = []]) => libraries)
    assert.deepEqual(named.toSorted(), Object.keys(LIBRARIES).toSorted())
  })

  for (const [, libraries = [], , places = []] of rows) {
    // Some libraries are in too many places for a row.
    if (places.includes('test/libraries.ts')) continue
    for (const library of libraries) {
      it(`has the places of ${library}`, () => {
        const allowed = LIBRARIES[library] ?? []
        const within = (place: string, folder: string) =>
          place === folder || (folder.endsWith('/') && place.startsWith(folder))
        assert.deepEqual(
          allowed.filter((place) => !places.some((named) => within(place, named))),
          [],
        )
        assert.deepEqual(
          places.filter((named) => !allowed.some((place) => within(place, named))),
          [],
        )
      })
    }
  }
})
