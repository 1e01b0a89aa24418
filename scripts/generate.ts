// `npm run generate`: writes what is derived from the source and committed. test/generated.test.ts
// fails when any of it is out of date.

import { readFile, writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { z } from 'zod'
import { chartValuesSchema } from '../deploy/kubernetes/values/schema.ts'
import { usersSchema } from '../src/authenticate/password/users-file.ts'
import { ConfigurationFiles } from '../src/config/files.ts'
import { readConfig } from '../src/configuration/parse.ts'
import { configSchema } from '../src/configuration/schema.ts'
import { signerSchema } from '../src/ca/schema.ts'
import { renderBootstrap } from '../src/envoy/bootstrap.ts'
import { chartValues } from './chart-values.ts'
import { istioFiles } from './istio-files.ts'
import { configurationReference } from './reference.ts'

/** A committed file and what it must hold. */
export interface Generated {
  readonly file: string
  readonly contents: string
}

const root = resolve(import.meta.dirname, '..')

// They speak of files under /etc/countersign, so nothing of this machine gets into the bootstraps.
const EXAMPLES = ['front-proxy', 'certificate'] as const

const REFERENCES = { 'countersign.yaml': configSchema, 'signer.yaml': signerSchema } as const

/** Everything that is generated. */
export const generate = async (): Promise<readonly Generated[]> => [
  { file: path('schema/countersign.schema.json'), contents: jsonSchema(configSchema) },
  { file: path('schema/signer.schema.json'), contents: jsonSchema(signerSchema) },
  { file: path('schema/users.schema.json'), contents: jsonSchema(usersSchema) },
  {
    file: path('deploy/kubernetes/chart/values.schema.json'),
    contents: jsonSchema(chartValuesSchema),
  },
  { file: path('deploy/kubernetes/chart/values.yaml'), contents: chartValues() },
  ...(await Promise.all(EXAMPLES.map(exampleBootstrap))),
  ...(await istioFiles()).map(({ name, contents }) => ({
    file: path(`deploy/istio/${name}`),
    contents,
  })),
  { file: path('README.md'), contents: await readme() },
]

const path = (name: string): string => resolve(root, name)

const jsonSchema = (schema: z.ZodType): string =>
  `${JSON.stringify(z.toJSONSchema(schema, { io: 'input' }), undefined, 2)}\n`

const exampleBootstrap = async (name: string): Promise<Generated> => {
  const { config } = await readConfig(
    path(`envoy/${name}.countersign.yaml`),
    new ConfigurationFiles(),
  )
  return { file: path(`envoy/${name}.envoy.yaml`), contents: renderBootstrap(config) }
}

const readme = async (): Promise<string> =>
  Object.entries(REFERENCES).reduce(
    (text, [name, schema]) => withReference(text, name, schema),
    await readFile(path('README.md'), 'utf8'),
  )

/** Puts the reference of a configuration file between its marks. */
const withReference = (text: string, name: string, schema: z.ZodType): string => {
  const begin = `<!-- reference of ${name}: written by \`npm run generate\` -->`
  const end = `<!-- end of the reference of ${name} -->`
  const [before, rest] = text.split(begin)
  const after = rest?.split(end)[1]
  if (before === undefined || after === undefined) {
    throw new Error(`README.md has lost the marks around the reference of ${name}`)
  }
  return `${before}${begin}\n\n${configurationReference(schema)}\n${end}${after}`
}

if (import.meta.main) {
  for (const { file, contents } of await generate()) {
    await writeFile(file, contents)
  }
}
