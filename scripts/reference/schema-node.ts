// The JSON Schema of a configuration file as the reference reads it: its nodes, and their types in words.

import { z } from 'zod'
import { VALUE_TYPES } from '../../src/config/values.ts'
import { code } from './markdown.ts'

/** The keywords that zod writes for our schemas; `valueType` is added here. */
export interface SchemaNode {
  readonly type?: string
  readonly valueType?: string
  readonly description?: string
  readonly default?: unknown
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly minimum?: number
  readonly maximum?: number
  readonly exclusiveMinimum?: number
  readonly properties?: Readonly<Record<string, SchemaNode>>
  readonly required?: readonly string[]
  readonly additionalProperties?: SchemaNode | boolean
  readonly items?: SchemaNode
  readonly anyOf?: readonly SchemaNode[]
}

/** The node of a whole file. */
export const schemaNode = (schema: z.ZodType): SchemaNode => {
  const written = z.toJSONSchema(schema, {
    io: 'input',
    override: ({ zodSchema, jsonSchema }) => {
      const valueType = VALUE_TYPES.get(zodSchema)?.type
      if (valueType !== undefined) Object.assign(jsonSchema, { valueType })
    },
  })
  // JSON Schema is a JSON value; only the keywords above are looked at.
  return JSON.parse(JSON.stringify(written))
}

/** The type of a value, in words. */
export const typeOf = (node: SchemaNode): string => {
  if (node.const !== undefined) return code(JSON.stringify(node.const))
  if (node.enum !== undefined) return node.enum.map((value) => code(String(value))).join(', ')
  if (node.anyOf !== undefined) return [...new Set(node.anyOf.map(typeOf))].join(' or ')
  if (node.type === 'array') return `list of ${typeOf(node.items ?? {})}`
  if (typeof node.additionalProperties === 'object') {
    return `map of ${typeOf(node.additionalProperties)}`
  }
  return `${node.valueType ?? node.type ?? 'any value'}${rangeOf(node)}`
}

const rangeOf = ({ minimum, maximum, exclusiveMinimum }: SchemaNode): string => {
  const least = minimum === undefined || minimum === Number.MIN_SAFE_INTEGER ? '' : `${minimum}`
  const most = maximum === undefined || maximum === Number.MAX_SAFE_INTEGER ? '' : `${maximum}`
  if (least !== '' && most !== '') return `, ${least} to ${most}`
  if (least !== '') return `, at least ${least}`
  if (most !== '') return `, at most ${most}`
  return exclusiveMinimum === undefined ? '' : `, above ${exclusiveMinimum}`
}

/** The default of a key, as it would be written; empty where there is none. */
export const defaultOf = (node: SchemaNode, required: boolean): string => {
  if (required) return 'required'
  if (node.default === undefined || JSON.stringify(node.default) === '{}') return ''
  if (node.default === '') return code('""')
  return code(typeof node.default === 'string' ? node.default : JSON.stringify(node.default))
}

/** An object, and where it is: `routes[].match`. */
export interface SchemaObject {
  readonly path: string
  readonly node: SchemaNode
}

/** The objects below a value: of itself, of the entries of a list or map, or of its alternatives; with their paths. */
export const objectsBelow = (path: string, node: SchemaNode): readonly SchemaObject[] => {
  if (node.properties !== undefined) return [{ path, node }]
  return [
    ...(node.items === undefined ? [] : objectsBelow(`${path}[]`, node.items)),
    ...(typeof node.additionalProperties === 'object'
      ? objectsBelow(`${path}.NAME`, node.additionalProperties)
      : []),
    ...(node.anyOf ?? []).flatMap((branch) => objectsBelow(path, branch)),
  ]
}
