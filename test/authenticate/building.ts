// An authenticator, the rules of a route, or its credentials for the upstream, built from the text of
// a configuration as the service builds it.

import { NO_LOGINS } from '../../src/logins/status.ts'
import { dirname } from 'node:path'
import type { ChainLink } from '../../src/authenticate/chain.ts'
import { CredentialCache } from '../../src/authenticate/credential-cache.ts'
import type { Authorizer } from '../../src/authorize/authorizer.ts'
import { buildLink } from '../../src/authenticate/build.ts'
import type { AuthenticatorParts } from '../../src/authenticate/parts.ts'
import { buildAuthorization } from '../../src/authorize/build.ts'
import { buildForwarding } from '../../src/transform/build.ts'
import { processResources, type SnapshotResources } from '../../src/check/resources.ts'
import { ConfigurationFiles } from '../../src/config/files.ts'
import { parseConfig } from '../../src/configuration/parse.ts'
import { formatProblem } from '../../src/config/problem.ts'
import { ProblemList } from '../../src/config/problem-list.ts'
import type { Config } from '../../src/configuration/schema.ts'
import type { Clock } from '../../src/runtime/clock.ts'
import type { Transformer } from '../../src/transform/transformer.ts'
import { FakeClock } from '../fakes/clock.ts'
import { memoryLogger } from '../fakes/logger.ts'

/** The result of building. */
interface BuiltParts extends AsyncDisposable {
  /** Of the text, or of what it names. */
  readonly problems: readonly string[]
  /** The problems of what it names, with line, column and path. */
  readonly located: readonly string[]
  /** Every file that is watched. */
  readonly files: readonly string[]
  readonly dependencies: AuthenticatorParts['dependencies']
  readonly credentialCache: CredentialCache
  readonly log: readonly string[]
}

/** An authenticator. */
export interface Built extends BuiltParts {
  /** Missing when there are problems. */
  readonly link: ChainLink | undefined
}

/** The rules of a route. */
export interface BuiltRules extends BuiltParts {
  /** Missing when there are problems. */
  readonly authorizer: Authorizer | undefined
}

/** What makes the credentials for the upstream of a route. */
export interface BuiltForward extends BuiltParts {
  /** Without those that there are problems with. */
  readonly transformers: readonly Transformer[]
}

/**
 * Builds the authenticator `staff`.
 *
 * @param file the path of the configuration, from whose folder relative paths start
 * @param sections the sections of the authenticator, as YAML or JSON in flow style
 */
export const buildFrom = async (
  file: string,
  sections: string,
  clock: Clock = new FakeClock(),
): Promise<Built> => {
  const { built, ...parts } = await build(
    file,
    `
authenticators: { staff: ${sections} }
routes: [{ name: app, authenticate: [staff], authorize: [{ allow: all }] }]
`,
    clock,
    async ({ authenticators: { staff } }, given) => {
      if (staff === undefined) throw new Error('nothing to build')
      return await buildLink('staff', staff, given)
    },
  )
  return { ...parts, link: built }
}

/**
 * Builds the rules of the route `app`.
 *
 * @param keys what the route has in addition to its name and its authenticators, as JSON in flow style
 */
export const buildRulesFrom = async (
  file: string,
  keys: Readonly<Record<string, unknown>>,
  clock: Clock = new FakeClock(),
): Promise<BuiltRules> => {
  const { built, ...parts } = await build(
    file,
    `
authenticators: { staff: { anonymous: { user: visitor } } }
routes: [${JSON.stringify({ name: 'app', authenticate: ['staff'], ...keys })}]
`,
    clock,
    async ({ routes: [route] }, given) => {
      if (route === undefined) throw new Error('nothing to build')
      return await buildAuthorization(route, ['routes', 0], given)
    },
  )
  return { ...parts, authorizer: built?.authorizer }
}

/**
 * Builds what makes the credentials for the upstream of the route `app`.
 *
 * @param forward the section, as JSON in flow style
 */
export const buildForwardFrom = async (
  file: string,
  forward: Readonly<Record<string, unknown>>,
  clock: Clock = new FakeClock(),
): Promise<BuiltForward> => {
  const route = { name: 'app', authenticate: ['tokens'], authorize: [{ allow: 'all' }], forward }
  const { built, ...parts } = await build(
    file,
    `
authenticators: { tokens: { bearer: { issuer: 'https://login.example.org', audiences: [app] } } }
routes: [${JSON.stringify(route)}]
`,
    clock,
    async ({ routes: [parsed] }, given) => {
      if (parsed === undefined) throw new Error('nothing to build')
      const more = { seal: undefined, issuer: undefined }
      return await buildForwarding(parsed, ['routes', 0, 'forward'], { ...given, ...more })
    },
  )
  return { ...parts, transformers: built ?? [] }
}

const build = async <T>(
  file: string,
  text: string,
  clock: Clock,
  make: (config: Config, parts: AuthenticatorParts & SnapshotResources) => Promise<T | undefined>,
): Promise<BuiltParts & { readonly built: T | undefined }> => {
  const { logger, lines } = memoryLogger()
  const connections = new AsyncDisposableStack()
  const files = new ConfigurationFiles()
  const dependencies: AuthenticatorParts['dependencies'] = []
  const resources = connections.use(processResources(clock, logger))
  const { credentialCache } = resources
  const described = {
    dependencies,
    credentialCache,
    log: lines,
    [Symbol.asyncDispose]: () => connections.disposeAsync(),
  }
  const head = `{ authz: 'unix:${dirname(file)}/authz.sock' }`
  const parsed = parseConfig(file, `version: 1\nlisten: ${head}\n${text}`)
  if (!parsed.ok) {
    const problems = parsed.problems.map(({ message }) => message)
    return { ...described, built: undefined, problems, located: [], files: [] }
  }
  const problems = new ProblemList(parsed.locate)
  const built = await make(parsed.config, {
    ...resources,
    files,
    problems,
    connections,
    inUse: new Set(),
    loginStatus: NO_LOGINS,
    loginIssuer: parsed.config.issuer?.login && parsed.config.issuer.url,
    dependencies,
  })
  const found = problems.error?.problems ?? []
  return {
    ...described,
    built,
    problems: found.map(({ message }) => message),
    located: found.map(formatProblem),
    files: files.paths,
  }
}
