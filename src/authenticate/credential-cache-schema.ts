// `credentialCache`: how much memory verified credentials may take.

import * as z from 'zod'
import { DEFAULT_CACHE_BYTES } from './cached-credentials.ts'

/** The `credentialCache` section. */
export const credentialCacheSchema = z
  .strictObject({
    maxBytes: z
      .int()
      .min(1_048_576)
      .max(17_179_869_184)
      .default(DEFAULT_CACHE_BYTES)
      .describe(
        'The most memory for verified credentials, in bytes (an estimate; identities made from them take about as much again). A token of a user with few groups takes some 2 KB, so the default of 64 MiB is enough for some 30,000 credentials in use. When credentials are evicted before their time is over, a warning in the log and `countersign_credential_cache_evictions_total` tell it. Applied by a reload.',
      ),
  })
  .prefault({})
  .describe(
    'The cache of verified credentials. It is lost with the process, and holds no decision.',
  )
