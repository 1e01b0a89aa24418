// src/proto/generated/ is committed; this fails when it is not what proto/ gives today.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempDisposableSync, readdirSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

import { loadOptions, protoFiles, protoFolder } from '../../scripts/proto-descriptor.ts'

const root = join(import.meta.dirname, '..', '..')
const generator = fileURLToPath(
  import.meta.resolve('@grpc/proto-loader/build/bin/proto-loader-gen-types.js'),
)

const contents = (folder: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path) => [relative(folder, path), readFileSync(path, 'utf8')]),
  )

test('the generated types are those of proto/, under the options of load.ts', async () => {
  using folder = mkdtempDisposableSync(join(tmpdir(), 'countersign-types-'))
  const flags = [
    ...(loadOptions.keepCase ? ['--keepCase'] : []),
    `--longs=${loadOptions.longs.name}`,
    `--enums=${loadOptions.enums.name}`,
    ...(loadOptions.defaults ? ['--defaults'] : []),
    ...(loadOptions.oneofs ? ['--oneofs'] : []),
    '--includeComments',
    '--grpcLib=@grpc/grpc-js',
    '--importFileExtension=.ts',
    `--outDir=${folder.path}`,
    '--includeDirs',
    relative(root, protoFolder),
    '--', // or yargs takes the files for more folders
  ]
  await promisify(execFile)(process.execPath, [generator, ...flags, ...protoFiles], { cwd: root })
  assert.deepEqual(contents(join(root, 'src', 'proto', 'generated')), contents(folder.path))
})
