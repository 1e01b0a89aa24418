// What scripts/compose-test.ts compares: answers with what the tour promises, and running containers
// with what docker-compose.yml says of them. A fault is a line of text; no fault, all is well.

import { existsSync, readFileSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import { HOST, type Stop } from '../demo/tour.ts'
import type { Received } from '../deploy/compose/upstream.ts'
import { http1, valuesOf, type Answer, type Target } from '../test/servers/client.ts'

/** Sends the request of a stop. */
export const visit = async (
  { request }: Stop,
  at: Pick<Target, 'port' | 'ca'>,
): Promise<Answer> => {
  const { user, headers = [], method = 'GET', path, host = HOST } = request
  const authorization = `Basic ${Buffer.from(user ?? '').toString('base64')}`
  return await http1(
    { ...at, serverName: host },
    {
      method,
      path,
      host: `${host}:${at.port}`,
      headers: user === undefined ? headers : [...headers, ['Authorization', authorization]],
    },
  )
}

/** What the upstream received, for a request that was forwarded. */
export const receivedOf = ({ body }: Answer): Received => JSON.parse(body)

/** What is wrong with the answer at a stop. */
export const stopFaults = ({ want }: Stop, answer: Answer): readonly string[] => {
  if (answer.status !== want.status) return [`status ${answer.status}, not ${want.status}`]
  const lines = answer.headers.map(([name, value]) => `${name}: ${value}`)
  const lacking = (want.answerHas ?? []).filter((line) => !lines.includes(line))
  const ids = valuesOf(answer, 'x-countersign-decision').length
  return [
    ...lacking.map((line) => `the answer lacks "${line}"`),
    ...(ids === 1 ? [] : [`${ids} decision ids, not one`]),
    ...(want.status === 200 ? upstreamFaults(want, receivedOf(answer)) : []),
  ]
}

// An hour, and what authz backdates.
const LONGEST_LIFETIME_MS = 3_900_000

const upstreamFaults = (
  { upstreamSees = [], upstreamLacks = [], upstreamSeesSubject }: Stop['want'],
  { headers, certificate }: Received,
): readonly string[] => [
  ...(upstreamSeesSubject === undefined ? [] : certificateFaults(upstreamSeesSubject, certificate)),
  ...upstreamSees
    .map((line) => [line, headers.filter((header) => header === line).length] as const)
    .filter(([, count]) => count !== 1)
    .map(([line, count]) => `the upstream saw "${line}" ${count} times, not once`),
  ...headers
    .filter((line) => upstreamLacks.some((start) => line.startsWith(start)))
    .map((line) => `the upstream saw "${line}"`),
]

const certificateFaults = (
  wanted: string,
  { subject, issuer, notBefore, notAfter }: Received['certificate'],
): readonly string[] => {
  const lifetime = Date.parse(notAfter) - Date.parse(notBefore)
  return [
    ...(subject === wanted ? [] : [`the subject is ${subject}`]),
    ...(issuer === 'CN=Countersign demo: signer' ? [] : [`the issuer is ${issuer}`]),
    ...(lifetime <= LONGEST_LIFETIME_MS ? [] : [`valid for ${lifetime} ms`]),
  ]
}

/** As much of `docker inspect` as is looked at. */
export interface Container {
  readonly Name: string
  readonly State: { readonly Pid: number; readonly Health?: { readonly Status: string } }
  readonly Config: { readonly User: string }
  readonly HostConfig: {
    readonly ReadonlyRootfs: boolean
    readonly CapDrop: readonly string[] | null
    readonly SecurityOpt: readonly string[] | null
    readonly NetworkMode: string
    readonly PortBindings: Readonly<Record<string, unknown>> | null
  }
}

const OFFLINE: ReadonlySet<string> = new Set(['authz', 'signer'])

/** What is wrong with a running container. */
export const containerFaults = (service: string, container: Container): readonly string[] => {
  const { Config, HostConfig, State } = container
  const expected = {
    'a user that is not root': [/^[1-9]\d*:[1-9]\d*$/.test(Config.User), true],
    'a file system that cannot be written': [HostConfig.ReadonlyRootfs, true],
    'no capability': [HostConfig.CapDrop, ['ALL']],
    'no new privileges': [HostConfig.SecurityOpt, ['no-new-privileges:true']],
    'a published port for Envoy alone': [
      Object.keys(HostConfig.PortBindings ?? {}),
      service === 'envoy' ? ['8443/tcp'] : [],
    ],
    'no network for authz and the signer': [
      HostConfig.NetworkMode === 'none',
      OFFLINE.has(service),
    ],
  }
  return [
    ...Object.entries(expected)
      .filter(([, [is, want]]) => !isDeepStrictEqual(is, want))
      .map(([what, [is]]) => `not as it should be, ${what}: ${JSON.stringify(is)}`),
    ...processFaults(State.Pid),
  ]
}

// The kernel's own word, where the engine runs on this machine (proc_pid_status(5)).
const processFaults = (pid: number): readonly string[] => {
  const file = `/proc/${pid}/status`
  if (!existsSync(file)) return []
  const status = readFileSync(file, 'utf8')
  const wanted = [/^Uid:\t[1-9]/m, /^CapEff:\t0+$/m, /^CapBnd:\t0+$/m, /^NoNewPrivs:\t1$/m]
  return wanted
    .filter((pattern) => !pattern.test(status))
    .map((pattern) => `${file} does not match ${String(pattern)}`)
}
