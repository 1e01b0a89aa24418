// Writes a kubeconfig: with mode 0600, atomically, and not while kubectl writes it.

import { mkdir, open, readFile, realpath, rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import { delimiter, dirname, join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { OWNER_ONLY, replaceFile } from '../../runtime/atomic-file.ts'
import { describeError, hasCode } from '../../runtime/errors.ts'
import { usageError } from '../usage-error.ts'

/** The file that kubectl writes: the first of `KUBECONFIG`, else `~/.kube/config`. */
export const usualKubeconfig = (env: NodeJS.ProcessEnv): string => {
  const [first] = (env['KUBECONFIG'] ?? '').split(delimiter).filter((name) => name !== '')
  return first === undefined ? join(env['HOME'] ?? homedir(), '.kube', 'config') : resolve(first)
}

/**
 * Creates or changes a file.
 *
 * @param change the existing text, or `undefined` → the new text
 * @throws CountersignError `usage`
 */
export const changeKubeconfig = async (
  name: string,
  change: (text: string | undefined) => string,
): Promise<void> => {
  const file = await realpath(name).catch(() => name)
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  } catch (cause) {
    throw usageError(`${dirname(file)} cannot be created: ${describeError(cause)}`)
  }
  await using _ = await lock(`${file}.lock`)
  const before = await readFile(file, 'utf8').catch((cause: unknown) => {
    if (hasCode(cause, 'ENOENT')) return undefined
    throw usageError(`${file} cannot be read: ${describeError(cause)}`)
  })
  const after = change(before)
  if (after !== before) await replaceFile(file, after, { mode: OWNER_ONLY })
}

const WAIT_MS = 5_000
const POLL_MS = 50

/** The lock of kubectl (client-go, tools/clientcmd `lockFile`), which kubectl does not wait for. */
const lock = async (path: string): Promise<AsyncDisposable> => {
  const deadline = Date.now() + WAIT_MS
  for (;;) {
    try {
      await (await open(path, 'wx', 0o600)).close()
      return { [Symbol.asyncDispose]: () => rm(path, { force: true }) }
    } catch (cause) {
      if (!hasCode(cause, 'EEXIST'))
        throw usageError(`${path} cannot be created: ${describeError(cause)}`)
    }
    if (Date.now() >= deadline) {
      throw usageError(
        `${path} exists: kubectl is changing the file. If kubectl is not running, remove the lock`,
      )
    }
    await sleep(POLL_MS)
  }
}
