// What of a route says what goes upstream, made of transformers.

import type { Outgoing } from '../../src/transform/apply.ts'
import type { Transformer } from '../../src/transform/transformer.ts'

/** With no places of its own and room for any header, unless the test says otherwise. */
export const outgoing = (
  transformers: readonly Transformer[],
  parts: Partial<Outgoing> = {},
): Outgoing => ({
  transformers,
  places: undefined,
  maxHeaderBytes: Number.POSITIVE_INFINITY,
  sendsAuditId: false,
  ...parts,
})
