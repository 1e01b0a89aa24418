// Object identifiers in configuration.

import * as z from 'zod'
import { OID, PURPOSES } from './oid.ts'

/** An object identifier in dotted form. */
export const oidSchema = z.string().regex(OID, 'must be an OID such as "1.3.6.1.4.1.311.20.2.2"')

/** A purpose of an extended key usage, by name or OID → OID. */
export const purposeSchema = z
  .string()
  .refine(
    (name) => purposes.has(name) || OID.test(name),
    `must be one of ${Object.keys(PURPOSES).join(', ')}, or an OID`,
  )
  .transform((name) => purposes.get(name) ?? name)

const purposes: ReadonlyMap<string, string> = new Map(Object.entries(PURPOSES))
