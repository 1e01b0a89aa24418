// Checks YAML examples by the engine that reads configurations.
//
// - With `version` at the top a block is a complete countersign.yaml or signer.yaml.
// - With other keys of one of these, or with `in=PATH`, it is a part: it is put into base.countersign.yaml or
//   base.signer.yaml at that path. `extends=NAME` puts it into the block of the page with `name=NAME` instead.
// - `of=NAME`: a part of the complete example of docs/reference/NAME.md, with which it must agree.
// - `users` at the top: a users file. `apiVersion` and `kind`: Kubernetes objects.
// - `for=NAME`: another file, of `OTHERS`.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { isMap, isSeq, parseAllDocuments, parseDocument, stringify } from 'yaml'
import { buildSigner, SignerResources } from '../../../src/ca/snapshot.ts'
import { signerSchema } from '../../../src/ca/schema.ts'
import { apiKeyFileSchema } from '../../../src/authenticate/api-key/schema.ts'
import { usersSchema } from '../../../src/authenticate/password/users-file.ts'
import { hasFailed } from '../../../src/cli/test/report.ts'
import { tryExamples } from '../../../src/configuration/problems/identity-examples.ts'
import { configSchema } from '../../../src/configuration/schema.ts'
import { ConfigurationError } from '../../../src/config/problem.ts'
import { readConfig } from '../../../src/configuration/parse.ts'
import { systemClock } from '../../../src/runtime/clock.ts'
import { buildOffline } from '../../../src/tools/offline.ts'
import { runPolicyTests } from '../../../src/tools/policy-tests/run.ts'
import { chartValuesSchema } from '../../../deploy/kubernetes/values/schema.ts'
import { blocksOf, type Block } from './blocks.ts'
import { EXAMPLE, ExampleFiles } from './example-files.ts'

/** YAML that other programs read, of which only the syntax is checked, and why. */
const OTHERS: Readonly<Record<string, string>> = {
  envoy: 'a part of an Envoy configuration, which Envoy would refuse alone',
  istio: 'a part of a configuration of Istio',
  grafana: 'read by Grafana',
  prometheus: 'rules of Prometheus, whose metrics test/docs/monitoring-page.test.ts knows',
  kubernetes: 'a part of an object of Kubernetes',
  compose: 'read by Docker Compose',
  other: 'of a program that the page names',
}

type Value = unknown
type Mapping = Readonly<Record<string, Value>>

const isMapping = (value: Value): value is Mapping =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const mappingOf = (value: Value): Mapping => {
  if (!isMapping(value)) throw new Error('not a mapping')
  return value
}

const mappingIn = (text: string): Mapping => mappingOf(parseDocument(text).toJS())

/** What is wrong with a block; empty where nothing is. */
export const yamlProblems = async (
  block: Block,
  siblings: readonly Block[],
  folder: string,
): Promise<readonly string[]> => {
  const text = block.text.replaceAll(/^ *…$\n?/gm, '') // what is left out comes from the base
  const documents = parseAllDocuments(text)
  const faults = [...documents].flatMap(({ errors }) => errors.map(({ message }) => message))
  if (faults.length > 0) return faults
  const reference = block.attributes.get('of')
  if (reference !== undefined) return partProblems(reference, parseDocument(text).toJS())
  const other = block.attributes.get('for')
  if (other === 'values') return schemaProblems(chartValuesSchema, documents[0]?.toJS())
  if (other !== undefined) return other in OTHERS ? [] : [`there is no for=${other}`]
  const value: Value = parseDocument(text).toJS()
  if (isMapping(value) && 'apiVersion' in value && 'kind' in value) return []
  if (isMapping(value) && 'users' in value) return schemaProblems(usersSchema, value)
  if (isMapping(value) && 'keys' in value && isApiKeys(value['keys'])) {
    return schemaProblems(apiKeyFileSchema, value)
  }
  const whole = wholeOf(block, value, siblings)
  if (typeof whole === 'string') return [whole]
  return await (whole.of === 'signer' ? signerProblems : configProblems)(whole.value, folder)
}

