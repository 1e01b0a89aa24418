// What of a valid configuration is probably not meant: for `countersign validate` and `countersign test`.
// Nothing here keeps a configuration from being used.

import { deniedReadWarnings } from './problems/denied-reads.ts'
import { issuerWarnings } from './problems/issuer.ts'
import type { Locate } from '../config/document.ts'
import type { Problem } from '../config/problem.ts'
import type { Config } from './schema.ts'
import { uncheckedLoginWarnings } from './problems/unchecked-logins.ts'
import { unprefixedNameWarnings } from './problems/unprefixed-names.ts'
import { nestedLoops } from '../expression/cel.ts'

/** Every warning about a configuration, each with its place and its remedy. */
export const warningsOf = (config: Config, locate: Locate): readonly Problem[] => [
  ...issuerWarnings(config, locate),
  ...deniedReadWarnings(config, locate),
  ...uncheckedLoginWarnings(config, locate),
  ...unprefixedNameWarnings(config, locate),
  ...lastElementWarnings(config, locate),
  ...proofWarnings(config, locate),
  ...loopWarnings(config, locate),
]

const LAST_ELEMENT =
  'a header with URI or DNS names before its last element is refused, since Envoy does not quote them and a comma in one could be the certificate of another. Let every proxy write "cert" and "chain" alone (set_current_client_cert_details, without "uri" and "dns"), or take "only" behind SANITIZE_SET'

const lastElementWarnings = ({ authenticators }: Config, locate: Locate): readonly Problem[] =>
  Object.entries(authenticators).flatMap(([name, { certificate }]) =>
    certificate?.element === 'last'
      ? [locate(['authenticators', name, 'certificate', 'element'], LAST_ELEMENT)]
      : [],
  )

const UNSHARED_PROOFS =
  'with "state: memory" each process counts used proofs by itself, and forgets them when it ends: a DPoP proof can be used once in each replica while "window" lasts. Set "state" to "redis", or "sqlite" for processes of one machine'

const proofWarnings = ({ authenticators, state }: Config, locate: Locate): readonly Problem[] =>
  state.memory === undefined
    ? []
    : Object.entries(authenticators).flatMap(([name, { bearer }]) =>
        bearer?.dpop === undefined
          ? []
          : [locate(['authenticators', name, 'bearer', 'dpop'], UNSHARED_PROOFS)],
      )

const NESTED_LOOPS =
  'goes through lists in three loops, one within another: with lists of some 50 values it costs more than all rules of a request may, and the request is refused. Look a value up with "in", or compare with a list that "map" or "filter" has made shorter'
const MOST_LOOPS = 2

const loopWarnings = ({ routes }: Config, locate: Locate): readonly Problem[] =>
  routes.flatMap(({ authorize }, route) =>
    authorize.flatMap((entry, index) => {
      const path = ['routes', route, 'authorize', index]
      const rules =
        'rules' in entry
          ? entry.rules.map((rule, at) => ({ rule, place: [...path, 'rules', at] }))
          : [{ rule: entry, place: path }]
      return rules
        .filter(({ rule: { when } }) => when !== undefined && nestedLoops(when) > MOST_LOOPS)
        .map(({ place }) => locate([...place, 'when'], NESTED_LOOPS))
    }),
  )
