// `workers`: how many processes of authz there are, and what of a configuration belongs to one of them. Pure: it opens
// nothing.

import { availableParallelism } from 'node:os'
import { extname } from 'node:path'
import type { Locate } from '../config/document.ts'
import { ConfigurationError, type Problem } from '../config/problem.ts'
import { LONGEST_SOCKET_PATH, type Address } from '../config/values.ts'
import type { Config } from './schema.ts'
import { MOST_WORKERS, type Workers } from './workers-schema.ts'

/** One of several processes of authz. */
export interface Worker {
  /** From 0. */
  readonly index: number
  /** How many there are. */
  readonly count: number
}

/** How many there are: `auto` is the number of CPUs that this process may use, by its affinity and its cgroup. */
export const workerCount = (workers: Workers): number =>
  workers === 'auto' ? Math.min(MOST_WORKERS, availableParallelism()) : workers

/** The name of a file or socket of a worker: its index before the extension; worker 0 has the configured name. */
export const workerPath = (path: string, index: number): string => {
  if (index === 0) return path
  const extension = extname(path)
  return `${path.slice(0, path.length - extension.length)}-${index}${extension}`
}

/** Where a worker listens, from the configured address: a socket of its own, or that many ports above. */
export const workerAddress = (address: Address, index: number): Address => {
  if (address.kind === 'unix') return { ...address, path: workerPath(address.path, index) }
  return { ...address, port: address.port === 0 ? 0 : address.port + index }
}

/** The addresses of all workers, from that of worker 0. */
const addressesFrom = (first: Address, { workers }: Pick<Config, 'workers'>): readonly Address[] =>
  Array.from({ length: workerCount(workers) }, (_, index) => workerAddress(first, index))

type Listening = Pick<Config, 'listen' | 'envoy' | 'workers'>

const reachable = (
  given: readonly Address[] | undefined,
  listening: Address,
  config: Listening,
): readonly Address[] => {
  const [first = listening, ...others] = given ?? []
  return others.length === 0 ? addressesFrom(first, config) : [first, ...others]
}

/** Where Envoy reaches the workers of authz: as it is listed, or else from the first address. */
export const authzAddresses = (config: Listening): readonly Address[] =>
  reachable(config.envoy?.authzAddress, config.listen.authz.address, config)

/** Where Envoy reaches the issuer, in each worker; none where it listens nowhere. */
export const issuerAddresses = (config: Listening): readonly Address[] => {
  const { envoy, listen } = config
  const first = envoy?.issuerAddress?.[0] ?? listen.issuer?.address
  return first === undefined ? [] : reachable(envoy?.issuerAddress, first, config)
}

// Of `audit.unauthenticated`: two events.
const LEAST_BURST = 4_096

/**
 * The configuration of one worker: its addresses, its audit file, and its share of what bounds all of them. The
 * supervisor serves `listen.admin` and `listen.debug`, to which the sockets of the workers are unknown.
 */
export const configOfWorker = <Part extends Pick<Config, 'listen' | 'audit'>>(
  config: Part,
  { index, count }: Worker,
): Part => {
  const { listen, audit } = config
  const { issuer, debug } = listen
  const at = <Listener extends { readonly address: Address }>(listener: Listener): Listener => ({
    ...listener,
    address: workerAddress(listener.address, index),
  })
  return {
    ...config,
    listen: {
      ...listen,
      authz: at(listen.authz),
      issuer: issuer && at(issuer),
      debug: debug && { ...debug, mode: '0600', address: debugAddress(debug.address, index) },
    },
    audit: auditOfWorker(audit, { index, count }),
  }
}

/** The socket of a worker from which the supervisor reads what `countersign debug` shows. */
export const debugAddress = (address: Address, index: number): Address =>
  address.kind === 'unix' ? { ...address, path: `${address.path}.${index}` } : address

/** `audit` of a worker. Its clients are spread over all, so each has its part of the budget. */
export const auditOfWorker = (
  audit: Config['audit'],
  { index, count }: Worker,
): Config['audit'] => {
  const { file, unauthenticated: budget } = audit
  const part = ({ burst, perSecond }: { readonly burst: number; readonly perSecond: number }) => ({
    burst: Math.max(LEAST_BURST, Math.ceil(burst / count)),
    perSecond: Math.max(1, Math.ceil(perSecond / count)),
  })
  return {
    ...audit,
    ...(file === undefined ? {} : { file: workerPath(file, index) }),
    unauthenticated:
      budget === 'unlimited'
        ? budget
        : { ...budget, source: part(budget.source), total: part(budget.total) },
  }
}

