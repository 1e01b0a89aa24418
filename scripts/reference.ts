// The configuration reference: the JSON Schema's docstrings as a Markdown table.

import { z } from 'zod'

interface Node {
  readonly type?: string
  readonly description?: string
  readonly default?: unknown
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly properties?: Readonly<Record<string, Node>>
  readonly required?: readonly string[]
  readonly additionalProperties?: Node | boolean
  readonly items?: Node
  readonly anyOf?: readonly Node[]
}

/** A table with a row for every key of a configuration file, in the order of its schema. */
export const configurationReference = (of: z.ZodType): string => {
  // JSON Schema is a JSON value; only the keywords that zod writes for our schema are looked at.
  const schema: Node = JSON.parse(JSON.stringify(z.toJSONSchema(of, { io: 'input' })))
  const rows = [...rowsOf(schema, '')]
  return ['| key | type | default | meaning |', '| --- | --- | --- | --- |', ...rows, ''].join('\n')
}

function* rowsOf(node: Node, prefix: string): Generator<string> {
  for (const [key, child] of Object.entries(node.properties ?? {})) {
    const path = prefix === '' ? key : `${prefix}.${key}`
    const required = node.required?.includes(key) === true
    yield row(path, child, required)
    yield* below(child, path)
  }
}

function* below(node: Node, path: string): Generator<string> {
  yield* rowsOf(node, path)
  if (typeof node.additionalProperties === 'object') {
    yield row(`${path}.NAME`, node.additionalProperties, false)
    yield* below(node.additionalProperties, `${path}.NAME`)
  }
  if (node.items !== undefined) yield* below(node.items, `${path}[]`)
  for (const branch of node.anyOf ?? []) yield* rowsOf(branch, path)
}

const row = (path: string, node: Node, required: boolean): string => {
  const cells = [`\`${path}\``, typeOf(node), defaultOf(node, required), node.description ?? '']
  return `| ${cells.map((cell) => cell.replaceAll('|', String.raw`\|`)).join(' | ')} |`
}

const typeOf = (node: Node): string => {
  if (node.const !== undefined) return `\`${JSON.stringify(node.const)}\``
  if (node.enum !== undefined) return node.enum.map((value) => `\`${String(value)}\``).join(', ')
  if (node.anyOf !== undefined) return [...new Set(node.anyOf.map(typeOf))].join(' or ')
  if (node.type === 'array') return `list of ${typeOf(node.items ?? {})}`
  return node.type ?? ''
}

const defaultOf = (node: Node, required: boolean): string => {
  if (required) return 'required'
  if (node.default === undefined || JSON.stringify(node.default) === '{}') return ''
  return `\`${typeof node.default === 'string' ? node.default : JSON.stringify(node.default)}\``
}
