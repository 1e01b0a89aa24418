// What of a valid configuration is probably not meant: for `countersign validate` and `countersign test`.
// Nothing here keeps a configuration from being used.

import { deniedReadWarnings } from '../authorize/denied-reads.ts'
import type { Locate } from '../config/document.ts'
import type { Problem } from '../config/problem.ts'
import type { Config } from '../config/schema.ts'
import { uncheckedLoginWarnings } from '../config/unchecked-logins.ts'

/** Every warning about a configuration, each with its place and its remedy. */
export const warningsOf = (config: Config, locate: Locate): readonly Problem[] => [
  ...deniedReadWarnings(config, locate),
  ...uncheckedLoginWarnings(config, locate),
]
