// What an expression may speak of: the variables and their types, by what the expression is for.

import { Environment } from '@marcbachmann/cel-js'
import { LRUCache } from 'lru-cache'
import { registerFunctions } from './functions.ts'

const base = registerFunctions(
  new Environment({
    enableOptionalTypes: true,
    limits: { maxAstNodes: 1_000, maxDepth: 32 },
  }),
)

const NAMES = 'list<string>'
const CREDENTIAL = {
  user: 'string',
  uid: 'string', // absent when the credential says none: has(identity.uid)
  groups: NAMES,
  extra: 'map<string, list<string>>',
} as const

const CERTIFICATE = {
  subject: 'map<string, list<string>>',
  subjectName: 'string',
  issuerName: 'string',
  dns: NAMES,
  uris: NAMES,
  emails: NAMES,
  ips: NAMES,
  upns: NAMES,
  serial: 'string',
  fingerprint: 'string',
  purposes: NAMES,
  policies: NAMES,
  extensions: 'map<string, string>',
} as const
const IDENTITY = { ...CREDENTIAL, method: 'string', authenticator: 'string' } as const

const withCaller = base
  .clone()
  .registerVariable({ name: 'identity', schema: IDENTITY })
  .registerVariable({ name: 'certificate', schema: CERTIFICATE })
  .registerVariable('claims', 'map<string, dyn>')

/** What an expression may speak of, by what it is for. */
const ENVIRONMENTS = {
  /** Everything that is known of a proven caller. */
  caller: withCaller,
  /** A proven identity. */
  identity: base.clone().registerVariable({ name: 'identity', schema: IDENTITY }),
  /** A user and what a verifier knows of it. */
  account: base.clone().registerVariable({ name: 'account', schema: { ...CREDENTIAL } }),
  /** The claims of a token. What type each has only the token knows. */
  claims: base.clone().registerVariable('claims', 'map<string, dyn>'),
  /** A client certificate. */
  certificate: base.clone().registerVariable({ name: 'certificate', schema: CERTIFICATE }),
} as const

/** What an expression is about. */
export type Subject = keyof typeof ENVIRONMENTS

const REQUEST = {
  method: 'string',
  host: 'string',
  path: 'string', // decoded
  query: 'map<string, list<string>>',
  headers: 'map<string, list<string>>', // by their lower-case names, one text for each line
  source: 'string', // the address; empty where it is not known
  serverName: 'string', // SNI; empty where there was none
  time: 'google.protobuf.Timestamp', // by its short name the library does not know it here
} as const

const KUBERNETES = {
  isResource: 'bool',
  verb: 'string',
  apiGroup: 'string',
  apiVersion: 'string',
  namespace: 'string',
  resource: 'string',
  subresource: 'string',
  name: 'string',
  fieldSelector: 'string',
  labelSelector: 'string',
  impersonates: 'bool',
  // Empty where no user is impersonated.
  impersonation: {
    user: 'string',
    uid: 'string',
    groups: NAMES,
    extra: 'map<string, list<string>>',
  },
} as const

const OPERATION = {
  id: 'string', // empty where the document has no such operation
  method: 'string',
  template: 'string',
  tags: NAMES,
  parameters: 'map<string, string>', // of the path
} as const

/** What the `when` of a rule may speak of, beyond `identity`, `request`, `certificate`, `claims`. */
export interface RuleTopics {
  readonly kubernetes: boolean
  readonly operation: boolean
  /** The named segments of the rule's paths. */
  readonly segments: readonly string[]
}

// Rules with the same named segments share one; few have names of their own.
const ruleEnvironments = new LRUCache<string, Environment>({ max: 100 })

const ruleEnvironment = ({ kubernetes, operation, segments }: RuleTopics): Environment => {
  const key = JSON.stringify([kubernetes, operation, segments])
  const known = ruleEnvironments.get(key)
  if (known !== undefined) return known
  const named = Object.fromEntries(segments.map((name) => [name, 'string']))
  const request = segments.length === 0 ? REQUEST : { ...REQUEST, segments: named }
  const environment = withCaller.clone().registerVariable({ name: 'request', schema: request })
  if (kubernetes) environment.registerVariable({ name: 'kubernetes', schema: KUBERNETES })
  if (operation) environment.registerVariable({ name: 'operation', schema: OPERATION })
  ruleEnvironments.set(key, environment)
  return environment
}

/** The fields of each variable, with their types. `claims` has those of the token. */
export const VARIABLES = {
  identity: IDENTITY,
  account: CREDENTIAL,
  certificate: CERTIFICATE,
  request: REQUEST,
  kubernetes: KUBERNETES,
  operation: OPERATION,
} as const

/** The environment of an expression. */
export const environmentOf = (about: Subject | RuleTopics): Environment =>
  typeof about === 'string' ? ENVIRONMENTS[about] : ruleEnvironment(about)
