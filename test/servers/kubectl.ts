// The real kubectl, for what it makes of answers.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { KUBECTL } from './kubernetes-programs.ts'
import { temporaryFolder } from './temporary.ts'

const MISSING = `no ${KUBECTL}: "sh scripts/kubernetes.sh" builds it`

/**
 * For `skip` of node:test: the reason to skip tests that need kubectl, or `false` where there is one.
 * Throws where `CI` is `true`: there a missing one is a fault and not a reason.
 */
export const skipWithoutKubectl = (): string | false => {
  if (existsSync(KUBECTL)) return false
  if (process.env['CI'] === 'true') throw new Error(MISSING)
  return MISSING
}

/** What kubectl came to. */
export interface KubectlResult {
  readonly code: number
  readonly output: string
  /** What it said on standard error. */
  readonly complaint: string
}

const LIMIT = 60_000

/**
 * Runs kubectl without any configuration of its own.
 *
 * @param environment what it has in addition, and hands on to plugins
 */
export const kubectl = async (
  args: readonly string[],
  environment: NodeJS.ProcessEnv = {},
): Promise<KubectlResult> => {
  await using folder = await temporaryFolder()
  const child = spawn(KUBECTL, args, {
    env: { HOME: folder.file('home'), KUBECONFIG: folder.file('config'), ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: LIMIT,
  })
  const ended = once(child, 'close')
  const [output, complaint] = await Promise.all([text(child.stdout), text(child.stderr)])
  await ended
  return { code: child.exitCode ?? -1, output, complaint }
}
