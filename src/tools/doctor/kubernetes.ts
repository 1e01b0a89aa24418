// Kubernetes API servers that review tokens and access. They review a token and a user that do not exist.

import { buildReviewServer } from '../../clients/kubernetes/build.ts'
import { ServerRefusesUs } from '../../runtime/server-failure.ts'
import { clientParts, ok, type Bench, type Examination } from './examination.ts'

/** The examinations of every API server. */
export const kubernetesExaminations = (bench: Bench): readonly Examination[] => {
  const { authenticators, routes } = bench.config
  return [
    ...Object.entries(authenticators).flatMap(([name, { tokenReview }]) =>
      tokenReview === undefined
        ? []
        : [reviewExamination(tokenReview, TOKENS, ['authenticators', name, 'tokenReview'], bench)],
    ),
    ...routes.flatMap(({ apiServer }, index) =>
      apiServer === undefined
        ? []
        : [reviewExamination(apiServer, ACCESS, ['routes', index, 'apiServer'], bench)],
    ),
  ]
}

const UNKNOWN = 'countersign-doctor'

const TOKENS = {
  kind: 'token-review',
  api: '/apis/authentication.k8s.io/v1/tokenreviews',
  review: {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenReview',
    spec: { token: UNKNOWN },
  },
} as const

const ACCESS = {
  kind: 'access-review',
  api: '/apis/authorization.k8s.io/v1/subjectaccessreviews',
  review: {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SubjectAccessReview',
    spec: { user: UNKNOWN, nonResourceAttributes: { path: '/healthz', verb: 'get' } },
  },
} as const

const reviewExamination = (
  settings: Parameters<typeof buildReviewServer>[0],
  { kind, api, review }: typeof TOKENS | typeof ACCESS,
  path: readonly PropertyKey[],
  bench: Bench,
): Examination => ({
  area: 'kubernetes',
  target: settings.server ?? 'the API server of this cluster',
  path,
  ask: async () => {
    await using parts = clientParts(bench)
    const { ask } = await buildReviewServer(settings, { kind, api }, parts)
    try {
      await ask({ subject: UNKNOWN, caller: UNKNOWN }, JSON.stringify(review), () => true)
      return ok(`answers ${review.kind}`)
    } catch (cause) {
      if (!(cause instanceof ServerRefusesUs)) throw cause
      return {
        outcome: 'error',
        message: cause.message,
        remedy:
          'Correct "token" or "client", and give it the ClusterRole system:auth-delegator by a ClusterRoleBinding',
      }
    }
  },
})
