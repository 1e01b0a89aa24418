// CEL about an authenticated caller (`identity`, `claims`, `certificate`), as used in `forward`; and conditions on claims.

import * as z from 'zod'
import {
  compileCondition,
  compileText,
  compileValue,
  type TextExpression,
  type ValueExpression,
} from '../expression/cel.ts'
import { VALUE_TYPES } from './values.ts'

/** CEL that yields text: one value, several, or none. */
export const callerText = z
  .string()
  .min(1)
  .transform((source, context): TextExpression => {
    const compilation = compileText(source, 'caller')
    if (compilation.ok) return compilation.expression
    context.addIssue({ code: 'custom', message: compilation.message })
    return z.NEVER
  })
  .register(VALUE_TYPES, { type: 'expression' })

/** CEL that yields whatever JSON can hold, or nothing. */
export const callerValue = z
  .string()
  .min(1)
  .transform((source, context): ValueExpression => {
    const compilation = compileValue(source, 'caller')
    if (compilation.ok) return compilation.expression
    context.addIssue({ code: 'custom', message: compilation.message })
    return z.NEVER
  })
  .register(VALUE_TYPES, { type: 'expression' })

/** A CEL condition on `claims`: of a JWT, or of an introspection response. */
export const claimsCondition = z
  .string()
  .transform((source, context) => {
    const compilation = compileCondition(source, 'claims')
    if (compilation.ok) return compilation.expression
    context.addIssue({ code: 'custom', message: compilation.message })
    return z.NEVER
  })
  .register(VALUE_TYPES, { type: 'expression' })
