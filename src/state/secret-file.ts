// The secret of a state file without a configured one: a file next to it, made once, readable by its owner only. It is
// never overwritten.

import { randomUUID } from 'node:crypto'
import { linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { CountersignError, hasCode } from '../runtime/errors.ts'
import { describeFileFault } from '../runtime/file-fault.ts'
import { newStateKeyLine, parseStateSecret, type StateSecret } from './state-secret.ts'

/**
 * Reads the secret, and makes it if it is absent. Two processes that make it at the same time have the same one
 * afterwards.
 *
 * @throws CountersignError `configuration-invalid`
 */
export const secretBeside = (database: string): StateSecret => {
  const file = `${database}.secret`
  try {
    return parseStateSecret(file, readOrMake(file))
  } catch (cause) {
    if (cause instanceof CountersignError) throw cause
    const message = `${file} cannot be used: ${describeFileFault(file, cause)}`
    throw new CountersignError('configuration-invalid', message, { cause })
  }
}

const readOrMake = (file: string): string => {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    if (!hasCode(cause, 'ENOENT')) throw cause
  }
  // Complete from the moment at which it has its name.
  const draft = `${file}.${randomUUID()}`
  writeFileSync(draft, `${newStateKeyLine()}\n`, { mode: 0o600, flag: 'wx', flush: true })
  try {
    linkSync(draft, file)
  } catch (cause) {
    if (!hasCode(cause, 'EEXIST')) throw cause
  } finally {
    rmSync(draft)
  }
  return readFileSync(file, 'utf8')
}
