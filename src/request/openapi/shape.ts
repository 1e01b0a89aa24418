// The shape of what is read of a document. Whatever decides about requests must be what the
// specification says; the rest of a document may be anything.

import { isJsonObject, type JsonObject } from '../../runtime/json-object.ts'
import { elementsOf, faultAt, member, membersOf, textOf, type Place } from './value.ts'

/** The versions of the specification that are read. */
export type OpenApiFormat = '2.0' | '3.0' | '3.1' | '3.2'

const VERSION = /^(3\.[012])\.\d+(-.*)?$/

/**
 * Which version a document is of.
 *
 * @throws CountersignError `malformed-openapi`: none that is read
 */
export const formatOf = (document: JsonObject): OpenApiFormat => {
  if (textOf(document, 'swagger') === '2.0') return '2.0'
  const version = VERSION.exec(textOf(document, 'openapi') ?? '')?.[1]
  if (version === '3.0' || version === '3.1' || version === '3.2') return version
  throw faultAt([], 'needs `swagger: "2.0"` or `openapi: "3.x.y"` with 3.0, 3.1 or 3.2')
}

// Each version's path item, and no further key: `parameters` is not a method.
const METHODS = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch'] as const
/** The methods that are keys of a path item. */
export const METHODS_OF: Readonly<Record<OpenApiFormat, readonly string[]>> = {
  '2.0': METHODS,
  '3.0': [...METHODS, 'trace'],
  '3.1': [...METHODS, 'trace'],
  '3.2': [...METHODS, 'trace', 'query'],
}

const ITEM_KEYS: Readonly<Record<OpenApiFormat, ReadonlySet<string>>> = {
  '2.0': new Set(['$ref', 'parameters', ...METHODS_OF['2.0']]),
  '3.0': new Set(['$ref', 'summary', 'description', 'servers', 'parameters', ...METHODS_OF['3.0']]),
  '3.1': new Set(['$ref', 'summary', 'description', 'servers', 'parameters', ...METHODS_OF['3.1']]),
  '3.2': new Set([
    '$ref',
    'summary',
    'description',
    'servers',
    'parameters',
    'additionalOperations',
    ...METHODS_OF['3.2'],
  ]),
}

/**
 * Checks what a document says about all of its operations.
 *
 * @throws CountersignError `malformed-openapi`
 */
export const checkDocument = (document: JsonObject, format: OpenApiFormat): void => {
  const paths = optionalObject(document, 'paths', [])
  for (const template of Object.keys(paths)) {
    if (template.startsWith('/') || template.startsWith('x-')) continue
    throw faultAt(['paths'], `a path must begin with "/", and ${JSON.stringify(template)} does not`)
  }
  checkSecurity(document, [])
  if (format === '2.0') optionalText(document, 'basePath', [])
  else checkServers(document, [])
}

/**
 * Checks a path item. A key that is not known may be a method, whose requests would be for no operation.
 *
 * @throws CountersignError `malformed-openapi`
 */
export const checkPathItem = (item: unknown, format: OpenApiFormat, place: Place): void => {
  if (!isJsonObject(item)) throw faultAt(place, 'must be an object')
  const unknown = Object.keys(item).find(
    (key) => !ITEM_KEYS[format].has(key) && !key.startsWith('x-'),
  )
  if (unknown !== undefined) {
    throw faultAt(
      place,
      `${JSON.stringify(unknown)} is not a method or another key of a path in OpenAPI ${format}`,
    )
  }
  if (format !== '2.0') checkServers(item, place)
  if (format === '3.2') optionalObject(item, 'additionalOperations', place)
}

/**
 * Checks an operation.
 *
 * @throws CountersignError `malformed-openapi`
 */
export const checkOperation = (operation: unknown, format: OpenApiFormat, place: Place): void => {
  if (!isJsonObject(operation)) throw faultAt(place, 'must be an object')
  if (member(operation, '$ref') !== undefined) {
    throw faultAt(place, 'an operation cannot be a $ref; let its path be one')
  }
  optionalText(operation, 'operationId', place)
  checkTexts(optionalList(operation, 'tags', place), [...place, 'tags'])
  checkSecurity(operation, place)
  if (format !== '2.0') checkServers(operation, place)
}

const SCHEME_TYPES: Readonly<Record<'2.0' | '3', ReadonlySet<string>>> = {
  '2.0': new Set(['basic', 'apiKey', 'oauth2']),
  '3': new Set(['apiKey', 'http', 'mutualTLS', 'oauth2', 'openIdConnect']),
}

/**
 * The type of a security scheme. One that is not known could be one with scopes.
 *
 * @throws CountersignError `malformed-openapi`
 */
export const schemeTypeOf = (scheme: unknown, format: OpenApiFormat, place: Place): string => {
  const types = SCHEME_TYPES[format === '2.0' ? '2.0' : '3']
  const type = textOf(scheme, 'type')
  if (type !== undefined && types.has(type)) return type
  throw faultAt([...place, 'type'], `must be one of ${[...types].join(', ')}`)
}

const checkSecurity = (owner: JsonObject, place: Place): void => {
  for (const [index, requirement] of optionalList(owner, 'security', place).entries()) {
    const here = [...place, 'security', index]
    if (!isJsonObject(requirement)) throw faultAt(here, 'must be an object')
    for (const name of Object.keys(requirement)) {
      checkTexts(optionalList(requirement, name, here), [...here, name])
    }
  }
}

const checkServers = (owner: JsonObject, place: Place): void => {
  for (const [index, server] of optionalList(owner, 'servers', place).entries()) {
    const here = [...place, 'servers', index]
    if (!isJsonObject(server)) throw faultAt(here, 'must be an object')
    if (textOf(server, 'url') === undefined) throw faultAt(here, '"url" must be a text')
    const variables = optionalObject(server, 'variables', here)
    for (const [name, variable] of Object.entries(variables)) {
      optionalText(membersOf(variable), 'default', [...here, 'variables', name])
    }
  }
}

const checkTexts = (values: readonly unknown[], place: Place): void => {
  const index = values.findIndex((value) => typeof value !== 'string')
  if (index !== -1) throw faultAt([...place, index], 'must be a text')
}

const optionalText = (owner: JsonObject, key: string, place: Place): void => {
  const value = member(owner, key)
  if (value === undefined || typeof value === 'string') return
  throw faultAt([...place, key], 'must be a text')
}

const optionalList = (owner: JsonObject, key: string, place: Place): readonly unknown[] => {
  const value = member(owner, key)
  if (value === undefined || Array.isArray(value)) return elementsOf(value)
  throw faultAt([...place, key], 'must be a list')
}

const optionalObject = (owner: JsonObject, key: string, place: Place): JsonObject => {
  const value = member(owner, key)
  if (value === undefined || isJsonObject(value)) return membersOf(value)
  throw faultAt([...place, key], 'must be an object')
}
