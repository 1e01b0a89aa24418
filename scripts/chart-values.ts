// The chart's values.yaml, out of their schema: every value with its default, and above it what it is.

import { stringify } from 'yaml'
import { z } from 'zod'
import { chartValuesSchema } from '../deploy/kubernetes/values/schema.ts'

interface Node {
  readonly description?: string
  readonly properties?: Readonly<Record<string, Node>>
}

const WIDTH = 96
const INDENT = '  '

/** The defaults as commented YAML, in the order of the schema. */
export const chartValues = (): string => {
  // JSON Schema is a JSON value; only the keywords that zod writes for our schema are looked at.
  const schema: Node = JSON.parse(
    JSON.stringify(z.toJSONSchema(chartValuesSchema, { io: 'input' })),
  )
  const header = [
    '# yaml-language-server: $schema=values.schema.json',
    '# Written by `npm run generate` from deploy/kubernetes/values/schema.ts.',
  ]
  return [...header, ...linesOf(schema, chartValuesSchema.parse({}), ''), ''].join('\n')
}

function* linesOf(node: Node, defaults: object, indent: string): Generator<string> {
  const values = new Map<string, unknown>(Object.entries(defaults))
  for (const [key, child] of Object.entries(node.properties ?? {})) {
    if (!values.has(key)) continue // it has no default
    const value = values.get(key)
    if (indent === '') yield ''
    yield* commentOf(child.description ?? '', indent)
    const below = Object.keys(child.properties ?? {})
    if (below.length > 0 && typeof value === 'object' && value !== null) {
      yield `${indent}${key}:`
      yield* linesOf(child, value, `${indent}${INDENT}`)
    } else {
      yield* stringify({ [key]: value }, { singleQuote: true, lineWidth: 0 })
        .trimEnd()
        .split('\n')
        .map((line) => `${indent}${line}`)
    }
  }
}

function* commentOf(text: string, indent: string): Generator<string> {
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && indent.length + line.length + word.length > WIDTH) {
      yield `${indent}#${line}`
      line = ''
    }
    line += ` ${word}`
  }
  yield `${indent}#${line}`
}
