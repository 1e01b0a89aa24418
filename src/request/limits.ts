// How much of a request is read at all. Whatever a check does later, it does to no more than this, so these limits bound
// what a caller without a credential can cost.

import type { LimitsConfig } from './limits-schema.ts'
import type { CheckAttributes } from './attributes.ts'

// `Impersonate-Extra-` has the longest: 18 characters, and a key that may be percent-encoded.
const LONGEST_NAME = 1_024

/** Why a request is not read. */
export type RequestExcess = 'target-too-long' | 'header-fields-too-large' | 'too-many-parameters'

/** What is too large; `undefined` where nothing is. */
export const excessOf = (
  { path, headers }: Pick<CheckAttributes, 'path' | 'headers'>,
  { targetBytes, headerBytes, headerLines }: LimitsConfig,
): Exclude<RequestExcess, 'too-many-parameters'> | undefined => {
  if (path.length > targetBytes) return 'target-too-long'
  if (headers.length > headerLines) return 'header-fields-too-large'
  let bytes = 0
  for (const line of headers) {
    const { length } = line.about.name
    if (length > LONGEST_NAME) return 'header-fields-too-large'
    bytes += length + line.length
  }
  return bytes > headerBytes ? 'header-fields-too-large' : undefined
}

/** Whether a query has more parameters, empty ones among them. */
export const hasTooManyParameters = (query: string, { parameters }: LimitsConfig): boolean => {
  // Each ends with "&", except the last.
  if (query.length < parameters) return false
  let count = 1
  for (let at = query.indexOf('&'); at !== -1; at = query.indexOf('&', at + 1)) {
    count += 1
    if (count > parameters) return true
  }
  return false
}
