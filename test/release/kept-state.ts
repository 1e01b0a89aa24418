// State as a version of Countersign wrote it, in test/fixtures/state-VERSION: each later version has to start on it. Made by
// scripts/state-fixture.ts.

import { join } from 'node:path'
import * as z from 'zod'

/** Where the folders are. */
export const FIXTURES = join(import.meta.dirname, '../fixtures')

/** The file, next to the state, with what users, applications and Envoy hold. */
export const KNOWN = 'known.json'

/** What they hold. */
export const knownSchema = z.object({
  /** When it was written, in milliseconds since the epoch: everything in it is valid a minute later. */
  time: z.number(),
  /** Cookies of two browsers: the second user logged out everywhere, and the records were put back after that. */
  session: z.string(),
  endedSession: z.string(),
  /** Refresh tokens of the same logins. */
  refreshToken: z.string(),
  endedRefreshToken: z.string(),
  /** Of the first login. */
  idToken: z.string(),
  /** The handle of a certificate grant for CN=alice, O=developers. */
  handle: z.string(),
})

/** What they hold. */
export type Known = z.infer<typeof knownSchema>
