// The output of `countersign keys signing`: the keys of a folder, and the changes to them.

import { SIGNING_KEY_LIST } from '../keys/signing-key-folder.ts'
import { stateAt, timesOf, type SigningKeyState } from '../keys/signing-key-times.ts'
import type { SigningKeyEntry, SigningKeyList } from '../keys/signing-keys.ts'
import type { FolderChanged } from './signing-key-writer.ts'
import { linesAsText, tableAsLines } from './format.ts'

/** A key as it is shown. Times are RFC 3339. */
export interface ShownKey {
  readonly kid: string
  readonly algorithm: string
  readonly state: SigningKeyState
  readonly created: string
  readonly signsFrom: string
  /** Absent where nothing is to replace the key. */
  readonly publishedUntil: string | undefined
}

/** The keys of a list, in its order. */
export const shownKeys = (list: SigningKeyList, now: number): readonly ShownKey[] =>
  timesOf(list).map((times): ShownKey => {
    const { key, publishedUntil } = times
    const { kid, algorithm, created, signsFrom } = key
    return {
      kid,
      algorithm,
      state: stateAt(times, now),
      created,
      signsFrom,
      publishedUntil: Number.isFinite(publishedUntil)
        ? new Date(publishedUntil).toISOString()
        : undefined,
    }
  })

const TITLES = ['key', 'algorithm', 'state', 'created', 'signs from', 'published until']

/** As a table. */
export const keysAsText = (keys: readonly ShownKey[]): string => {
  const rows = keys.map(({ kid, algorithm, state, created, signsFrom, publishedUntil = '' }) => [
    kid,
    algorithm,
    state,
    toSecond(created),
    toSecond(signsFrom),
    toSecond(publishedUntil),
  ])
  return linesAsText(tableAsLines([TITLES, ...rows]))
}

const toSecond = (instant: string): string => instant.replace(/\.\d+(?=Z|[+-])/, '')

/** As JSON, with the folder's problems. */
export const keysAsJson = (keys: readonly ShownKey[], problems: readonly string[]): string =>
  `${JSON.stringify({ keys, problems }, undefined, 2)}\n`

/** A line for each change of a folder. */
export const changesAsText = ({ folder, before, after, removed, now }: FolderChanged): string => {
  const known = new Map(before.keys.map((key) => [key.kid, key]))
  const left = new Set(after.keys.map(({ kid }) => kid))
  const lines = [
    ...timesOf(after).flatMap((times) => {
      const change = changeOf(known.get(times.key.kid), times.key, stateAt(times, now))
      return change === undefined ? [] : [`${times.key.algorithm} ${times.key.kid} ${change}`]
    }),
    ...before.keys
      .filter(({ kid }) => !left.has(kid))
      .map(({ algorithm, kid }) => `${algorithm} ${kid} was removed from ${SIGNING_KEY_LIST}`),
    ...removed.map((kid) => `the private key of ${kid} is removed`),
  ]
  if (lines.length === 0) lines.push('nothing to do')
  return lines.map((line) => `${folder}: ${line}\n`).join('')
}

const changeOf = (
  before: SigningKeyEntry | undefined,
  { revoked, signsFrom }: SigningKeyEntry,
  state: SigningKeyState,
): string | undefined => {
  if (revoked !== before?.revoked) return 'is revoked: it neither signs nor is published'
  if (signsFrom === before?.signsFrom) return undefined
  return state === 'next' ? `is published, and signs from ${toSecond(signsFrom)}` : 'signs at once'
}
