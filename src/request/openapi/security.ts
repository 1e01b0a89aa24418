// `security` of a document or operation → the scopes that a token must have. Only schemes of OAuth
// and OpenID Connect have scopes; for the rest, OpenAPI 3.1 lets a document name roles, which no
// token need carry.

import type { JsonObject } from '../../runtime/json-object.ts'
import type { Scopes } from './operation.ts'
import { resolve } from './references.ts'
import { schemeTypeOf, type OpenApiFormat } from './shape.ts'
import { elementsOf, faultAt, member, membersOf, type Place } from './value.ts'

const NO_SCOPE: Scopes = [[]]

/**
 * The scopes of an operation: its own `security`, else the document's; none is needed where neither
 * has one, or where it is an empty list.
 *
 * @throws CountersignError `malformed-openapi`: a scheme that the document does not define, or whose type is not known
 */
export const scopesOf = (
  document: JsonObject,
  format: OpenApiFormat,
  operation: unknown,
  place: Place,
): Scopes => {
  const own = member(operation, 'security')
  const requirements = own ?? member(document, 'security')
  const from = own === undefined ? ['security'] : [...place, 'security']
  const alternatives = elementsOf(requirements).map((requirement, index) =>
    requiredScopes(document, format, requirement, [...from, index]),
  )
  return alternatives.length === 0 ? NO_SCOPE : withoutRepeats(alternatives)
}

const requiredScopes = (
  document: JsonObject,
  format: OpenApiFormat,
  requirement: unknown,
  place: Place,
): readonly string[] => {
  const scopes = Object.entries(membersOf(requirement)).flatMap(([name, wanted]) => {
    const type = schemeType(document, format, name, [...place, name])
    if (type !== 'oauth2' && type !== 'openIdConnect') return []
    return elementsOf(wanted).filter((scope) => typeof scope === 'string')
  })
  return [...new Set(scopes)].toSorted()
}

const schemeType = (
  document: JsonObject,
  format: OpenApiFormat,
  name: string,
  place: Place,
): string => {
  const where = format === '2.0' ? ['securityDefinitions'] : ['components', 'securitySchemes']
  const schemes = where.reduce<unknown>((value, step) => member(value, step), document)
  const scheme = member(schemes, name)
  if (scheme === undefined) {
    throw faultAt(place, `no scheme of that name in ${where.join('.')}`)
  }
  const resolved = resolve(document, scheme, [...where, name])
  return schemeTypeOf(resolved.value, format, resolved.place)
}

const withoutRepeats = (alternatives: Scopes): Scopes => {
  const seen = new Map(alternatives.map((scopes) => [JSON.stringify(scopes), scopes]))
  return [...seen.values()]
}