/** The complete example of the page is checked itself. */
const partProblems = (page: string, part: Value): readonly string[] => {
  const complete = blocksOf(`docs/reference/${page}.md`).find(({ text }) =>
    text.startsWith('version:'),
  )
  const value = complete === undefined ? {} : mappingIn(complete.text)
  return Object.entries(mappingOf(part))
    .filter(([key, section]) => !isDeepStrictEqual(section, value[key]))
    .map(([key]) => `${key} differs from the complete example of docs/reference/${page}.md`)
}

const isApiKeys = (value: Value): boolean =>
  isMapping(value) && Object.values(value).every((key) => isMapping(key) && 'hash' in key)

interface Schema {
  safeParse(value: unknown): {
    readonly error?: { readonly issues: readonly { path: PropertyKey[]; message: string }[] }
  }
}

const schemaProblems = (schema: Schema, value: Value): readonly string[] =>
  (schema.safeParse(value).error?.issues ?? []).map(
    ({ path, message }) => `${path.join('.')}: ${message}`,
  )

interface Whole {
  readonly of: 'authz' | 'signer'
  readonly value: Mapping
}

const baseOf = (of: Whole['of']): Mapping => {
  const name = of === 'authz' ? 'base.countersign.yaml' : 'base.signer.yaml'
  return mappingIn(readFileSync(join(import.meta.dirname, name), 'utf8'))
}

const SIGNER_KEYS = Object.keys(signerSchema.shape)
const CONFIG_KEYS = Object.keys(configSchema.shape)

