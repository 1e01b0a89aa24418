// Other readers of certificates than our own: OpenSSL's command, and Go's crypto/x509, which is what a
// Kubernetes API server reads with.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { findProgram } from '../../src/runtime/child.ts'

const ROOT = resolve(import.meta.dirname, '../..')
const CACHE = process.env['COUNTERSIGN_CACHE'] ?? join(ROOT, '.cache')
const SOURCE = join(import.meta.dirname, 'verify/main.go')

/** A reason to skip a test without a program; with CI=true that is a failure instead. */
export const without = (program: string): string | false => {
  if (findProgram(program) !== undefined) return false
  assert.notEqual(process.env['CI'], 'true', `CI needs ${program}`)
  return `${program} is not installed`
}

/** Runs OpenSSL and gives what it says on standard output. */
export const openssl = (args: readonly string[], input = ''): string => {
  const { status, stdout, stderr } = spawnSync('openssl', args, { input, encoding: 'utf8' })
  assert.equal(status, 0, `${stdout}${stderr}`)
  return stdout
}

/** A certificate with what leads from it to a root, all PEM. */
export interface Chain {
  readonly leaf: string
  readonly intermediates: string
  readonly roots: string
  /** Seconds since the epoch. */
  readonly now: number
}

/** Go's verdict on it. */
export interface GoVerdict {
  readonly error?: string
  readonly commonName: string
  readonly organization: readonly string[] | null
  readonly subject: string
  readonly dns: readonly string[] | null
  readonly emails: readonly string[] | null
  readonly ips: readonly string[] | null
  readonly uris: readonly string[] | null
  readonly serial: string
  readonly isCA: boolean
}

/** Verifies chains for client authentication as Go does. */
export const goVerify = (chains: readonly Chain[]): readonly GoVerdict[] => {
  const input = chains.map((chain) => JSON.stringify(chain)).join('\n')
  const { status, stdout, stderr } = spawnSync(builtVerifier(), [], { input, encoding: 'utf8' })
  assert.equal(status, 0, stderr)
  return stdout
    .trimEnd()
    .split('\n')
    .map((line): GoVerdict => JSON.parse(line))
}

/** Built once for each version of its source. */
const builtVerifier = (): string => {
  const digest = createHash('sha256').update(readFileSync(SOURCE)).digest('hex').slice(0, 16)
  const folder = join(CACHE, 'go')
  const program = join(folder, `verify-${digest}`)
  if (existsSync(program)) return program
  mkdirSync(folder, { recursive: true })
  const part = `${program}.${process.pid}.part`
  const built = spawnSync('go', ['build', '-o', part, SOURCE], {
    encoding: 'utf8',
    // The standard library is all that it needs.
    env: { ...process.env, GOPROXY: 'off', GOTOOLCHAIN: 'local', GOFLAGS: '-mod=mod' },
  })
  assert.equal(built.status, 0, `${built.stderr}${built.error?.message ?? ''}`)
  renameSync(part, program)
  return program
}
