// The only importer of the library that holds the official JSON Schemas of Swagger 2.0 and OpenAPI
// 3.0 to 3.2. What passes has the shape that the specification says; what it refers to is read here.

import type { Validator } from '@seriousme/openapi-schema-validator'
import { describeError } from '../../runtime/errors.ts'
import type { JsonObject } from '../../runtime/json-object.ts'
import { faultAt, textOf } from './value.ts'

/** The versions of the specification that are read. */
export type OpenApiFormat = '2.0' | '3.0' | '3.1' | '3.2'

const VERSION = /^(3\.[012])\.\d+(-.*)?$/

type Result = Awaited<ReturnType<Validator['validate']>>
/** It keeps the schemas that it has compiled. */
let validator: Validator | undefined

type SchemaError = Exclude<Result['errors'], string | undefined>[number]

/**
 * Which version a document is of, once it has passed that version's schema.
 *
 * The library is loaded on the first call: only routes with `openapi` need it, and compiling a
 * schema, once for each version, takes some 100 ms.
 *
 * @throws CountersignError `malformed-openapi`
 */
export const checkSchema = async (document: JsonObject): Promise<OpenApiFormat> => {
  const format = formatOf(document)
  const { Validator } = await import('@seriousme/openapi-schema-validator')
  let result: Result
  try {
    // Formats (URLs, e-mail addresses) have no part in what is allowed, and are often wrong.
    validator ??= new Validator({ validateFormats: false })
    result = await validator.validate({ ...document })
  } catch (cause) {
    throw faultAt([], `cannot be checked: ${describeError(cause)}`, cause)
  }
  // A text is what it says of `$ref`, after the schema was passed. It takes the property `$ref` of
  // Kubernetes' own JSONSchemaProps for a reference; `references.ts` looks for itself.
  if (result.valid || typeof result.errors === 'string') return format
  throw describe(format, result.errors ?? [])
}

const formatOf = (document: JsonObject): OpenApiFormat => {
  if (textOf(document, 'swagger') === '2.0') return '2.0'
  const version = VERSION.exec(textOf(document, 'openapi') ?? '')?.[1]
  if (version === '3.0' || version === '3.1' || version === '3.2') return version
  throw faultAt([], 'needs `swagger: "2.0"` or `openapi: "3.x.y"` with 3.0, 3.1 or 3.2')
}

// What these say is only that everything inside failed.
const OUTER: ReadonlySet<string> = new Set(['oneOf', 'anyOf', 'if', 'allOf', '$ref'])

/** The error that is deepest in the document: a value that may have several forms fails for each. */
const describe = (format: OpenApiFormat, errors: readonly SchemaError[]): Error => {
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
  return faultAt(pointer, `${message}${detail}; the schema of OpenAPI ${format} says so`)
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
