// What `countersign doctor` asks of one server, and how the answer is judged.

import type { ClientParts } from '../../clients/parts.ts'
import type { ConfigurationFiles } from '../../config/files.ts'
import { ProblemList } from '../../config/problem-list.ts'
import type { Locate } from '../../config/document.ts'
import type { Config } from '../../configuration/schema.ts'
import type { Clock } from '../../runtime/clock.ts'
import { createLogger } from '../../runtime/logger.ts'
import { cutText } from '../../runtime/text.ts'
import { messageOf, remedyFor } from './remedy.ts'

/** What was examined. */
type Area =
  | 'clock'
  | 'dns'
  | 'envoy'
  | 'authz'
  | 'signer'
  | 'upstream'
  | 'ldap'
  | 'radius'
  | 'redis'
  | 'keys'
  | 'idp'
  | 'introspection'
  | 'token-endpoint'
  | 'kubernetes'
  | 'ocsp'
  | 'crl'

/** How it went. `skipped`: there was no query, for the reason in the message. */
export type Outcome = 'ok' | 'warning' | 'error' | 'skipped'

/** The judgement about one server. */
export interface Judgement {
  readonly outcome: Outcome
  readonly message: string
  /** What to do, unless the outcome is `ok`. */
  readonly remedy?: string
}

/** One examination with its result. */
export interface Finding extends Judgement {
  readonly area: Area
  /** The server, as the configuration names it. */
  readonly target: string
  /** The path of the key in the configuration. */
  readonly path: string
}

/** One server to ask. */
export interface Examination {
  readonly area: Area
  readonly target: string
  readonly path: readonly PropertyKey[]
  /** Asks it. What it throws is judged by {@link remedyFor}. */
  readonly ask: (signal: AbortSignal) => Promise<Judgement>
}

/** What examinations are made with. */
export interface Bench {
  readonly config: Config
  readonly files: ConfigurationFiles
  readonly locate: Locate
  readonly clock: Clock
  /** Milliseconds for each server. */
  readonly timeout: number
  /** Takes down what another clock shows; see `clock.ts`. */
  readonly noteTime: (source: string, time: number, began: number) => void
}

/** The parts of clients of other servers; they end with the examination. */
export const clientParts = ({ files, locate, clock }: Bench): ClientParts & AsyncDisposable => {
  const connections = new AsyncDisposableStack()
  return {
    files,
    problems: new ProblemList(locate),
    connections,
    dependencies: [],
    clock,
    logger: SILENT,
    [Symbol.asyncDispose]: () => connections.disposeAsync(),
  }
}

/** Failures are findings; lines of a log would repeat them. */
export const SILENT = createLogger('silent')

/** The contents of a file that may not be configured. */
export const fileOf = async (
  file: string | undefined,
  { files }: Bench,
): Promise<Buffer | undefined> => (file === undefined ? undefined : await files.read(file))

/** All is well. */
export const ok = (message: string): Judgement => ({ outcome: 'ok', message })

const LONGEST_MESSAGE = 500

/** Asks one server, within the time. */
export const examine = async (
  { area, target, path, ask }: Examination,
  { locate, timeout }: Pick<Bench, 'locate' | 'timeout'>,
): Promise<Finding> => {
  const place = locate(path, '').path
  const about = { area, target, path: place }
  try {
    return { ...about, ...(await within(timeout, ask)) }
  } catch (cause) {
    const message = cutText(messageOf(cause), LONGEST_MESSAGE)
    return { ...about, outcome: 'error', message, remedy: remedyFor(cause, place) }
  }
}

/** The work, or a failure when the time is over: also where it does not heed the signal. */
const within = async <T>(
  milliseconds: number,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> => {
  const signal = AbortSignal.timeout(milliseconds)
  const { promise, reject } = Promise.withResolvers<never>()
  const late = (): void => reject(new Error(`no answer within ${milliseconds / 1_000} s`))
  signal.addEventListener('abort', late, { once: true })
  try {
    return await Promise.race([work(signal), promise])
  } finally {
    signal.removeEventListener('abort', late)
  }
}
