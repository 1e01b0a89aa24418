// What came to a running Envoy and is not in force: it was refused, or waits. Only a config dump tells.

import { nameIn } from './resource.ts'
import type { Setting } from './setting.ts'

/** A new version of a resource that came to a running Envoy. */
export interface Update {
  /** Its entry in the dump: an UpdateFailureState, or the resource with its version. */
  readonly at: Setting
  /** The kind and the name of the resource, for messages. */
  readonly resource: string
  /** The names of the secrets that it waits for. */
  readonly secrets: readonly string[]
}

/** What was refused. Envoy tells of a listener twice: the second time without a name and a time. */
export const refusedIn = (sections: readonly Setting[]): readonly Update[] => {
  const all = sections.flatMap(statesIn).flatMap((state): readonly Update[] => {
    const at = state.get('error_state')
    const resource = nameIn(state, at.get('failed_configuration'))
    return at.isSet ? [{ at, resource, secrets: [] }] : []
  })
  return [...new Map(all.toReversed().map((one) => [one.resource, one])).values()].toReversed()
}

/** What waits. */
export const waitingIn = (sections: readonly Setting[]): readonly Update[] => {
  const missing = new Set(
    sections
      .flatMap((section) => section.get('dynamic_warming_secrets').items())
      .map((secret) => secret.get('name').text),
  )
  return [
    ...sections.flatMap(statesIn).map((state) => {
      const at = state.get('warming_state')
      return { at, resource: nameIn(state, at.get('listener')) }
    }),
    ...sections
      .flatMap((section) => section.get('dynamic_warming_clusters').items())
      .map((at) => ({ at, resource: nameIn(at, at.get('cluster')) })),
  ]
    .filter(({ at }) => at.isSet)
    .map((update) => ({ ...update, secrets: secretsIn(update.at, missing) }))
}

/** The resources of a section of a config dump, with their states. */
const statesIn = (section: Setting): readonly Setting[] =>
  section.entries().flatMap(([, states]) => states.items())

/** Those of the secrets that are missing which a resource names (SdsSecretConfig). */
const secretsIn = (resource: Setting, missing: ReadonlySet<string>): readonly string[] => [
  ...new Set(
    [...resource.walk()]
      .filter((setting) => setting.get('sds_config').isSet)
      .map((setting) => setting.get('name').text)
      .filter((name) => missing.has(name)),
  ),
]
