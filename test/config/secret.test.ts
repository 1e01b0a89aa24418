// Secrets by reference.

import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { ConfigurationFiles } from '../../src/config/files.ts'
import { readSecret } from '../../src/config/secret.ts'
import { secretSchema } from '../../src/config/values.ts'
import { temporaryFolder } from '../servers/temporary.ts'

const read = async (reference: string, files = new ConfigurationFiles()): Promise<Buffer> =>
  await readSecret(secretSchema.parse(reference), files)

const VARIABLE = 'COUNTERSIGN_TEST_SECRET'

const withVariable = async (value: string, act: () => Promise<void>): Promise<void> => {
  process.env[VARIABLE] = value
  try {
    await act()
  } finally {
    delete process.env[VARIABLE]
  }
}

describe('a secret', () => {
  it('in a file is its bytes, and a change of it is noticed', async () => {
    await using folder = await temporaryFolder()
    const path = folder.file('key.pem')
    await writeFile(path, 'one\n')
    const files = new ConfigurationFiles()
    assert.equal((await read(`file:${path}`, files)).toString(), 'one\n')
    await writeFile(path, 'two\n')
    assert.equal(await files.changed(), true)
  })

  it('in the environment is its value', async () => {
    await withVariable('s3cret ü', async () => {
      assert.equal((await read(`env:${VARIABLE}`)).toString(), 's3cret ü')
    })
  })

  it('in a missing file is an error with the name of the file', async () => {
    await assert.rejects(read('file:/nonexistent/key.pem'), {
      code: 'file-unreadable',
      message: '/nonexistent/key.pem does not exist',
    })
  })

  it('in an unset variable is an error with its name', async () => {
    await assert.rejects(read(`env:${VARIABLE}`), {
      code: 'file-unreadable',
      message: `the environment variable ${VARIABLE} is not set`,
    })
  })

  it('a secret that is empty is an error, too', async () => {
    await withVariable('', async () => {
      await assert.rejects(read(`env:${VARIABLE}`), { code: 'file-unreadable' })
    })
  })
})

describe('a reference', () => {
  const BAD = ['s3cret', '', 'file:', 'env:', 'env:A-B', 'env:1A', 'ENV:A', 'vault:x', ' file:a']
  for (const input of BAD) {
    it(`is not ${JSON.stringify(input)}, and the message does not repeat it`, () => {
      const result = secretSchema.safeParse(input)
      assert.ok(!result.success)
      assert.match(result.error.issues[0]?.message ?? '', /must be a reference/)
      assert.doesNotMatch(result.error.message, /s3cret/)
    })
  }
})
