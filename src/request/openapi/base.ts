// Where the paths of a document begin: `basePath` of Swagger 2.0, the path of `servers` of OpenAPI 3.

import type { JsonObject } from '../../runtime/json-object.ts'
import { readPath } from '../path.ts'
import type { OpenApiFormat } from './shape.ts'
import { elementsOf, faultAt, member, membersOf, textOf, type Place } from './value.ts'

/**
 * The base path of a document, without a slash at its end: empty, or `/v1`.
 *
 * @param given `base` of the configuration, which takes precedence over the document
 * @throws CountersignError `malformed-openapi`: no path that every reader reads alike, or several
 */
export const baseOf = (
  document: JsonObject,
  format: OpenApiFormat,
  given: string | undefined,
): string => {
  if (given !== undefined) return asBase(given, [])
  if (format === '2.0') return asBase(textOf(document, 'basePath') ?? '/', ['basePath'])
  const bases = serverBases(document, [])
  const [base = '', ...others] = bases
  if (others.length === 0) return base
  throw faultAt(
    ['servers'],
    `servers with different paths (${bases.map((one) => one || '/').join(', ')}); set "base" to the one under which this route receives requests`,
  )
}

// Real documents have one.
const MOST_ELSEWHERE = 8

/**
 * The base paths at which `servers` of one path or operation put it elsewhere than the rest (OpenAPI
 * 3: they replace those of the document). Another host with the same path is irrelevant.
 *
 * @throws CountersignError `malformed-openapi`: more than 8
 */
export const basesElsewhere = (
  owner: unknown,
  place: Place,
  base: string,
  own: string,
): readonly string[] => {
  if (elementsOf(member(owner, 'servers')).length === 0) return []
  const elsewhere = serverBases(membersOf(owner), place).filter(
    (one) => one !== base && one !== own,
  )
  if (elsewhere.length <= MOST_ELSEWHERE) return elsewhere
  throw faultAt([...place, 'servers'], `more than ${MOST_ELSEWHERE} different paths`)
}

/** The different paths of `servers`; that of the default, `/`, where there are none. */
export const serverBases = (owner: JsonObject, place: Place): readonly string[] => {
  const servers = elementsOf(member(owner, 'servers'))
  if (servers.length === 0) return ['']
  return [
    ...new Set(servers.map((server, index) => serverBase(server, [...place, 'servers', index]))),
  ]
}

// RFC 3986 §3: scheme and authority; also the authority alone.
const ORIGIN = /^([a-z][a-z0-9+.-]*:)?\/\/[^/?#]*/i
const VARIABLE = /\{([^{}]*)\}/g

const serverBase = (server: unknown, place: Place): string => {
  const variables = member(server, 'variables')
  const url = (textOf(server, 'url') ?? '/').replaceAll(VARIABLE, (_whole, name: string) => {
    const value = textOf(member(variables, name), 'default')
    if (value === undefined) throw faultAt(place, `no default for the variable {${name}} of "url"`)
    return value
  })
  const path = url.replace(ORIGIN, '')
  if (path === url && !url.startsWith('/')) {
    throw faultAt(
      place,
      `"url" ${JSON.stringify(url)} is relative to the address of the document; set "base" to the path under which this route receives requests`,
    )
  }
  return asBase(path === '' ? '/' : path, place)
}

const asBase = (path: string, place: Place): string => {
  const reading = readPath(path)
  if (reading.outcome === 'refused' || path.includes('?')) {
    throw faultAt(place, `${JSON.stringify(path)} is not a path that requests can begin with`)
  }
  return reading.path.endsWith('/') ? reading.path.slice(0, -1) : reading.path
}
