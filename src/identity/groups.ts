// The groups of an identity: which of those that were proven, under which names. Pure, and in time
// linear in the names: callers choose them.

import type { GroupsConfig } from './schema.ts'
import { nameMatcher } from '../request/names.ts'

/** What is done with groups, compiled. */
export interface GroupSteps {
  /** Filters, renames and prefixes; what comes out twice is left in its first place. */
  shape(groups: readonly string[]): readonly string[]
  /** How many of the groups are within the limits, counted from the first. */
  fitting(groups: readonly string[]): number
}

/** Compiles the steps. */
export const compileGroupSteps = ({
  keep,
  drop,
  rename,
  prefix,
  max,
  maxBytes,
}: Pick<GroupsConfig, 'keep' | 'drop' | 'rename' | 'prefix' | 'max' | 'maxBytes'>): GroupSteps => {
  const kept = keep === undefined ? undefined : nameMatcher(keep)
  const dropped = drop.length === 0 ? undefined : nameMatcher(drop)
  const renamed = new Map(Object.entries(rename))
  return {
    shape(groups) {
      const left = groups.filter((group) => (kept?.(group) ?? true) && !(dropped?.(group) ?? false))
      return [...new Set(left.map((group) => prefix + (renamed.get(group) ?? group)))]
    },
    fitting(groups) {
      let size = 0
      const beyond = groups.findIndex((group, index) => {
        size += Buffer.byteLength(group)
        return index >= max || size > maxBytes
      })
      return beyond === -1 ? groups.length : beyond
    },
  }
}
