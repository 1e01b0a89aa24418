// The `tokenReview` section, built: which API server, and how we prove ourselves to it.

import type { Authenticator } from '../../authenticate/authenticator.ts'
import { reviewUrl, tokenReviewAuthenticator } from '../../authenticate/token-review.ts'
import { trustedUrl } from '../../authenticate/token/discovery.ts'
import { TokenServer } from '../../authenticate/token/token-server.ts'
import { ConfigurationFiles } from '../../config/files.ts'
import type { TokenReviewConfig } from '../../config/token-review-schema.ts'
import type { SecretReference } from '../../config/values.ts'
import { ChangingFile } from '../../runtime/changing-file.ts'
import { digestOf } from '../../runtime/digest.ts'
import { CountersignError } from '../../runtime/errors.ts'
import { httpFetcher } from '../../runtime/http-fetch.ts'
import { clientTls, type ClientTlsFiles } from './client-tls.ts'
import type { AuthenticatorParts } from './parts.ts'
import { readSecretText, secretText } from './secret-text.ts'

/** Where an API server is, and what proves us to it. */
export interface ApiServer extends ClientTlsFiles {
  readonly server: string
  readonly token: SecretReference | undefined
}

// kubernetes.io, "Accessing the Kubernetes API from a Pod".
const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount'

/**
 * The API server of the cluster that we run in.
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
      'there is no KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT: this is no pod; name a "server"'
    throw new CountersignError('configuration-invalid', message)
  }
  return {
    server: `https://${host.includes(':') ? `[${host}]` : host}:${port}`,
    ca: `${folder}/ca.crt`,
    token: { kind: 'file', path: `${folder}/token` },
    client: undefined,
  }
}

// As many as answer a busy service; a burst opens more, which end after it.
const KEPT_CONNECTIONS = 16

/** Builds an authenticator that asks an API server; `undefined` when there are problems. */
export const buildTokenReview = async (
  name: string,
  config: TokenReviewConfig,
  parts: AuthenticatorParts,
): Promise<Authenticator | undefined> =>
  await parts.problems.collect(['authenticators', name, 'tokenReview'], async () => {
    const { files, clock, logger, memory } = parts
    const api = config.inCluster ? inCluster(process.env) : outside(config)
    const url = reviewUrl(trustedUrl(api.server))
    const tls = await clientTls(api, files)
    const own = api.token && (await ownToken(api.token, parts))
    const { fetch } = parts.connections.use(httpFetcher({ ...tls, kept: KEPT_CONNECTIONS }))
    const server = new TokenServer({
      name: `the API server ${url.host}`,
      fetch,
      limits: config,
      remedy: 'see "token" or "client", and give it the ClusterRole system:auth-delegator',
      ...(own === undefined ? {} : { onUnknown: own.expire }),
      clock,
      logger,
    })
    parts.dependencies.push({
      authenticator: name,
      kind: 'token-review',
      name: api.server,
      isUp: () => server.isUp,
    })
    const generation = digestOf([name, config, url.href, tls.ca?.toString('base64')])
    return tokenReviewAuthenticator({
      ...config,
      name,
      url,
      ownToken: own?.read,
      server,
      generation,
      clock,
      memory,
    })
  })

const outside = ({ server, ca, token, client }: TokenReviewConfig): ApiServer => {
  if (server === undefined) throw new TypeError('no server') // the schema refuses it
  return { server, ca, token, client }
}

interface OwnToken {
  readonly read: () => Promise<string>
  /** It is not good any more. */
  readonly expire: () => void
}

// The kubelet replaces a token when four fifths of its life are over, which is ten minutes at the
// least: whoever looks this often is never late.
const TOKEN_KNOWN_FOR_MS = 10_000

/** Not by the files of the configuration: a new token every hour is no reason to reload it. */
const ownToken = async (
  reference: SecretReference,
  { clock }: AuthenticatorParts,
): Promise<OwnToken> => {
  const text = await readSecretText(reference, new ConfigurationFiles())
  if (reference.kind === 'environment') {
    return { read: () => Promise.resolve(text), expire: () => undefined }
  }
  const file = new ChangingFile({ path: reference.path, every: TOKEN_KNOWN_FOR_MS, clock })
  return {
    read: async () => secretText(await file.read()),
    expire: () => file.expire(),
  }
}
