// An API description → its operations. It is the only way in: untrusted text comes
// out as plain data, or as an error that names the place.

import type { JsonObject } from '../../runtime/json-object.ts'
import { baseOf, basesElsewhere, serverBases } from './base.ts'
import { OperationIndex } from './operation-index.ts'
import type { Operation } from './operation.ts'
import { remoteReference, resolve } from './references.ts'
import { schemaFault } from './schema.ts'
import { scopesOf } from './security.ts'
import {
  checkDocument,
  checkOperation,
  checkPathItem,
  formatOf,
  METHODS_OF,
  type OpenApiFormat,
} from './shape.ts'
import { readDocument } from './text.ts'
import { elementsOf, faultAt, member, membersOf, pointerOf, textOf, type Place } from './value.ts'

/** What is read of an API description. */
export interface ApiDescription {
  readonly title: string
  readonly format: OpenApiFormat
  /** Where the templates begin: empty, or a path without a slash at its end, such as `/v1`. */
  readonly base: string
  /** In the order of the document. */
  readonly operations: readonly Operation[]
  /**
   * What is unusual about the document, for operators: `#/paths/~1users: …`. Only what concerns
   * paths, unless the caller wants all warnings.
   */
  readonly warnings: readonly string[]
}

/**
 * Reads Swagger 2.0 and OpenAPI 3.0, 3.1 or 3.2, in JSON or YAML. What decides about requests
 * is checked: paths, methods, ids, tags, `security`, `servers` and the references among them. The
 * rest may be anything. References are followed within the text only. `webhooks` and `callbacks` are requests that the API makes, not ones that it takes.
 *
 * @param options.base the path prefix of the route; default: that of the document
 * @param options.allWarnings whether the schema of OpenAPI and references to other files are warned
 *   about, too; it takes longer than the rest
 * @throws CountersignError `malformed-openapi`, with the place as a JSON pointer and what to do
 */
export const readApiDescription = async (
  text: string,
  options: { readonly base?: string | undefined; readonly allWarnings?: boolean } = {},
): Promise<ApiDescription> => {
  const document = readDocument(text)
  refuseManyPaths(document)
  const format = formatOf(document)
  checkDocument(document, format)
  const base = baseOf(document, format, options.base)
  const operations = readOperations({
    document,
    format,
    base,
    ownBase: ownBaseOf(document, format, base),
  })
  if (operations.length === 0) throw faultAt(['paths'], 'no operation in the document')
  refuseRepeatedIds(operations)
  const read = operations.map(({ operation }) => operation)
  // Found here, off the main thread: templates that cannot be read, and too many in one place.
  const index = new OperationIndex(read, base)
  const rest = options.allWarnings === true ? await warningsOf(document, format) : []
  return {
    title: textOf(member(document, 'info'), 'title') ?? '',
    format,
    base,
    operations: read,
    warnings: [...index.warnings, ...rest],
  }
}

/** What is unusual about the parts of a document that decide nothing. */
const warningsOf = async (
  document: JsonObject,
  format: OpenApiFormat,
): Promise<readonly string[]> =>
  [await schemaFault(document, format), remoteReference(document)].filter(
    (warning) => warning !== undefined,
  )

// Far more than any that is published. Every one is put in its place when the configuration is read,
// and a document could be so made that each is tried on every request.
const MOST_PATHS = 50_000

const refuseManyPaths = (document: JsonObject): void => {
  if (Object.keys(membersOf(member(document, 'paths'))).length <= MOST_PATHS) return
  throw faultAt(['paths'], `more than ${MOST_PATHS}; leave out those that are not published`)
}

interface Context {
  readonly document: JsonObject
  readonly format: OpenApiFormat
  readonly base: string
  readonly ownBase: string
}

interface Placed {
  readonly operation: Operation
  readonly place: Place
}

const readOperations = (context: Context): readonly Placed[] =>
  Object.entries(membersOf(member(context.document, 'paths')))
    .filter(([template]) => template.startsWith('/'))
    .flatMap(([template, item]) => readPathItem(context, template, item))

// As requests may have it (`request.ts`).
const METHOD = /^[A-Z][A-Z-]{0,31}$/

const readPathItem = (context: Context, template: string, item: unknown): readonly Placed[] => {
  const here: Place = ['paths', template]
  const { value, place } = resolve(context.document, item, here)
  if (value !== item) refuseSiblings(context.format, item, here)
  checkPathItem(value, context.format, place)
  const found: Placed[] = []
  const ofItem = elsewhereOf(context, value, place)
  const read = (method: string, operation: unknown, at: Place): void => {
    if (operation === undefined) return
    // Those of the operation would replace those of the path; the rare document with both is read strictly.
    const own = elsewhereOf(context, operation, at)
    const elsewhere = [...new Set([...ofItem, ...own])]
    const placed = readOperation(context, template, method, operation, at)
    found.push(
      elsewhere.length === 0
        ? placed
        : { ...placed, operation: { ...placed.operation, elsewhere } },
    )
  }
  for (const method of METHODS_OF[context.format]) {
    read(method.toUpperCase(), member(value, method), [...place, method])
  }
  if (context.format !== '3.2') return found
  for (const [method, operation] of Object.entries(
    membersOf(member(value, 'additionalOperations')),
  )) {
    const at = [...place, 'additionalOperations', method]
    if (!METHOD.test(method)) throw faultAt(at, 'no method that requests can have here: upper case')
    read(method, operation, at)
  }
  return found
}

/** OpenAPI leaves open what they mean next to `$ref`. */
const refuseSiblings = (format: OpenApiFormat, item: unknown, place: Place): void => {
  const methods = [...METHODS_OF[format], 'additionalOperations', 'servers']
  const sibling = methods.find((key) => member(item, key) !== undefined)
  if (sibling === undefined) return
  throw faultAt(place, `both "$ref" and ${JSON.stringify(sibling)}: move it to where $ref leads`)
}

/** The base of the document's own servers, where they have one and it can be read; else the route's. */
const ownBaseOf = (document: JsonObject, format: OpenApiFormat, base: string): string => {
  if (format === '2.0') return base
  try {
    const [own = '', ...others] = serverBases(document, [])
    return others.length === 0 ? own : base
  } catch {
    return base // `base` of the configuration replaces them
  }
}

const elsewhereOf = (
  { format, base, ownBase }: Context,
  owner: unknown,
  place: Place,
): readonly string[] => (format === '2.0' ? [] : basesElsewhere(owner, place, base, ownBase))

const readOperation = (
  context: Context,
  template: string,
  method: string,
  value: unknown,
  place: Place,
): Placed => {
  checkOperation(value, context.format, place)
  const id = textOf(value, 'operationId') ?? ''
  return {
    operation: {
      id: id === '' ? `${method} ${template}` : id,
      method,
      template,
      tags: elementsOf(member(value, 'tags')).filter((tag) => typeof tag === 'string'),
      deprecated: member(value, 'deprecated') === true,
      scopes: scopesOf(context.document, context.format, value, place),
      openEnded: template.endsWith('/{path}') && textOf(value, 'x-kubernetes-action') === 'connect',
    },
    place,
  }
}

/** The specification wants them unique; rules name operations by them. */
const refuseRepeatedIds = (operations: readonly Placed[]): void => {
  const seen = new Map<string, Place>()
  for (const { operation, place } of operations) {
    const first = seen.get(operation.id)
    if (first !== undefined) {
      throw faultAt(
        place,
        `the same operationId as ${pointerOf(first)} (${JSON.stringify(operation.id)}); rename one`,
      )
    }
    seen.set(operation.id, place)
  }
}
