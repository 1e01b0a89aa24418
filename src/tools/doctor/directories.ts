// The servers that passwords are verified by: LDAP and RADIUS.

import { AnswerBudget } from '../../clients/ldap/answer-budget.ts'
import { DirectoryError } from '../../clients/ldap/failure.ts'
import { DirectoryServer } from '../../clients/ldap/server.ts'
import { connectServer } from '../../clients/radius/connect.ts'
import { isUnsigned, RadiusFailure } from '../../clients/radius/failure.ts'
import { RequestTemplate } from '../../clients/radius/request.ts'
import type { Server } from '../../clients/radius/server.ts'
import { RADIUS_TUNING } from '../../clients/radius/tuning.ts'
import { ProblemList } from '../../config/problem-list.ts'
import { resolveReferences, type Resolved } from '../../config/references.ts'
import type { VerifierConfig } from '../../authenticate/password/schema.ts'
import { formatAddress } from '../../config/values.ts'
import { ok, SILENT, type Bench, type Examination, type Judgement } from './examination.ts'

type LdapConfig = NonNullable<VerifierConfig['ldap']>
type RadiusConfig = NonNullable<VerifierConfig['radius']>

/** The examinations of every verifier of passwords. */
export const directoryExaminations = async (bench: Bench): Promise<readonly Examination[]> => {
  const examinations: Examination[] = []
  for (const [name, { basic }] of Object.entries(bench.config.authenticators)) {
    for (const [index, { ldap, radius }] of (basic?.verify ?? []).entries()) {
      const path = ['authenticators', name, 'basic', 'verify', index]
      if (ldap !== undefined) {
        examinations.push(...(await ldapExaminations(ldap, [...path, 'ldap'], bench)))
      }
      if (radius !== undefined) {
        examinations.push(...(await radiusExaminations(radius, [...path, 'radius'], bench)))
      }
    }
  }
  return examinations
}

const ldapExaminations = async (
  config: LdapConfig,
  path: readonly PropertyKey[],
  { files, locate, clock }: Bench,
): Promise<readonly Examination[]> => {
  const problems = new ProblemList(locate)
  const resolution = await resolveReferences(config, path, { files, problems })
  if (resolution === undefined) return [] // `validate` reports it
  const { settings } = resolution
  return settings.servers.map((address, index) => ({
    area: 'ldap',
    target: address.url,
    path: [...path, 'servers', index],
    ask: async (signal) => {
      using server = new DirectoryServer(address, settings, clock, { listener: () => undefined })
      return await askDirectory(server, settings, signal)
    },
  }))
}

const askDirectory = async (
  server: DirectoryServer,
  settings: Resolved<LdapConfig>,
  signal: AbortSignal,
): Promise<Judgement> => {
  try {
    return await bindAndSearch(server, settings, signal)
  } catch (cause) {
    if (!(cause instanceof DirectoryError) || cause.failure !== 'service-refused') throw cause
    const remedy = 'Correct "bind": the DN of the service account, and its password'
    return { outcome: 'error', message: cause.message, remedy }
  }
}

const bindAndSearch = async (
  server: DirectoryServer,
  { bind, search, operationTimeout }: Resolved<LdapConfig>,
  signal: AbortSignal,
): Promise<Judgement> => {
  if (server.service === undefined || bind === undefined) {
    await server.users.probe(signal)
    return ok('connected; users bind by themselves, which was not tried')
  }
  if (search === undefined) {
    await server.service.probe(signal)
    return ok(`bound as ${bind.dn}`)
  }
  const { base } = search
  const limits = { signal, limit: operationTimeout, budget: new AnswerBudget() }
  const query = {
    base,
    scope: 'base',
    filter: '(objectClass=*)',
    attributes: ['1.1'],
    atMost: 1,
  } as const
  const { entries, result } = await server.service.use(signal, (connection) =>
    connection.search(query, limits),
  )
  if (result.code === 0 && entries.length === 1) return ok(`bound as ${bind.dn}; ${base} is there`)
  return {
    outcome: 'error',
    message: `${bind.dn} cannot read ${base}: result code ${result.code}`,
    remedy: 'Correct "search.base", or let the service account read it',
  }
}

const radiusExaminations = async (
  config: RadiusConfig,
  path: readonly PropertyKey[],
  { files, locate, clock, timeout }: Bench,
): Promise<readonly Examination[]> => {
  const problems = new ProblemList(locate)
  const resolution = await resolveReferences(config, path, { files, problems })
  if (resolution === undefined) return []
  const { settings } = resolution
  const template = new RequestTemplate(settings)
  const resources = { status: template.status, tuning: RADIUS_TUNING, clock, logger: SILENT }
  return settings.servers.map((server, index) => ({
    area: 'radius',
    target: formatAddress({
      kind: 'tcp',
      host: server.host,
      port: server.port ?? defaultPort(server),
    }),
    path: [...path, 'servers', index],
    ask: async (signal) => {
      const connected = connectServer(
        server,
        { ...settings, retries: 1, statusServer: true },
        resources,
      )
      try {
        return await askRadius(connected, template, { limit: SHARE * timeout, last: true, signal })
      } finally {
        connected.close()
      }
    },
  }))
}

/** Of the time, for each of two requests. */
const SHARE = 0.4

const defaultPort = ({ tls }: Resolved<RadiusConfig>['servers'][number]): number =>
  tls === undefined ? 1_812 : 2_083 // RFC 2865 §2.4, RFC 6614 §2.1

/** A user that no server knows. Any valid answer shows that the secret is right. */
const UNKNOWN = { user: 'countersign-doctor', password: 'countersign-doctor', source: '' }

/**
 * A request of an unknown user first: only its answer shows whether the server signs such answers. Status-Server then
 * distinguishes a server that leaves requests unanswered.
 */
const askRadius = async (
  server: Server,
  template: RequestTemplate,
  budget: Parameters<Server['ask']>[1],
): Promise<Judgement> => {
  const content = template.access(UNKNOWN)
  if (content === undefined) throw new TypeError('a request that cannot be sent')
  try {
    await server.ask(content, budget)
    return ok(`answers a request of the unknown user "${UNKNOWN.user}"`)
  } catch (cause) {
    if (isUnsigned(cause)) return unanswered(cause)
    if (!(cause instanceof RadiusFailure) || cause.reason !== 'unanswered') throw cause
    if (cause.message.includes('discarded')) return unanswered(cause)
    return (await isAnswered(server, template, budget)) ? SILENT_ABOUT_USERS : unanswered(cause)
  }
}

const isAnswered = async (
  server: Server,
  { status }: RequestTemplate,
  budget: Parameters<Server['ask']>[1],
): Promise<boolean> => {
  try {
    await server.ask(status, budget)
    return true
  } catch {
    return false // the first failure is reported
  }
}

const SILENT_ABOUT_USERS: Judgement = {
  outcome: 'error',
  message: 'answers Status-Server, and not a request of an unknown user',
  remedy: 'Let the server reject users that it does not know: its silence counts as an outage',
}

const unanswered = (failure: RadiusFailure): Judgement => ({
  outcome: 'error',
  message: failure.message,
  remedy: radiusRemedy(failure),
})

const radiusRemedy = (failure: RadiusFailure): string => {
  if (isUnsigned(failure)) {
    return 'Let the server put Message-Authenticator into every reply, Access-Reject too: without it replies can be forged (CVE-2024-3596)'
  }
  return failure.message.includes('discarded')
    ? 'Give both sides the same shared secret'
    : 'A RADIUS server does not answer clients that it does not know: add the address of this machine to its clients, and check the port and the firewalls (UDP)'
}
