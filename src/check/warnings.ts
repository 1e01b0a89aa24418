// What of a valid configuration is probably not meant: for `countersign validate` and `countersign test`.
// Nothing here keeps a configuration from being used.

import { deniedReadWarnings } from '../authorize/denied-reads.ts'
import { issuerWarnings } from '../config/issuer-problems.ts'
import type { Locate } from '../config/document.ts'
import type { Problem } from '../config/problem.ts'
import type { Config } from '../config/schema.ts'
import { uncheckedLoginWarnings } from '../config/unchecked-logins.ts'

/** Every warning about a configuration, each with its place and its remedy. */
export const warningsOf = (config: Config, locate: Locate): readonly Problem[] => [
  ...issuerWarnings(config, locate),
  ...deniedReadWarnings(config, locate),
  ...uncheckedLoginWarnings(config, locate),
  ...lastElementWarnings(config, locate),
]

const LAST_ELEMENT =
  'a header with URI or DNS names before its last element is refused, since Envoy does not quote them and a comma in one could be the certificate of another. Let every proxy write "cert" and "chain" alone (set_current_client_cert_details, without "uri" and "dns"), or take "only" behind SANITIZE_SET'

const lastElementWarnings = ({ authenticators }: Config, locate: Locate): readonly Problem[] =>
  Object.entries(authenticators).flatMap(([name, { certificate }]) =>
    certificate?.element === 'last'
      ? [locate(['authenticators', name, 'certificate', 'element'], LAST_ELEMENT)]
      : [],
  )
