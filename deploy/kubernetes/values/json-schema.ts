// values.schema.json: the schema of the values, and in it those of countersign.yaml and signer.yaml, so that Helm
// finds a misspelt key of `config` before anything is installed.

import { z } from 'zod'
import { signerSchema } from '../../../src/ca/schema.ts'
import { configSchema } from '../../../src/configuration/schema.ts'
import { chartValuesSchema } from './schema.ts'

interface Node {
  description?: string
  default?: unknown
  pattern?: string
  required?: string[]
  properties?: Record<string, Node>
  [keyword: string]: unknown
}

/** What the chart writes into a configuration. */
interface Completion {
  /** Keys of which the values have none: a template refuses them with the reason. */
  readonly owned: readonly string[]
  /** Sections that the chart completes, by their keys. */
  readonly completed: readonly (readonly string[])[]
}

/** The text of values.schema.json (draft 2020-12). */
export const chartValuesJsonSchema = (): string => {
  const values = jsonSchemaOf(chartValuesSchema)
  embed(values, 'config', configSchema, {
    owned: ['listen', 'state', 'certificateGrants'],
    completed: [['envoy'], ['envoy', 'listener']],
  })
  embed(propertyOf(values, 'signer'), 'config', signerSchema, {
    owned: ['version', 'listen', 'keyring'],
    completed: [],
  })
  return `${JSON.stringify(values, withoutLookaround, 2)}\n`
}

const jsonSchemaOf = (schema: z.ZodType): Node =>
  // JSON Schema is a JSON value; only the keywords that zod writes for our schemas are changed.
  JSON.parse(JSON.stringify(z.toJSONSchema(schema, { io: 'input' })))

/** Puts the schema of a configuration at a property, which keeps its description. */
const embed = (parent: Node, key: string, schema: z.ZodType, completion: Completion): void => {
  const { description, default: fallback } = propertyOf(parent, key)
  const { $schema: _, ...configuration } = jsonSchemaOf(schema)
  for (const path of [[], ...completion.completed]) {
    delete path.reduce(propertyOf, configuration).required
  }
  for (const owned of completion.owned) {
    Object.assign(configuration.properties ?? {}, { [owned]: { description: 'By the chart.' } })
  }
  Object.assign(parent.properties ?? {}, {
    [key]: { ...configuration, description, default: fallback },
  })
}

const propertyOf = (node: Node, key: string): Node => {
  const found = node.properties?.[key]
  if (found === undefined) throw new Error(`the schema has no ${key}`)
  return found
}

/** Helm's regular expressions (RE2) have no lookaround; authz checks these texts when it starts. */
const withoutLookaround = (key: string, value: unknown): unknown =>
  key === 'pattern' && typeof value === 'string' && /\(\?<?[=!]/.test(value) ? undefined : value
