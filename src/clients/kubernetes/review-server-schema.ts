// The Kubernetes API server that answers reviews, and our credential there: the keys that `tokenReview` of an
// authenticator and `apiServer` of a route have in common.

import * as z from 'zod'
import { pathSchema, secretSchema } from '../../config/values.ts'

/** The keys. */
export const reviewServerKeys = {
  inCluster: z
    .boolean()
    .default(false)
    .describe(
      'Uses the API server of the cluster that Countersign runs in, with the service account of its pod. It needs the ClusterRole `system:auth-delegator`.',
    ),
  server: z.string().optional().describe('The API server, such as `https://10.0.0.1:6443`.'),
  ca: pathSchema.optional().describe('PEM file: the CAs of its certificate. Default: Node’s own.'),
  token: secretSchema
    .optional()
    .describe(
      'The token that authenticates Countersign to it. A file is read again when it changes.',
    ),
  client: z
    .strictObject({
      certificate: pathSchema.describe('PEM file: the certificate with its chain.'),
      key: secretSchema.describe('Its private key, PEM.'),
    })
    .optional()
    .describe('The client certificate that authenticates Countersign to it.'),
} as const

interface ReviewServerGiven {
  readonly inCluster: boolean
  readonly server?: string | undefined
  readonly ca?: unknown
  readonly token?: unknown
  readonly client?: unknown
}

/** What is wrong with the keys taken together; for `superRefine`. */
export const reviewServerProblems = ({
  inCluster,
  server,
  ca,
  token,
  client,
}: ReviewServerGiven): readonly string[] => {
  if (inCluster === (server !== undefined)) {
    return ['must have "server" or "inCluster: true", and not both']
  }
  if (inCluster) {
    const given = [token, client, ca].some((key) => key !== undefined)
    return given ? ['"inCluster" brings a token and a CA of its own'] : []
  }
  return (token === undefined) === (client === undefined)
    ? ['must have exactly one of "token" and "client"']
    : []
}
