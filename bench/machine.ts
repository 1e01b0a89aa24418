// What the figures were taken on, and of which versions. Nothing that names a machine or a folder.

import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { arch, availableParallelism, cpus, loadavg, release, totalmem } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { programOfRun } from './program.ts'
import { findEnvoy } from '../src/envoy/binary.ts'

const ROOT = join(import.meta.dirname, '..')

/** The machine, and versions of what takes part. */
export const machine = () => ({
  cpu: cpus()[0]?.model ?? 'unknown',
  cores: availableParallelism(),
  memory: totalmem(),
  arch: arch(),
  kernel: release(),
  // Above 1 for each core, something else was at work too.
  load: loadavg()[0] ?? 0,
  versions: {
    node: process.version,
    '@grpc/grpc-js': packageVersion('@grpc/grpc-js'),
    envoy: versionOf(() => output(findEnvoy(), ['--version']), /\/(\d+\.\d+\.\d+)\//),
    go: versionOf(() => output('go', ['version']), /go(\d\S*)/),
    ...goModules(),
    countersign: versionOf(() => output('git', ['-C', ROOT, 'rev-parse', 'HEAD']), /^(\w{12})/),
    program: programOfRun().kind,
  },
})

/** As a results file has it. */
export const machineSchema = z.object({
  cpu: z.string(),
  cores: z.int().positive(),
  load: z.number(),
  versions: z.record(z.string(), z.string()),
})

const output = (command: string, args: readonly string[]): string =>
  execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })

/** What is not there has no version. */
const versionOf = (text: () => string, pattern: RegExp): string => {
  try {
    return pattern.exec(text())?.[1] ?? 'unknown'
  } catch {
    return 'none'
  }
}

const packageSchema = z.object({ version: z.string() })

const packageVersion = (name: string): string => {
  const file = join(ROOT, 'node_modules', name, 'package.json')
  return packageSchema.parse(JSON.parse(readFileSync(file, 'utf8'))).version
}

/** What the program in Go is made of. */
const goModules = (): Readonly<Record<string, string>> => {
  const text = readFileSync(join(import.meta.dirname, 'go/go.mod'), 'utf8')
  const lines = text.matchAll(/^\t(\S+(?:\/grpc|\/jwt\/v5|\/go-control-plane\/envoy)) v(\S+)$/gm)
  return Object.fromEntries([...lines].map(([, name = '', version = '']) => [name, version]))
}
