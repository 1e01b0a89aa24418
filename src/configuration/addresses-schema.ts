// One address, or a list of them: the endpoints of a cluster of Envoy.

import * as z from 'zod'
import { addressSchema } from '../config/values.ts'

const MOST_ADDRESSES = 64

/** `HOST:PORT` or `unix:PATH`, or a list → a list. */
export const addressesSchema = z
  .union(
    [addressSchema, z.array(addressSchema).min(1).max(MOST_ADDRESSES)],
    'must be "HOST:PORT", "unix:PATH", or a list of these',
  )
  .transform((value) => (Array.isArray(value) ? value : [value]))
