// `npm run generate`: writes what is derived from the source and committed. test/generated.test.ts
// fails when any of it is out of date.

import { readFile, writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { z } from 'zod'
import { usersSchema } from '../src/authenticate/password/users-file.ts'
import { ConfigurationFiles } from '../src/config/files.ts'
import { readConfig } from '../src/config/parse.ts'
import { configSchema } from '../src/config/schema.ts'
import { signerSchema } from '../src/config/signer-schema.ts'
import { renderBootstrap } from '../src/envoy/bootstrap.ts'
import { configurationReference } from './reference.ts'

/** A committed file and what it must hold. */
export interface Generated {
  readonly file: string
  readonly contents: string
}

const root = resolve(import.meta.dirname, '..')
const BEGIN =
  '<!-- configuration reference: written by `npm run generate` from src/config/schema.ts -->'
const END = '<!-- end of the configuration reference -->'

/** Everything that is generated. */
export const generate = async (): Promise<readonly Generated[]> => [
  { file: path('schema/countersign.schema.json'), contents: jsonSchema(configSchema) },
  { file: path('schema/signer.schema.json'), contents: jsonSchema(signerSchema) },
  { file: path('schema/users.schema.json'), contents: jsonSchema(usersSchema) },
  { file: path('envoy/front-proxy.envoy.yaml'), contents: await exampleBootstrap() },
  { file: path('README.md'), contents: await readme() },
]

const path = (name: string): string => resolve(root, name)

const jsonSchema = (schema: z.ZodType): string =>
  `${JSON.stringify(z.toJSONSchema(schema, { io: 'input' }), undefined, 2)}\n`

const exampleBootstrap = async (): Promise<string> => {
  // The example speaks of files under /etc/countersign, so nothing of this machine gets into it.
  const file = path('envoy/front-proxy.countersign.yaml')
  const { config } = await readConfig(file, new ConfigurationFiles())
  return renderBootstrap(config)
}

const readme = async (): Promise<string> => {
  const text = await readFile(path('README.md'), 'utf8')
  const [before, rest] = text.split(BEGIN)
  const after = rest?.split(END)[1]
  if (before === undefined || after === undefined) {
    throw new Error('README.md has lost the marks around the configuration reference')
  }
  return `${before}${BEGIN}\n\n${configurationReference(configSchema)}\n${END}${after}`
}

if (import.meta.main) {
  for (const { file, contents } of await generate()) {
    // oxlint-disable-next-line no-await-in-loop -- a handful of files
    await writeFile(file, contents)
  }
}