/** The configuration that a block is, or is a part of; a text where that is undetermined. */
const wholeOf = (block: Block, value: Value, siblings: readonly Block[]): Whole | string => {
  const at = block.attributes.get('in')
  if (at === undefined && isMapping(value) && 'version' in value) {
    return { of: 'authorities' in value ? 'signer' : 'authz', value }
  }
  const keys = at === undefined ? keysOf(value) : [at.split(/[.[]/)[0] ?? '']
  const of = keys.every((key) => CONFIG_KEYS.includes(key)) ? 'authz' : 'signer'
  if (keys.length === 0 || !keys.every((key) => [...CONFIG_KEYS, ...SIGNER_KEYS].includes(key))) {
    return `not a part of countersign.yaml or signer.yaml: give the fence in=PATH or for=PROGRAM`
  }
  const name = block.attributes.get('extends')
  const extended =
    name === undefined
      ? undefined
      : siblings.find(({ attributes }) => attributes.get('name') === name)
  if (name !== undefined && extended === undefined) return `no block of this page has name=${name}`
  const base =
    extended === undefined ? baseOf(of) : withSections(baseOf(of), mappingIn(extended.text))
  return {
    of,
    value: at === undefined ? withSections(base, mappingOf(value)) : put(base, at, value),
  }
}

/** A block as a file: a part of a configuration within the whole of it. */
export const wholeText = (block: Block, siblings: readonly Block[]): string => {
  const value: Value = parseDocument(block.text).toJS()
  if (block.language !== 'yaml' || block.attributes.has('for')) return block.text
  if (isMapping(value) && ('version' in value || 'users' in value)) return block.text
  const whole = wholeOf(block, value, siblings)
  return typeof whole === 'string' ? block.text : stringify(whole.value)
}

const keysOf = (value: Value): readonly string[] => (isMapping(value) ? Object.keys(value) : [])

/** Sections of a part take the place of those of the base, entry by entry; routes keep what they do not say. */
const withSections = (base: Mapping, part: Mapping): Mapping => {
  const model = Array.isArray(base['routes']) ? mappingOf(base['routes'][0]) : {}
  const sections = Object.entries(part).map(([key, value]) => {
    if (key === 'routes' && Array.isArray(value)) {
      return [key, value.map((route: Mapping) => ({ ...model, ...route }))] as const
    }
    if (key === 'envoy') return [key, merged(ENVOY, value)] as const
    const before = base[key]
    return [key, isMapping(before) && isMapping(value) ? { ...before, ...value } : value] as const
  })
  return { ...base, ...Object.fromEntries(sections) }
}

/** What a part of `envoy` is put into; other examples have no such section, which names an upstream for each route. */
const ENVOY: Mapping = {
  listener: {
    address: '127.0.0.1:8443',
    certificate: 'edge.pem',
    key: 'edge.key',
    clientCa: 'staff-ca.pem',
  },
  upstreams: { app: { address: '127.0.0.1:3000' } },
}

const merged = (before: Value, after: Value): Value =>
  isMapping(before) && isMapping(after)
    ? {
        ...before,
        ...Object.fromEntries(
          Object.entries(after).map(([key, value]) => [key, merged(before[key], value)]),
        ),
      }
    : after

/** Puts a value at `authenticators.staff` or `routes.app.forward`, whose list is searched by name. */
const put = (base: Mapping, at: string, value: Value): Mapping => {
  const document = parseDocument(stringify(base))
  const path = at.split('.').reduce<(string | number)[]>((before, key) => {
    const parent = document.getIn(before)
    if (!isSeq(parent)) return [...before, key]
    const index = parent.items.findIndex((item) => isMap(item) && item.get('name') === key)
    return [...before, index === -1 ? Number(key) : index]
  }, [])
  const node = document.getIn(path)
  const before: Value = isMap(node) ? node.toJSON() : undefined
  const after = isMapping(before) && isMapping(value) ? { ...before, ...value } : value
  document.setIn(path, document.createNode(after))
  return mappingOf(document.toJS())
}

const problemsOf = async (check: () => Promise<readonly string[]>): Promise<readonly string[]> => {
  try {
    return await check()
  } catch (cause) {
    if (!(cause instanceof ConfigurationError)) throw cause
    return cause.problems.map(({ path, message }) => `${path}: ${message}`)
  }
}

/** Builds a configuration as a start does, and runs its examples and tests. */
const configProblems = async (value: Mapping, folder: string): Promise<readonly string[]> =>
  await problemsOf(async () => {
    const files = new ExampleFiles(folder, stringify(onThisMachine(value, folder)))
    const file = join(folder, EXAMPLE)
    const { config } = await readConfig(file, files)
    await using snapshot = await buildOffline(file, files)
    const examples = await tryExamples(config, files)
    const tests = await runPolicyTests(snapshot)
    return [...examples, ...tests]
      .filter(hasFailed)
      .map((result) => `fails: ${JSON.stringify(result)}`)
  })

/**
 * What the engine looks up beyond {@link ExampleFiles}: the modes of the folder of signing keys, the service account of
 * its pod, and the environment.
 */
const onThisMachine = (value: Mapping, folder: string): Mapping => {
  const text = JSON.stringify(value)
    .replaceAll(
      '"inCluster":true',
      `"server":"https://kubernetes.default.svc","token":"file:pod.token"`,
    )
    .replaceAll(/"env:[A-Z_]+_URL"/g, '"redis://127.0.0.1"')
    .replaceAll(/"env:[A-Z_]+"/g, '"file:environment.secret"')
  const { issuer, ...others } = mappingOf(JSON.parse(text))
  return isMapping(issuer)
    ? { ...others, issuer: { ...issuer, keys: join(folder, 'signing-keys') } }
    : others
}

const signerProblems = async (value: Mapping, folder: string): Promise<readonly string[]> =>
  await problemsOf(async () => {
    using resources = new SignerResources(systemClock)
    const files = new ExampleFiles(folder, stringify(value))
    await buildSigner(join(folder, EXAMPLE), files, resources)
    return []
  })
