// Sections whose references are read.

import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { inspect } from 'node:util'
import { ConfigurationFiles } from '../../src/config/files.ts'
import { ProblemList } from '../../src/config/problem-list.ts'
import { resolveReferences, Secret, type Resolution } from '../../src/config/references.ts'
import type { SecretReference } from '../../src/config/values.ts'
import { temporaryFolder } from '../servers/temporary.ts'

interface Section {
  readonly name: string
  readonly pattern: RegExp
  readonly keys: readonly { readonly key: SecretReference }[]
}

const resolve = async (
  section: Section,
): Promise<{
  readonly resolution: Resolution<Section> | undefined
  readonly problems: readonly string[]
}> => {
  const problems = new ProblemList((path, message) => ({
    file: 'c.yaml',
    path: path.join('.'),
    message,
  }))
  const resolution = await resolveReferences(section, ['ldap'], {
    files: new ConfigurationFiles(),
    problems,
  })
  return { resolution, problems: problems.error?.problems.map(({ path }) => path) ?? [] }
}

describe('the secret references in a section', () => {
  it('are replaced by their contents, without the line end of a file', async () => {
    await using folder = await temporaryFolder()
    await writeFile(folder.file('key'), 'secret\n')
    const key = { kind: 'file', path: folder.file('key') } as const
    const { resolution } = await resolve({ name: 'a', pattern: /x/, keys: [{ key }] })
    assert.equal(resolution?.settings.name, 'a')
    assert.deepEqual(resolution.settings.pattern, /x/)
    assert.equal(resolution.settings.keys[0]?.key.text(), 'secret')
  })

  it('are one problem each where they cannot be read, with its path', async () => {
    const key = (path: string) => ({ key: { kind: 'file', path } as const })
    const keys = [key('/nonexistent/a'), key('/nonexistent/b')]
    const { resolution, problems } = await resolve({ name: 'a', pattern: /x/, keys })
    assert.equal(resolution, undefined)
    assert.deepEqual(problems, ['ldap.keys.0.key', 'ldap.keys.1.key'])
  })

  it('change the generation with their contents, as other settings do', async () => {
    await using folder = await temporaryFolder()
    const key = { kind: 'file', path: folder.file('key') } as const
    const generationOf = async (
      contents: string,
      changes: Partial<Section> = {},
    ): Promise<string | undefined> => {
      await writeFile(folder.file('key'), contents)
      const section = { name: 'a', pattern: /x/, keys: [{ key }], ...changes }
      return (await resolve(section)).resolution?.generation
    }
    const generations = [
      await generationOf('one'),
      await generationOf('two'),
      await generationOf('one', { name: 'b' }),
      await generationOf('one', { pattern: /y/ }),
      await generationOf('one', { keys: [{ key }, { key }] }),
    ]
    assert.equal(new Set(generations).size, generations.length)
    assert.equal(await generationOf('one'), generations[0])
  })
})

describe('a secret', () => {
  it('does not print', () => {
    const secret = new Secret('s3cret')
    const printed = [
      inspect({ secret }, { showHidden: true }),
      JSON.stringify({ secret }),
      String(secret),
    ]
    for (const text of printed) {
      assert.match(text, /\[redacted\]/)
      assert.doesNotMatch(text, /s3cret/)
    }
  })
})
