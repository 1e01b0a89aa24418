// The JSON Schemas of the files that Countersign reads, and of the log that it writes.

import * as z from 'zod'
import { auditLineSchema } from '../audit/events/events-schema.ts'
import { usersSchema } from '../authenticate/password/users-file.ts'
import { signerSchema } from '../ca/schema.ts'
import { configSchema } from '../configuration/schema.ts'

/** Schemas by the name of the file that they describe. */
export const SCHEMAS = {
  countersign: configSchema,
  signer: signerSchema,
  users: usersSchema,
  audit: auditLineSchema,
} as const satisfies Readonly<Record<string, z.ZodType>>

/** A JSON Schema (draft 2020-12) of what a file may contain. */
export const jsonSchema = (schema: z.ZodType): string => {
  const options = schema === auditLineSchema ? OPEN : {}
  return `${JSON.stringify(z.toJSONSchema(schema, { io: 'input', ...options }), undefined, 2)}\n`
}

/** What Countersign writes may have further fields in a later release; what it reads may not. */
const OPEN = {
  override: ({ jsonSchema: node }: { readonly jsonSchema: z.core.JSONSchema.BaseSchema }) => {
    delete node.additionalProperties
  },
}

/** Every schema, with the name of its file. */
export const schemaFiles = (): readonly { readonly name: string; readonly text: string }[] =>
  Object.entries(SCHEMAS).map(([name, schema]) => ({
    name: `${name}.schema.json`,
    text: jsonSchema(schema),
  }))
