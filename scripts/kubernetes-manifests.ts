// `node scripts/kubernetes-manifests.ts`: writes deploy/kubernetes/manifests, which is the chart with the
// values of an example, for installations without Helm. test/deploy/kubernetes/manifests.test.ts fails when
// it is out of date.

import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseAllDocuments } from 'yaml'
import { z } from 'zod'
import { parseConfig } from '../src/configuration/parse.ts'
import { renderBootstrap } from '../src/envoy/bootstrap.ts'
import { CHART, helm, KUBERNETES } from './helm.ts'

const EXAMPLE = join(KUBERNETES, 'examples/certificate.values.yaml')

/** The file that is written. */
export const MANIFESTS = join(KUBERNETES, 'manifests/countersign.yaml')

const HEADER = `# Written by \`node scripts/kubernetes-manifests.ts\` from the chart, with examples/certificate.values.yaml.
# After a change of countersign.yaml: \`countersign envoy generate\` writes envoy.yaml anew.
`

/** The manifests, with Envoy's configuration as \`countersign envoy generate\` writes it. */
export const manifests = async (): Promise<string> => {
  const config = configurationIn(await render())
  const parsed = parseConfig('/etc/countersign/config/countersign.yaml', config)
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems))
  const bootstrap = renderBootstrap(parsed.config)
  // Of JSON, since --set knows commas and dots of its own.
  const rendered = await render(['--set-json', `envoy.bootstrap=${JSON.stringify(bootstrap)}`])
  return `${HEADER}${withoutHelm(rendered)}`
}

const render = async (args: readonly string[] = []): Promise<string> =>
  await helm([
    'template',
    'countersign',
    '--skip-tests',
    CHART,
    '--namespace=countersign',
    `--values=${EXAMPLE}`,
    ...args,
  ])

const configMap = z.object({
  kind: z.literal('ConfigMap'),
  data: z.object({ 'countersign.yaml': z.string() }),
})

const configurationIn = (rendered: string): string => {
  for (const document of parseAllDocuments(rendered)) {
    const { success, data } = configMap.safeParse(document.toJS())
    if (success) return data.data['countersign.yaml']
  }
  throw new Error('the chart renders no countersign.yaml')
}

/** Labels that say that Helm looks after the objects, and where in the chart they come from. */
const withoutHelm = (rendered: string): string =>
  rendered
    .replaceAll(/^ *(helm\.sh\/chart|app\.kubernetes\.io\/managed-by): .*\n/gm, '')
    .replaceAll(/^# Source: .*\n/gm, '')

if (import.meta.main) await writeFile(MANIFESTS, await manifests())
