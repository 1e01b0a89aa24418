// Builds the client of a Kubernetes API server that answers reviews: its address and our credential. Authenticators
// review tokens, rules review access.

import type { AskReview } from './review.ts'
import { trustedUrl } from '../discovery.ts'
import { TokenServer } from '../token-endpoint/server.ts'
import type { ServerState } from '../../runtime/server-state.ts'
import type { SecretReference } from '../../config/values.ts'
import { digestOf } from '../../runtime/digest.ts'
import { CountersignError } from '../../runtime/errors.ts'
import { httpFetcher } from '../../runtime/http/fetch.ts'
import type { JsonObject } from '../../runtime/json-object.ts'
import type { SharedServerLimits } from '../../runtime/shared-server.ts'
import { changingSecret } from '../../config/changing-secret.ts'
import { clientTls, type ClientTlsFiles } from '../client-tls.ts'
import type { ClientParts } from '../parts.ts'

/** The address of an API server, and the credential for it. */
interface ApiServer extends ClientTlsFiles {
  readonly server: string
  readonly token: SecretReference | undefined
}

/** What is configured of one: see `reviewServerKeys`. */
interface ReviewServerSettings extends SharedServerLimits {
  readonly inCluster: boolean
  readonly server?: string | undefined
  readonly ca?: string | undefined
  readonly token?: SecretReference | undefined
  readonly client?: ClientTlsFiles['client']
}

/** An API server that answers reviews. */
export interface ReviewServer {
  /** Changes when the server, or the authorities that vouch for it, change. */
  readonly generation: string
  /** For the list of servers. */
  readonly state: ServerState
  readonly ask: AskReview
}

/** What is reviewed. */
export interface ReviewKind {
  readonly kind: 'token-review' | 'access-review'
  /** Where the server takes such reviews: `/apis/authorization.k8s.io/v1/subjectaccessreviews`. */
  readonly api: string
  /** The longest answer that is taken. */
  readonly maxBytes?: number
  /** Whether an answer means that a credential is valid; absent if reviews are not about credentials. */
  readonly isGood?: (document: JsonObject) => boolean
}

// As many as answer a busy service; a burst opens more, which end after it.
const KEPT_CONNECTIONS = 16

/**
 * Reads the files that requests need, and sends none yet.
 *
 * @throws CountersignError when the settings cannot be used
 */
export const buildReviewServer = async (
  settings: ReviewServerSettings,
  { kind, api, maxBytes, isGood }: ReviewKind,
  parts: ClientParts,
): Promise<ReviewServer> => {
  const { files, clock, logger } = parts
  const where = settings.inCluster ? inCluster(process.env) : outside(settings)
  const url = reviewUrl(trustedUrl(where.server), api)
  const tls = await clientTls(where, files)
  const own = where.token && (await changingSecret(where.token, clock))
  const { fetch } = parts.connections.use(httpFetcher({ ...tls, kept: KEPT_CONNECTIONS }))
  const server = new TokenServer({
    name: `the API server ${url.host}`,
    fetch,
    limits: settings,
    remedy: 'see "token" or "client", and give it the ClusterRole system:auth-delegator',
    ...(own === undefined ? {} : { onUnknown: own.expire }),
    ...(maxBytes === undefined ? {} : { maxBytes }),
    isGood: isGood ?? (() => false),
    keepsPlaces: isGood !== undefined,
    durations: parts.durations?.of(kind, where.server),
    clock,
    logger,
  })
  return {
    generation: digestOf([url.href, tls.ca?.toString('base64')]),
    state: { name: where.server, isUp: () => server.isUp, refusals: () => server.refusals },
    ask: (asker, body, read) =>
      server.ask(
        asker,
        async () => {
          const token = await own?.read()
          const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` }
          return { url, headers: { ...JSON_BOTH_WAYS, ...authorization }, body }
        },
        read,
      ),
  }
}

const JSON_BOTH_WAYS = {
  'content-type': 'application/json',
  accept: 'application/json',
} as const

/** Its path counts, as in a kubeconfig. */
const reviewUrl = (server: URL, api: string): URL =>
  new URL(`${server.pathname.replace(/\/$/, '')}${api}`, server.origin)

// kubernetes.io, "Accessing the Kubernetes API from a Pod".
const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount'

/**
 * The API server of the cluster in which this process runs.
 *
 * @throws CountersignError `configuration-invalid` outside one
 */
export const inCluster = (
  environment: Readonly<Record<string, string | undefined>>,
  folder = SERVICE_ACCOUNT,
): ApiServer => {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = environment
  if (host === undefined || host === '' || port === undefined || port === '') {
    const message =
      'there is no KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT: not in a pod. Set "server"'
    throw new CountersignError('configuration-invalid', message)
  }
  return {
    server: `https://${host.includes(':') ? `[${host}]` : host}:${port}`,
    ca: `${folder}/ca.crt`,
    token: { kind: 'file', path: `${folder}/token` },
    client: undefined,
  }
}

const outside = ({ server, ca, token, client }: ReviewServerSettings): ApiServer => {
  if (server === undefined) throw new TypeError('no server') // the schema refuses it
  return { server, ca, token, client }
}
