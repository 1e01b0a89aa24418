// The README of the chart: how it is installed, and a table of its values out of their schema.

import { z } from 'zod'
import { chartValuesSchema } from '../deploy/kubernetes/values/schema.ts'

const INTRODUCTION = `# countersign

<!-- written by \`npm run generate\` from the schema of the values -->

Countersign is an external authorization service for Envoy: it verifies the credential of a request, decides by rules, and gives the
upstream the credential that it requires. The chart installs authz, a stock Envoy in front of your upstreams, and, where a route
forwards a client certificate for every identity, the signer as a sidecar of Envoy.

- Kubernetes ≥ 1.30, Helm ≥ 3.14.
- An image of Countersign in a registry: \`image.repository\`.
- Secrets with certificates, or [cert-manager](https://cert-manager.io) with \`certManager.enabled\`. The chart makes no key itself;
  \`helm install\` prints which Secrets the pods wait for.

\`\`\`sh tested-by=test/e2e/documents/cluster.test.ts
helm install countersign ./countersign-VERSION.tgz --namespace countersign --values values.yaml
\`\`\`

\`\`\`sh tested-by=test/deploy/kubernetes/helm-test.test.ts
helm test countersign --namespace countersign --logs
\`\`\`

\`config\` is countersign.yaml without what the chart derives. Helm refuses unknown keys in it, and settings that cannot work. An example:

\`\`\`yaml for=values
image: { repository: registry.example.org/countersign }
config:
  authenticators:
    staff:
      basic: { realm: Example, verify: [{ users: { file: /etc/countersign/secrets/countersign-users/users.yaml } }] }
  routes:
    - name: app
      match: { hosts: [app.example.org] }
      authenticate: [staff]
      authorize: [{ allow: everyone }]
      forward: { headers: kubernetes }
  envoy:
    upstreams:
      app: { address: 'app.shop.svc:8443', ca: /etc/countersign/configmaps/shop-ca/ca.crt }
authz: { secrets: [countersign-users] }
envoy: { configMaps: [shop-ca] }
networkPolicy:
  envoy:
    egress: [{ to: [{ namespaceSelector: { matchLabels: { kubernetes.io/metadata.name: shop } } }] }]
\`\`\`

The manual is \`docs/operate/kubernetes.md\` of the repository, and \`deploy/kubernetes/examples\` has values for four set-ups.

## Values

Objects and lists of Kubernetes' own types (volumes, containers, affinity …) are validated by the API server.
`

interface Node {
  readonly description?: string
  readonly properties?: Readonly<Record<string, Node>>
}

/** Its text. */
export const chartReadme = (): string => {
  // JSON Schema is a JSON value; only the keywords that zod writes for our schema are looked at.
  const { properties = {} }: Node = JSON.parse(
    JSON.stringify(z.toJSONSchema(chartValuesSchema, { io: 'input' })),
  )
  const defaults = new Map<string, unknown>(Object.entries(chartValuesSchema.parse({})))
  const values = Object.entries(properties).filter(([key]) => defaults.has(key))
  const [groups, single] = [true, false].map((wanted) =>
    values.filter(([, { properties: inner }]) => Object.keys(inner ?? {}).length > 0 === wanted),
  )
  const rows = (single ?? []).map(([key, node]) => row(key, defaults.get(key), node))
  const sections = (groups ?? []).map(([key, node]) =>
    [
      `### \`${key}\``,
      node.description ?? '',
      [...HEAD, ...rowsOf(node, defaults.get(key), '')].join('\n'),
    ].join('\n\n'),
  )
  return `${[INTRODUCTION.trimEnd(), [...HEAD, ...rows].join('\n'), ...sections].join('\n\n')}\n`
}

const HEAD = ['| value | default | meaning |', '| --- | --- | --- |']

/** The rows of an object: those of its keys, and of the keys below these. */
function* rowsOf(node: Node, defaults: unknown, prefix: string): Generator<string> {
  const values = new Map<string, unknown>(Object.entries(Object(defaults)))
  for (const [key, child] of Object.entries(node.properties ?? {})) {
    const path = `${prefix}${key}`
    if (Object.keys(child.properties ?? {}).length === 0) yield row(path, values.get(key), child)
    else {
      yield row(path, undefined, child)
      yield* rowsOf(child, values.get(key), `${path}.`)
    }
  }
}

const row = (path: string, value: unknown, { description = '' }: Node): string => {
  const fallback = value === undefined ? '' : `\`${JSON.stringify(value)}\``
  const cells = [`\`${path}\``, fallback, description]
  return `| ${cells.map((cell) => cell.replaceAll('|', String.raw`\|`)).join(' | ')} |`
}
