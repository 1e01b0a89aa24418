// The JSON Schemas of the files that Countersign reads.

import * as z from 'zod'
import { usersSchema } from '../authenticate/password/users-file.ts'
import { signerSchema } from '../ca/schema.ts'
import { configSchema } from '../configuration/schema.ts'

/** Schemas by the name of the file that they describe. */
export const SCHEMAS = {
  countersign: configSchema,
  signer: signerSchema,
  users: usersSchema,
} as const satisfies Readonly<Record<string, z.ZodType>>

/** A JSON Schema (draft 2020-12) of what a file may contain. */
export const jsonSchema = (schema: z.ZodType): string =>
  `${JSON.stringify(z.toJSONSchema(schema, { io: 'input' }), undefined, 2)}\n`

/** Every schema, with the name of its file. */
export const schemaFiles = (): readonly { readonly name: string; readonly text: string }[] =>
  Object.entries(SCHEMAS).map(([name, schema]) => ({
    name: `${name}.schema.json`,
    text: jsonSchema(schema),
  }))
