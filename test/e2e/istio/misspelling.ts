// The fields of an EnvoyFilter's patches, and the same EnvoyFilter with one of them misspelt.

import { z } from 'zod'
import type { KubeObject } from './files.ts'

/** The number of a patch, and the way to a field in its value. */
export type Field = readonly (string | number)[]

const specSchema = z.looseObject({
  configPatches: z.array(
    z.looseObject({
      match: z.unknown(),
      patch: z.looseObject({ operation: z.string(), value: z.looseObject({}) }),
    }),
  ),
})

// Bounds of routes to the issuer: filters that are off but there, and what is merged into such routes.
const ISSUER_FILTERS: ReadonlySet<unknown> = new Set([
  'envoy.filters.http.local_ratelimit',
  'envoy.filters.http.buffer',
])
const ISSUER_ROUTE = /"name":"issuer-/

/**
 * Every field in what is patched in, outermost first; except the bounds of routes to the issuer, which the
 * gateway of these tests does not publish (test/envoy/lint/corpus has them).
 */
export const fieldsOf = ({ spec }: KubeObject): readonly Field[] =>
  specSchema.parse(spec).configPatches.flatMap(({ match, patch }, index) => {
    const isForIssuer =
      ISSUER_FILTERS.has(patch.value['name']) || ISSUER_ROUTE.test(JSON.stringify(match))
    return isForIssuer ? [] : fieldsIn(patch.value).map((field) => [index, ...field])
  })

// Keys of maps are names, not fields.
const DATA: ReadonlySet<string> = new Set(['typed_per_filter_config', 'context_extensions'])

// What an access log or the text of a 429 consists of loses no request and no identity, and Envoy refuses most of what
// is none.
const WHOLE: ReadonlySet<string> = new Set(['access_log', 'local_reply_config'])

const fieldsIn = (value: unknown, isMap = false): readonly Field[] => {
  if (Array.isArray(value)) {
    return value.flatMap((item: unknown, index) => fieldsIn(item).map((field) => [index, ...field]))
  }
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, member]): readonly Field[] => [
    ...(isMap || name === '@type' ? [] : [[name]]),
    ...(WHOLE.has(name) ? [] : fieldsIn(member, DATA.has(name)).map((field) => [name, ...field])),
  ])
}

/** An EnvoyFilter in which fields lack their last letter. */
export const misspelt = (object: KubeObject, fields: readonly Field[]): KubeObject => ({
  ...object,
  spec: {
    ...object.spec,
    configPatches: fields.reduce<unknown>(
      (patches, [index = 0, ...field]) => renamed(patches, [index, 'patch', 'value', ...field]),
      object.spec['configPatches'],
    ),
  },
})

const renamed = (value: unknown, [step, ...rest]: Field): unknown => {
  if (Array.isArray(value)) {
    return value.map((item: unknown, index) => (index === step ? renamed(item, rest) : item))
  }
  return Object.fromEntries(
    Object.entries(Object(value)).map(([name, member]) => {
      if (name !== step) return [name, member]
      return rest.length === 0 ? [name.slice(0, -1), member] : [name, renamed(member, rest)]
    }),
  )
}

/** An EnvoyFilter by which one can tell, in the config dump, that it has arrived. */
export const marked = (object: KubeObject, mark: string): KubeObject => {
  const { configPatches, ...spec } = specSchema.parse(object.spec)
  const [first] = configPatches
  return {
    ...object,
    spec: {
      ...spec,
      configPatches: [
        ...configPatches,
        {
          ...first,
          patch: {
            operation: 'MERGE',
            value: {
              typed_config: {
                '@type':
                  'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
                server_name: mark,
              },
            },
          },
        },
      ],
    },
  }
}

const dumpSchema = z.object({
  configs: z.array(
    z.looseObject({
      dynamic_listeners: z.array(z.looseObject({ name: z.string().optional() })).default([]),
    }),
  ),
})

/** Whether each listener of a config dump has the mark, be it taken or refused. */
export const hasArrived = (dump: string, mark: string): boolean => {
  const listeners = dumpSchema
    .parse(JSON.parse(dump))
    .configs.flatMap(({ dynamic_listeners }) => dynamic_listeners)
    .filter(({ name }) => name !== undefined)
  return listeners.every((listener) => JSON.stringify(listener).includes(`"server_name":"${mark}"`))
}
