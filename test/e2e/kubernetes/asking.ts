// How the scenario asks with kubectl, and what the API server says of who asked.

import assert from 'node:assert/strict'
import { z } from 'zod'
import type { DecisionEvent } from '../../../src/audit/event.ts'
import { kubectl, type KubectlResult } from '../../servers/kubectl.ts'
import { eventually } from '../site.ts'
import { HOST, CREDENTIALS_OUT } from './configuration.ts'
import type { KubeSite } from './kube-site.ts'
import { kubeconfigFor, type CredentialIn } from './credentials-in.ts'
import type { User } from './users.ts'

/** A user's kubectl. */
export interface Caller {
  /** The arguments by which kubectl knows who asks. */
  readonly identity: readonly string[]
  /** The folder of what `countersign login` keeps. */
  readonly state: string
}

/** A user with the credentials of a way in. */
export const callerBy = async (site: KubeSite, way: CredentialIn, user: User): Promise<Caller> => ({
  identity: await kubeconfigFor(site, await way(site, user)),
  state: site.folder.file(`state-${user.name}`),
})

/** The arguments of kubectl for an address. */
export const at = ({ port }: KubeSite, address: string): readonly string[] => [
  `--server=https://${address}:${port}`,
  `--tls-server-name=${HOST}`,
]

/** The environment of kubectl. `kubectl diff` runs diff. */
export const environmentOf = (state: string): NodeJS.ProcessEnv => ({
  PATH: process.env['PATH'],
  XDG_STATE_HOME: state,
})

/** Runs kubectl as a user, at the route that has this address. */
export const ask = (
  site: KubeSite,
  { identity, state }: Caller,
  args: readonly string[],
  address: string = CREDENTIALS_OUT['X-Remote-*'],
): Promise<KubectlResult> =>
  kubectl([...identity, ...at(site, address), ...args], environmentOf(state))

/** What kubectl says, where it succeeds. */
export const outputOf = async (...args: Parameters<typeof ask>): Promise<string> => {
  const { code, output, complaint } = await ask(...args)
  assert.equal(code, 0, `${args[2].join(' ')}: ${complaint}`)
  return output
}

/** A caller's identity, as the API server reports it. */
export interface KnownAs {
  readonly username: string
  readonly uid: string
  /** Sorted. */
  readonly groups: readonly string[]
  /** Without what the API server itself adds about the credential. */
  readonly extra: Readonly<Record<string, readonly string[]>>
}

const reviewSchema = z.object({
  status: z.object({
    userInfo: z.object({
      username: z.string(),
      uid: z.string().default(''),
      groups: z.array(z.string()),
      extra: z.record(z.string(), z.array(z.string())).default({}),
    }),
  }),
})

const ITS_OWN = 'authentication.kubernetes.io/'

const known = ({ username, uid, groups, extra }: KnownAs): KnownAs => ({
  username,
  uid,
  groups: groups.toSorted(),
  extra: Object.fromEntries(Object.entries(extra).filter(([key]) => !key.startsWith(ITS_OWN))),
})

const REVIEW = /selfsubjectreviews$/
const LOG_LIMIT = 5_000

/** The last review of a caller's identity, in our audit log. */
const lastReview = async (site: KubeSite): Promise<DecisionEvent> => {
  const event = (await site.decisions()).findLast(({ path }) => REVIEW.test(path ?? ''))
  assert.ok(event !== undefined)
  return event
}

/** The identity by `kubectl auth whoami`, and by the API server's audit log of the same request. */
export const whoIs = async (
  site: KubeSite,
  caller: Caller,
  address: string,
): Promise<{
  readonly reported: KnownAs
  readonly logged: KnownAs
  readonly event: DecisionEvent
}> => {
  const output = await outputOf(site, caller, ['auth', 'whoami', '-o', 'json'], address)
  const event = await lastReview(site)
  assert.equal(event.host, address)
  const entry = await eventually(
    async () => (await site.server.audited()).find(({ auditID }) => auditID === event.id),
    (found) => found !== undefined,
    LOG_LIMIT,
  )
  const logged = entry?.impersonatedUser ?? entry?.user
  assert.ok(logged !== undefined)
  return {
    reported: known(reviewSchema.parse(JSON.parse(output)).status.userInfo),
    logged: known(logged),
    event,
  }
}
