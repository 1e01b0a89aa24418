// Programs in Go, built once and kept in the cache: our own floor (bench/go) and servers of other projects. Go
// takes the modules from its proxy, each of the version and the hash that is written down.

import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { mkdir, rename } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { describeError } from '../../src/runtime/errors.ts'

const run = promisify(execFile)

const ROOT = resolve(import.meta.dirname, '../..')
const CACHE = process.env['COUNTERSIGN_CACHE'] ?? join(ROOT, '.cache')
const SOURCE = join(ROOT, 'bench/go')

/** A program, or why there is none. */
export type Built = { readonly path: string } | { readonly reason: string }

const BUILD = ['-trimpath', '-buildvcs=false', '-ldflags', '-s -w']

// GOFLAGS of the user might contradict these.
const ENVIRONMENT = { ...process.env, GOWORK: 'off', CGO_ENABLED: '0', GOFLAGS: '' }

/** Builds a program into a folder of the cache, unless it is there. */
const build = async (
  folder: string,
  name: string,
  goBuild: (output: string) => Promise<void>,
): Promise<Built> => {
  const path = join(folder, name)
  if (existsSync(path)) return { path }
  await mkdir(folder, { recursive: true })
  const part = `${path}.part-${process.pid}`
  try {
    await goBuild(part)
  } catch (cause) {
    return { reason: `go does not build it: ${firstLine(describeError(cause))}` }
  }
  await rename(part, path) // whole or not at all
  return { path }
}

const firstLine = (text: string): string => text.trim().split('\n').slice(0, 2).join(' ')

/** Our own floor, for this state of its source. */
export const buildFloor = async (): Promise<Built> => {
  const digest = createHash('sha256')
  for (const file of readdirSync(SOURCE).toSorted()) digest.update(readFileSync(join(SOURCE, file)))
  const folder = join(CACHE, 'go', `bench-${digest.digest('hex').slice(0, 16)}`)
  return await build(folder, 'floor', async (output) => {
    const args = ['build', '-mod=readonly', ...BUILD, '-o', output, '.']
    await run('go', args, { cwd: SOURCE, env: ENVIRONMENT })
  })
}

/** A main package of another project, as a module of Go. */
export interface GoModule {
  /** The name of the program. */
  readonly program: string
  /** The path of the main package. */
  readonly path: string
  readonly version: string
  /** The environment variable that names a program that is built already. */
  readonly variable: string
}

/** Builds a server of another project by `go install`. */
export const buildModule = async (module: GoModule): Promise<Built> => {
  const { program, path, version, variable } = module
  const named = process.env[variable]
  if (named !== undefined) return { path: named }
  const folder = join(CACHE, 'go', `${program}-${version}`)
  return await build(folder, program, async (output) => {
    const env = { ...ENVIRONMENT, GOBIN: folder }
    await run('go', ['install', ...BUILD, `${path}@${version}`], { env })
    const built = path.split('/').at(-1) ?? program
    await rename(join(folder, built), output)
  })
}
