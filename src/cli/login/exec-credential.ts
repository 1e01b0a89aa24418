// The input of a kubectl plugin, and its output (kubernetes.io, "client-go credential
// plugins").

import { isJsonObject } from '../../runtime/json-object.ts'
import { usageError } from '../usage-error.ts'

/** What kubectl wants. */
export interface ExecInfo {
  /** In which version it wants the answer. */
  readonly apiVersion: string
  /** Whether standard input is a terminal. */
  readonly interactive: boolean
}

const GROUP = 'client.authentication.k8s.io'
// Both have the fields that are used here.
const VERSIONS: readonly string[] = [`${GROUP}/v1`, `${GROUP}/v1beta1`]

/**
 * Reads `KUBERNETES_EXEC_INFO`; without it the plugin was not called by kubectl.
 *
 * @throws CountersignError `usage`
 */
export const readExecInfo = (text: string | undefined, isTerminal: boolean): ExecInfo => {
  if (text === undefined || text === '') {
    return { apiVersion: `${GROUP}/v1`, interactive: isTerminal }
  }
  const info = jsonOf(text)
  if (!isJsonObject(info) || info['kind'] !== 'ExecCredential') {
    throw usageError('KUBERNETES_EXEC_INFO holds no ExecCredential: is this run by kubectl?')
  }
  const { apiVersion, spec } = info
  if (typeof apiVersion !== 'string' || !VERSIONS.includes(apiVersion)) {
    throw usageError(
      `KUBERNETES_EXEC_INFO is of a version that is not spoken here: write "apiVersion: ${GROUP}/v1" in the kubeconfig`,
    )
  }
  const interactive = isJsonObject(spec) && spec['interactive'] === true
  // kubectl sets it where it would pass its terminal on; whether there is one is checked here.
  return { apiVersion, interactive: interactive && isTerminal }
}

const jsonOf = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/**
 * The answer.
 *
 * @param expires when kubectl has to call again, in milliseconds
 */
export const execCredential = (
  { apiVersion }: ExecInfo,
  token: string,
  expires: number | undefined,
): string => {
  const until = expires === undefined ? {} : { expirationTimestamp: timestamp(expires) }
  return `${JSON.stringify({ apiVersion, kind: 'ExecCredential', status: { token, ...until } })}\n`
}

/** RFC 3339, to the second. */
export const timestamp = (at: number): string =>
  `${new Date(at).toISOString().slice(0, 'YYYY-MM-DDTHH:MM:SS'.length)}Z`
