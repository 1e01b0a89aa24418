// `npm run generate`: writes what is derived from the source and committed. test/generated.test.ts
// fails when any of it is out of date.

import { readFile, writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { chartValuesJsonSchema } from '../deploy/kubernetes/values/json-schema.ts'
import { dashboardFiles } from '../deploy/monitoring/dashboards/index.ts'
import { schemaFiles } from '../src/cli/schemas.ts'
import { ConfigurationFiles } from '../src/config/files.ts'
import { readConfig } from '../src/configuration/parse.ts'
import { renderBootstrap } from '../src/envoy/bootstrap.ts'
import { withAlerts } from './alert-table.ts'
import { chartReadme } from './chart-readme.ts'
import { chartValues } from './chart-values.ts'
import { istioFiles } from './istio-files.ts'
import { protoDescriptor } from './proto-descriptor.ts'
import { referencePages } from './reference/pages.ts'

/** A committed file and what it must hold. */
export interface Generated {
  readonly file: string
  readonly contents: string
}

const root = resolve(import.meta.dirname, '..')

// They speak of files under /etc/countersign, so nothing of this machine gets into the bootstraps.
const EXAMPLES = ['front-proxy', 'certificate'] as const

/** Everything that is generated. */
export const generate = async (): Promise<readonly Generated[]> => [
  { file: path('src/proto/descriptor.json'), contents: protoDescriptor() },
  ...schemaFiles().map(({ name, text }) => ({ file: path(`schema/${name}`), contents: text })),
  {
    file: path('deploy/kubernetes/chart/values.schema.json'),
    contents: chartValuesJsonSchema(),
  },
  { file: path('deploy/kubernetes/chart/values.yaml'), contents: chartValues() },
  { file: path('deploy/kubernetes/chart/README.md'), contents: chartReadme() },
  ...dashboardFiles().map(({ name, contents }) => ({
    file: path(`deploy/kubernetes/chart/files/monitoring/${name}`),
    contents,
  })),
  ...(await Promise.all(EXAMPLES.map(exampleBootstrap))),
  ...(await istioFiles()).map(({ name, contents }) => ({
    file: path(`deploy/istio/${name}`),
    contents,
  })),
  await monitoringPage(),
  ...(await referencePages()).map(({ file, text }) => ({ file: path(file), contents: text })),
]

const path = (name: string): string => resolve(root, name)

/** Of a page that is written by hand, the table of alerts. */
const monitoringPage = async (): Promise<Generated> => {
  const file = path('docs/operate/monitoring.md')
  const rules = await readFile(
    path('deploy/kubernetes/chart/files/monitoring/countersign.rules.yaml'),
    'utf8',
  )
  return { file, contents: withAlerts(await readFile(file, 'utf8'), rules) }
}

const exampleBootstrap = async (name: string): Promise<Generated> => {
  const { config } = await readConfig(
    path(`envoy/${name}.countersign.yaml`),
    new ConfigurationFiles(),
  )
  return { file: path(`envoy/${name}.envoy.yaml`), contents: renderBootstrap(config) }
}

if (import.meta.main) {
  for (const { file, contents } of await generate()) {
    await writeFile(file, contents)
  }
}