/** What keeps a configuration from having several workers. */
export const workersProblems = (config: Config, locate: Locate): readonly Problem[] => {
  if (config.workers === 1) return []
  const problem = (path: readonly PropertyKey[], message: string): Problem => locate(path, message)
  const counted = config.state.memory === undefined ? undefined : countedInMemory(config)
  return [
    ...(counted === undefined
      ? []
      : [
          problem(
            ['workers'],
            `more than one needs "state" in "sqlite" or "redis": in memory each worker would have its own ${counted}`,
          ),
        ]),
    ...[...portProblems(config), ...pathProblems(config), ...auditProblems(config)].map((message) =>
      problem(['workers'], message),
    ),
  ]
}

/**
 * The same for `--workers`, which replaces the key.
 *
 * @throws ConfigurationError
 */
export const withWorkers = (
  config: Config,
  locate: Locate,
  workers: Workers | undefined,
): Config => {
  if (workers === undefined) return config
  const changed = { ...config, workers }
  const problems = workersProblems(changed, locate)
  if (problems.length > 0) throw new ConfigurationError(problems)
  return changed
}

/** Sockets whose names are too long for the system with the index of the last worker. */
const pathProblems = ({ listen, workers }: Config): readonly string[] => {
  const last = workerCount(workers) - 1
  const sockets = [
    listen.authz.address,
    ...(listen.issuer === undefined ? [] : [listen.issuer.address]),
  ].map((address) => workerAddress(address, last))
  const debug = listen.debug && debugAddress(listen.debug.address, last)
  return [...sockets, ...(debug === undefined ? [] : [debug])].flatMap((address) =>
    address.kind === 'unix' && Buffer.byteLength(address.path) > LONGEST_SOCKET_PATH
      ? [`${address.path} is too long for a UNIX socket: choose a shorter folder, such as /run`]
      : [],
  )
}

/** `audit-1`, the file of a worker, would look like a rotated file of `audit`. */
const auditProblems = ({ audit: { file } }: Config): readonly string[] =>
  file === undefined || extname(file) !== ''
    ? []
    : [`audit.file needs an extension, such as ${file}.jsonl, for the names of the workers' files`]

/** What a worker would count or remember alone with `state: memory`. */
const countedInMemory = ({ authenticators, issuer }: Config): string | undefined => {
  const all = Object.entries(authenticators)
  const guarded = all.find(([, { basic }]) => basic && basic.bruteForceProtection !== false)
  if (issuer?.login !== undefined || Object.keys(issuer?.clients ?? {}).length > 0) {
    return 'logins, codes and sessions ("issuer")'
  }
  if (guarded !== undefined)
    return `failed passwords and lock-outs ("authenticators.${guarded[0]}")`
  const proven = all.find(([, { bearer }]) => bearer?.dpop !== undefined)
  return proven && `used DPoP proofs ("authenticators.${proven[0]}.bearer.dpop")`
}

const LAST_PORT = 65_535

/** Ports of workers that do not exist, or that another listener has. */
const portProblems = ({ listen, workers }: Config): readonly string[] => {
  const count = workerCount(workers)
  const taken = Object.entries(listen).flatMap(([name, listener]) => {
    if (listener?.address.kind !== 'tcp' || listener.address.port === 0) return []
    const width = name === 'authz' || name === 'issuer' ? count : 1
    const { port } = listener.address
    return [{ name, first: port, last: port + width - 1 }]
  })
  return taken.flatMap(({ name, first, last }, index) => {
    if (last > LAST_PORT) return [`listen.${name}: there is no port ${last} for the last worker`]
    const other = taken.slice(index + 1).find((one) => one.first <= last && first <= one.last)
    return other === undefined
      ? []
      : [
          `listen.${name} takes the ports ${first} to ${last}, of which listen.${other.name} has one: leave ${count} ports free`,
        ]
  })
}
