// The generated pages of docs/reference.

import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { SIGNER_RESTART_KEYS } from '../../src/ca/reload-reports.ts'
import { signerSchema } from '../../src/ca/schema.ts'
import { RELOADED_KEYS, RESTART_KEYS } from '../../src/check/reload-reports.ts'
import { configSchema } from '../../src/configuration/schema.ts'
import { answersPage } from './answers.ts'
import { auditPage } from './audit.ts'
import { cliPage } from './cli.ts'
import { configurationPages, type ConfigurationReference } from './configuration.ts'
import { filesPage } from './files.ts'
import { headersPage } from './headers.ts'
import { pageText, type ReferencePage } from './markdown.ts'
import { expressionsPage } from './expressions.ts'
import { metricsPage } from './metrics.ts'
import { reasonsPage } from './reasons.ts'

const exampleOf = (name: string): string =>
  readFileSync(resolve(import.meta.dirname, 'examples', name), 'utf8')

/** The configuration files. */
export const CONFIGURATIONS: readonly ConfigurationReference[] = [
  {
    name: 'countersign.yaml',
    schema: configSchema,
    from: 'src/configuration/schema.ts',
    example: exampleOf('countersign.yaml'),
    restart: Object.keys(RESTART_KEYS),
    reloaded: RELOADED_KEYS,
  },
  {
    name: 'signer.yaml',
    schema: signerSchema,
    from: 'src/ca/schema.ts',
    example: exampleOf('signer.yaml'),
    restart: Object.keys(SIGNER_RESTART_KEYS),
    reloaded: [],
  },
]

const pages = async (): Promise<readonly ReferencePage[]> => [
  ...CONFIGURATIONS.flatMap(configurationPages),
  await answersPage(),
  auditPage(),
  await cliPage(),
  expressionsPage(),
  filesPage(),
  await headersPage(),
  await metricsPage(),
  reasonsPage(),
]

/** Each page, by its path from the root of the repository. */
export const referencePages = async (): Promise<
  readonly { readonly file: string; readonly text: string }[]
> => (await pages()).map((page) => ({ file: page.file, text: pageText(page) }))
