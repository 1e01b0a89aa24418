// What a release says about itself: all of it from the commit, so that the same commit gives the same bytes.

import { execFileSync } from 'node:child_process'
import packageJson from '../../package.json' with { type: 'json' }
import { ROOT } from './root.ts'

/** One release. */
export interface Release {
  readonly version: string
  /** The full hash of the commit, and `-dirty` where files of the clone differ from it. */
  readonly commit: string
  /** Of every file of the release: seconds since the epoch. */
  readonly time: number
}

/**
 * The release of the clone as it is. `SOURCE_DATE_EPOCH` (reproducible-builds.org) replaces the time of the commit, and
 * `SOURCE_COMMIT` its hash, where there is no git, as in the Dockerfile.
 */
export const releaseOf = (environment: NodeJS.ProcessEnv = process.env): Release => {
  const { SOURCE_COMMIT: commit, SOURCE_DATE_EPOCH: time } = environment
  const { version } = packageJson
  if (commit !== undefined && time !== undefined) return { version, commit, time: Number(time) }
  const isDirty = git('status', '--porcelain', '--untracked-files=no') !== ''
  return {
    version,
    commit: `${git('rev-parse', 'HEAD')}${isDirty ? '-dirty' : ''}`,
    time: Number(time ?? git('log', '-1', '--format=%ct')),
  }
}

// CI may have cloned as another user.
const git = (...args: readonly string[]): string =>
  execFileSync('git', ['-c', 'safe.directory=*', '-C', ROOT, ...args], { encoding: 'utf8' }).trim()
