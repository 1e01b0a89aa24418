// Which test files there are, and what each one needs. It is read from the files themselves, so that a
// file can be moved or added without a list to keep.
//
// A file says in its first lines when it cannot share a process with further files, and why:
//
//   // Own process: it measures the memory of the process.
//   // Alone: it asserts how long an answer takes, where CPU time would not tell it.
//
// and that `npm run test:unit` leaves it out, since it takes seconds of CPU time:
//
//   // Slow: it floods a server.

import { globSync, readFileSync } from 'node:fs'
import { sep } from 'node:path'

/** One test file. */
export interface TestFile {
  /** From the root of the repository. */
  readonly path: string
  /** Whether it starts a real server or browser: Envoy, slapd, Chromium. */
  readonly server: boolean
  /** Whether nothing else may run meanwhile. */
  readonly alone: boolean
  /** Whether only `npm test` runs it. */
  readonly slow: boolean
  /** Whether it runs in a process that has run other files before it. */
  readonly shared: boolean
}

/** The reason to skip a test on a machine without a program: `skipWithoutEnvoy()`. */
const GUARD = /\bskipWithout[A-Z]/
const MARK = /^\/\/ (Own process|Alone): \S/m
const SLOW = /^\/\/ Slow: \S/m

/** All test files below a folder, in the order of their names. */
export const findTestFiles = (folder = 'test'): readonly TestFile[] =>
  globSync(`${folder}/**/*.test.ts`)
    .toSorted()
    .map((path) => {
      const text = readFileSync(path, 'utf8')
      const server = path.includes(`${sep}e2e${sep}`) || GUARD.test(text)
      const mark = MARK.exec(text)?.[1]
      return {
        path,
        server,
        alone: mark === 'Alone',
        slow: SLOW.test(text),
        shared: !server && mark === undefined,
      }
    })
