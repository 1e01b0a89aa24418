// The goals of the parts other than `checks`.

import type { Results } from '../report.ts'
import type { Summary } from '../rounds.ts'
import { goal, ratioIn, type Goal } from './goal.ts'

const OTHER = ['at most', 1.5] as const

/** What other credentials, and other things to forward, cost in terms of a known JWT and headers. */
export const credentialGoals = (results: Results): readonly Goal[] => {
  const { credentials, tokens, sessions } = results
  const ratio = (
    rows: readonly Summary[] | undefined,
    [row, floor]: readonly [string, string],
  ): number | undefined => {
    const find = (name: string): Summary | undefined => rows?.find((one) => one.name === name)
    return ratioIn(find(row), find(floor), ({ cpu }) => cpu)
  }
  const JWT = 'JWT, ES256: known'
  return [
    ...['Basic, users file (argon2id): known', 'API key', 'client certificate: known'].map((row) =>
      goal(
        `CPU of a check, ${row.replace(': known', '')}`,
        '× known JWT',
        OTHER,
        ratio(credentials?.rows, [row, JWT]),
      ),
    ),
    goal(
      'CPU of a check, session',
      '× known JWT',
      OTHER,
      ratio(sessions?.rows, ['session, SQLite', 'JWT, ES256, known']),
    ),
    goal(
      'CPU of a check, JWT to minted token',
      '× JWT to headers',
      OTHER,
      ratio(tokens?.rows, ['token, ES256, known', 'headers, known']),
    ),
    goal(
      'CPU of a check, JWT to certificate handle',
      '× JWT to headers',
      OTHER,
      ratio(tokens?.rows, ['certificate handle, known', 'headers, known']),
    ),
  ].flat()
}

/** What certificates cost. */
export const certificateGoals = ({ certificates }: Results): readonly Goal[] => {
  const p256 = certificates?.minting.p256
  return [
    goal(
      'p99 of the first request of a new identity with a certificate',
      'ms',
      ['at most', 15],
      certificates?.firstRequest?.p99,
    ),
    goal(
      'CPU of a p256 certificate with its key',
      'µs',
      ['at most', 400],
      p256 && p256.issue + p256.key,
    ),
  ].flat()
}

/** How long a check waits while something long is read anew. */
export const reloadGoals = ({ reloads }: Results): readonly Goal[] =>
  (reloads?.rows ?? []).flatMap(({ name, longest }) =>
    goal(`longest wait during a reload: ${name}`, 'ms', ['at most', 15], longest),
  )
