// `forward.set`: headers that a configuration names itself, each with the value of an expression about the
// caller. One that cannot be written, or contains a reserved name that is not the caller's, is a refusal.

import type { ForwardConfig, FreeHeaderConfig } from '../schema.ts'
import { Budget, sharing } from '../../expression/budget.ts'
import type { Identity } from '../../identity/identity.ts'
import { variablesOf } from '../../identity/variables.ts'
import { keepsDerived } from '../../runtime/derived.ts'
import { headerLines } from './values.ts'
import { identityHeaders } from './identity-headers.ts'
import { ReservedValues } from '../reserved-values.ts'
import type {
  RepeatedHeader,
  Transformation,
  TransformFailure,
  Transformer,
} from '../transformer.ts'

/**
 * The headers by lower-case name. One that yields no values is left out.
 *
 * @param allowReserved reserved names that they may contain, each written out
 */
export const freeHeaders = (
  config: ForwardConfig['set'],
  allowReserved: readonly string[],
): Transformer => {
  const reserved = new ReservedValues(allowReserved)
  const entries = Object.entries(config)
  const made = (identity: Identity): Transformation => {
    const headers: RepeatedHeader[] = []
    for (const [name, header] of entries) {
      const lines = headerOf(header, identity, reserved)
      if ('code' in lines) {
        return { outcome: 'failed', code: lines.code, detail: `set.${name}: ${lines.detail}` }
      }
      headers.push({ name, values: lines.values })
    }
    return inLines(headers)
  }
  return identityHeaders((identity) => sharing(new Budget(), () => made(identity)))
}

type Made =
  | Pick<RepeatedHeader, 'values'>
  | { readonly code: TransformFailure; readonly detail: string }

const headerOf = (
  { value, list, encode }: FreeHeaderConfig,
  identity: Identity,
  reserved: ReservedValues,
): Made => {
  const variables = variablesOf(identity)
  const values = value.evaluate(variables)
  if (values === undefined) return { code: 'header-unmapped', detail: value.explain(variables) }
  // Before they are encoded, which would hide them.
  if (reserved.isIn(values, identity)) {
    return { code: 'header-reserved', detail: 'contains a reserved name' }
  }
  const lines = headerLines(values, { list, encode })
  return lines === undefined
    ? { code: 'header-unrepresentable', detail: `cannot be written with ${list}, ${encode}` }
    : { values: lines }
}

const inLines = (headers: readonly RepeatedHeader[]): Transformation => ({
  outcome: 'transformed',
  forwarding: {
    setHeaders: keepsDerived(
      headers.flatMap(({ name, values: [line, ...more] }) =>
        line !== undefined && more.length === 0 ? [[name, line] as const] : [],
      ),
    ),
    repeatedHeaders: keepsDerived(headers.filter(({ values }) => values.length > 1)),
  },
})
