// Text → `Config`, or every problem with it: what the schema refuses, and names that refer to
// nothing. Parsing reads no file and has no side effect.

import {
  parseYaml,
  parseYamlInSlices,
  type DocumentKind,
  type DocumentResult,
  type Locate,
} from '../config/document.ts'
import type { ConfigurationFiles } from '../config/files.ts'
import { forwardProblems } from './problems/forward.ts'
import { issuerProblems } from './problems/issuer.ts'
import { ConfigurationError, type Problem } from '../config/problem.ts'
import { atOnce, Slices } from '../runtime/slices.ts'
import { findingRuleProblems } from './problems/rules.ts'
import { upstreamProblems } from './problems/upstreams.ts'
import { longParts } from './long-parts.ts'
import { configSchema, type Config, type RouteConfig } from './schema.ts'
import { RENAMED_KEYS } from './renamed-keys.ts'
import { isLoopback } from '../config/values.ts'
import { workersProblems } from './workers.ts'

/** A configuration that can be used as far as its own text goes, or everything that is wrong. */
export type ParseResult =
  | { readonly ok: true; readonly config: Config; readonly locate: Locate }
  | { readonly ok: false; readonly problems: readonly Problem[] }

/**
 * Parses a configuration.
 *
 * @param file its absolute path: named in problems, and where relative paths start
 */
export const parseConfig = (file: string, text: string): ParseResult => {
  return atOnce(checking(parseYaml(file, text, configSchema, RENAMED_KEYS)))
}

/** Looks for problems that the schema does not find, and yields between the steps. */
function* checking(document: DocumentResult<Config>): Generator<void, ParseResult> {
  if (!document.ok) return document
  const { value: config, locate } = document
  const problems = [
    ...listenerProblems(config, locate),
    ...workersProblems(config, locate),
    ...(yield* findingRouteProblems(config, locate)),
    ...forwardProblems(config, locate),
    ...issuerProblems(config, locate),
    ...certificateProblems(config, locate),
    ...presentedProblems(config, locate),
    ...envoyProblems(config, locate),
    ...upstreamProblems(config, locate),
  ]
  return problems.length > 0 ? { ok: false, problems } : { ok: true, config, locate }
}

/**
 * Reads and parses a configuration file, in slices: it may have ten thousands of rules.
 *
 * @throws ConfigurationError with every problem; CountersignError `file-unreadable`
 */
export const readConfig = async (
  file: string,
  files: ConfigurationFiles,
): Promise<{ readonly config: Config; readonly locate: Locate }> => {
  const slices = new Slices()
  const text = await files.readText(file)
  const parsed = await slices.run(checking(await parseYamlInSlices(file, text, DOCUMENT, slices)))
  if (!parsed.ok) throw new ConfigurationError(parsed.problems)
  return parsed
}

const DOCUMENT: DocumentKind<typeof configSchema> = {
  schema: configSchema,
  renamed: RENAMED_KEYS,
  longParts,
}

const listenerProblems = ({ listen }: Config, locate: Locate): readonly Problem[] => {
  const { authz, admin } = listen
  const problems: Problem[] = []
  if (!authz.plaintext && authz.tls === undefined && !isLoopback(authz.address)) {
    const message =
      'a TCP address that is not loopback needs "tls", or "plaintext: true" where a service mesh encrypts it'
    problems.push(locate(['listen', 'authz'], message))
  }
  if (admin !== undefined && !admin.plaintext && !isLoopback(admin.address)) {
    const message =
      'a TCP address that is not loopback needs "plaintext: true": every client that can connect can read it'
    problems.push(locate(['listen', 'admin'], message))
  }
  return problems
}

function* findingRouteProblems(
  { routes, authenticators }: Config,
  locate: Locate,
): Generator<void, readonly Problem[]> {
  const problems: Problem[] = []
  const seen = new Set<string>()
  for (const [index, route] of routes.entries()) {
    if (seen.has(route.name)) {
      problems.push(locate(['routes', index, 'name'], `"${route.name}" names an earlier route too`))
    }
    seen.add(route.name)
    problems.push(...chainProblems(route, authenticators, ['routes', index], locate))
    problems.push(...(yield* findingRuleProblems(route, index, locate)))
  }
  return problems
}

