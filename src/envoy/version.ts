// Which Envoy a program is, and whether that is enough for the configuration.

import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { Config } from '../configuration/schema.ts'
import { CountersignError, describeError } from '../runtime/errors.ts'
import { forwardsCertificates } from './identity-certificate.ts'

/** A release of Envoy: major, minor, patch. */
export type EnvoyVersion = readonly [number, number, number]

// 1.36 refuses the access log: it does not know COALESCE (test/e2e/older-envoys).
const GENERATED: EnvoyVersion = [1, 37, 0]
// https://www.envoyproxy.io/docs/envoy/v1.40.0/version_history/: on-demand certificates for upstream connections.
const CERTIFICATES: EnvoyVersion = [1, 40, 0]

const LIMIT_MS = 10_000

/** The oldest release that can run what is generated for the configuration. */
export const neededVersion = (config: Config): EnvoyVersion =>
  forwardsCertificates(config) ? CERTIFICATES : GENERATED

/**
 * Requires a program to be an Envoy that can run what is generated for the configuration.
 *
 * @throws CountersignError `envoy-unsuitable`
 */
export const requireEnvoyVersion = async (program: string, config: Config): Promise<void> => {
  const version = await versionOf(program)
  const needed = neededVersion(config)
  if (!isOlder(version, needed)) return
  const reason = forwardsCertificates(config) ? 'a route with "forward.certificate"' : 'up'
  throw unsuitable(
    `${program} is Envoy ${version.join('.')}; ${reason} needs Envoy ≥ ${needed.slice(0, 2).join('.')}. ${REMEDY}`,
  )
}

const REMEDY = 'Name another with --envoy or ENVOY_BIN.'

/** What `envoy --version` prints: `envoy  version: COMMIT/1.40.0/Clean/RELEASE/BoringSSL`. */
export const parseVersion = (output: string): EnvoyVersion | undefined => {
  const found = /version: [0-9a-f]*\/(\d+)\.(\d+)\.(\d+)/.exec(output)
  return found === null ? undefined : [Number(found[1]), Number(found[2]), Number(found[3])]
}

const versionOf = async (program: string): Promise<EnvoyVersion> => {
  let output: string
  try {
    output = (await promisify(execFile)(program, ['--version'], { timeout: LIMIT_MS })).stdout
  } catch (cause) {
    const [line = ''] = describeError(cause).split('\n')
    throw unsuitable(`${program} cannot be run: ${line}. ${REMEDY}`)
  }
  const version = parseVersion(output)
  if (version !== undefined) return version
  throw unsuitable(
    `${program} is not Envoy: "${program} --version" prints no version of Envoy. ${REMEDY}`,
  )
}

/** Whether a release came before another one. */
export const isOlder = (version: EnvoyVersion, than: EnvoyVersion): boolean => {
  const index = version.findIndex((part, at) => part !== than[at])
  return index >= 0 && (version[index] ?? 0) < (than[index] ?? 0)
}

const unsuitable = (message: string): CountersignError =>
  new CountersignError('envoy-unsuitable', message)
