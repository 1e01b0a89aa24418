// The only importer of the library that holds the official JSON Schemas of Swagger 2.0 and OpenAPI
// 3.0 to 3.2. What they say is a warning: they are about much that decides nothing, such as the schemas of
// bodies, and published documents often deviate from them. What decides is checked in `shape.ts`.

import type { Validator } from '@seriousme/openapi-schema-validator'
import { describeError } from '../../runtime/errors.ts'
import type { JsonObject } from '../../runtime/json-object.ts'
import type { OpenApiFormat } from './shape.ts'
import { textOf } from './value.ts'

type Result = Awaited<ReturnType<Validator['validate']>>
/** It keeps the schemas that it has compiled. */
let validator: Validator | undefined

type SchemaError = Exclude<Result['errors'], string | undefined>[number]

/**
 * What the schema of a document's version says against it, if anything: the place and the fault.
 *
 * The library is loaded on the first call, and compiling a schema, once for each version, takes
 * some 100 ms.
 */
export const schemaFault = async (
  document: JsonObject,
  format: OpenApiFormat,
): Promise<string | undefined> => {
  const { Validator } = await import('@seriousme/openapi-schema-validator')
  let result: Result
  try {
    // Formats (URLs, e-mail addresses) have no part in what is allowed, and are often wrong.
    validator ??= new Validator({ validateFormats: false })
    result = await validator.validate({ ...document })
  } catch (cause) {
    return `#: cannot be compared with the schema of OpenAPI ${format}: ${describeError(cause)}`
  }
  // A text is what it says of `$ref`, after the schema was passed. It takes the property `$ref` of
  // Kubernetes' own JSONSchemaProps for a reference; `references.ts` looks for itself.
  if (result.valid || typeof result.errors === 'string') return undefined
  return describe(format, result.errors ?? [])
}

// What these say is only that everything inside failed.
const OUTER: ReadonlySet<string> = new Set(['oneOf', 'anyOf', 'if', 'allOf', '$ref'])

/** The error that is deepest in the document: a value that may have several forms fails for each. */
const describe = (format: OpenApiFormat, errors: readonly SchemaError[]): string => {
  let worst: SchemaError | undefined
  let rank = -1
  for (const error of errors) {
    const depth = error.instancePath.split('/').length * 4
    const own = depth + (OUTER.has(error.keyword) ? 0 : 2) + (asksForReference(error) ? 0 : 1)
    if (own > rank) [worst, rank] = [error, own]
  }
  const pointer = `#${worst?.instancePath ?? ''}`
  const message = worst?.message ?? 'is not valid'
  const detail = worst === undefined ? '' : detailOf(worst)
  return `${pointer}: ${message}${detail}; the schema of OpenAPI ${format} says so`
}

const asksForReference = ({ params }: SchemaError): boolean =>
  textOf(params, 'missingProperty') === '$ref'

const detailOf = ({ params }: SchemaError): string => {
  for (const key of ['additionalProperty', 'unevaluatedProperty', 'propertyName']) {
    const name = textOf(params, key)
    if (name !== undefined) return ` (${JSON.stringify(name)})`
  }
  const allowed = params['allowedValues']
  return Array.isArray(allowed)
    ? ` (${allowed.map((value) => JSON.stringify(value)).join(', ')})`
    : ''
}
