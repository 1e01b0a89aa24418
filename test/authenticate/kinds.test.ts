// The kinds of credential: each is complete, and no other file lists them.

import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, it } from 'node:test'
import { kindOf, KINDS } from '../../src/authenticate/kinds.ts'
import { METHOD_AMR } from '../../src/identity/identity.ts'

const SRC = resolve(import.meta.dirname, '../../src')

/** More than so many of the keys in one file are a list of the kinds. */
const MOST_NAMED = 4

// A key as code has it: a property, an element of a list or a destructured name.
const namesIn = (text: string): readonly string[] => {
  const code = text.replaceAll(/^\s*(\/\/|\*|\/\*).*$/gm, '')
  return Object.keys(KINDS).filter((name) =>
    new RegExp(`^\\s*'?${name}'?\\??(:|,|$)|[{,[] '?${name}'?[,:]|\\.${name}\\b`, 'm').test(code),
  )
}

describe('the list of kinds of credential', () => {
  it('is in no other file', () => {
    const lists = globSync('**/*.ts', { cwd: SRC })
      .filter((path) => !path.startsWith('proto/generated/'))
      .filter((path) => namesIn(readFileSync(join(SRC, path), 'utf8')).length > MOST_NAMED)
    // identity.ts has the methods, some of which are called as kinds are.
    assert.deepEqual(lists.toSorted(), ['authenticate/kinds.ts', 'identity/identity.ts'])
  })

  it('has a kind for each authentication method', () => {
    const methods = new Set(Object.values(KINDS).map(({ method }) => method))
    assert.deepEqual(methods, new Set(Object.keys(METHOD_AMR)))
  })

  for (const [name, kind] of Object.entries(KINDS)) {
    it(`finds ${name} by its section`, () => {
      assert.deepEqual(kindOf({ [name]: {} }), { name, kind, section: {} })
    })
  }

  it('refuses an authenticator of no kind', () => {
    assert.throws(() => kindOf({}), TypeError)
  })
})