const chainProblems = (
  { authenticate }: RouteConfig,
  authenticators: Config['authenticators'],
  path: readonly PropertyKey[],
  locate: Locate,
): readonly Problem[] =>
  authenticate.flatMap((entry, position) => {
    const place = [...path, 'authenticate', position]
    const names =
      typeof entry === 'string'
        ? [{ name: entry, place }]
        : entry.all.map((name, index) => ({ name, place: [...place, 'all', index] }))
    const problems = names
      .filter(({ name }) => !Object.hasOwn(authenticators, name))
      .map((missing) => {
        const known = Object.keys(authenticators).join(', ') || 'none'
        return locate(
          missing.place,
          `there is no authenticator "${missing.name}" (there are: ${known})`,
        )
      })
    const takesAll = names.some(({ name }) => authenticators[name]?.anonymous !== undefined)
    if (takesAll && position < authenticate.length - 1) {
      problems.push(
        locate(
          place,
          'accepts every caller, so the authenticators after it are never used. Put it last',
        ),
      )
    }
    if (takesAll && typeof entry !== 'string') {
      problems.push(locate(place, 'must not contain "anonymous", which verifies nothing'))
    }
    return problems
  })

const certificateProblems = (
  { routes, certificateGrants, envoy }: Config,
  locate: Locate,
): readonly Problem[] =>
  routes.flatMap(({ forward: { certificate } }, index) => {
    if (certificate === undefined) return []
    const path = ['routes', index, 'forward', 'certificate']
    const { subject, delegate } = certificate
    const problems: Problem[] = []
    if (certificateGrants === undefined) {
      problems.push(
        locate(path, 'needs the keys that are shared with the signer: "certificateGrants"'),
      )
    }
    if (envoy !== undefined && envoy.signerAddress === undefined) {
      problems.push(
        locate(path, 'needs to know where Envoy reaches the signer: "envoy.signerAddress"'),
      )
    }
    if (delegate === undefined || delegate.subject === 'override') {
      if (isEmpty(subject)) problems.push(locate(path, 'needs a "subject"'))
    } else if (!isEmpty(subject)) {
      const message = 'is not used: "delegate.subject" copies the caller’s; "override" it there'
      problems.push(locate([...path, 'subject'], message))
    }
    if (delegate?.fallback !== undefined && isEmpty(delegate.fallback.subject)) {
      problems.push(locate([...path, 'delegate', 'fallback'], 'needs a "subject"'))
    }
    return problems
  })

/** Authenticators of client certificates that the configured Envoy would never request. */
const presentedProblems = (
  { authenticators, envoy }: Config,
  locate: Locate,
): readonly Problem[] => {
  if (envoy === undefined) return []
  return Object.entries(authenticators).flatMap(([name, { certificate }]) => {
    if (certificate === undefined) return []
    const path = ['authenticators', name, 'certificate']
    if (certificate.from !== 'connection') {
      const message =
        'is a header that Envoy as generated removes, since callers could forge it: "connection" is what it tells'
      return [locate([...path, 'from'], message)]
    }
    const message = 'callers show no certificate: set "envoy.listener.clientCa" to request it'
    return envoy.listener.clientCa === undefined ? [locate(path, message)] : []
  })
}

const isEmpty = (record: object | undefined): boolean => Object.keys(record ?? {}).length === 0

const envoyProblems = ({ listen, routes, envoy }: Config, locate: Locate): readonly Problem[] => {
  if (envoy === undefined) return []
  const problems: Problem[] = []
  const sides = [
    { name: 'authz', server: listen.authz.tls, client: envoy.authzTls },
    { name: 'issuer', server: listen.issuer?.tls, client: envoy.issuerTls },
  ] as const
  for (const { name, server, client } of sides) {
    if ((server === undefined) === (client === undefined)) continue
    const message = `goes with "listen.${name}.tls": both sides speak TLS or neither`
    problems.push(locate(['envoy', `${name}Tls`], message))
  }
  for (const [index, { name, upstream }] of routes.entries()) {
    if (Object.hasOwn(envoy.upstreams, upstream ?? name)) continue
    problems.push(
      locate(
        ['routes', index, upstream === undefined ? 'name' : 'upstream'],
        `there is no "${upstream ?? name}" in envoy.upstreams`,
      ),
    )
  }
  return problems
}
