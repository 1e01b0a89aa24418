// A real Kubernetes API server that trusts our issuer, by the very file that the recipes bring, and the
// identity that it reports for each caller.

import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { parse, stringify } from 'yaml'
import { z } from 'zod'
import type { Answer } from '../../servers/client.ts'
import { freePort } from '../../servers/ports.ts'
import { startKubeApiServer, type KubeApiServer } from '../../servers/kube-apiserver.ts'
import { createPki, type Pki } from '../../servers/pki.ts'
import { temporaryFolder } from '../../servers/temporary.ts'
import { eventually } from '../site.ts'
import { recipeFile, type AskOptions, type Running } from './running.ts'

/** The host of the recipes for Kubernetes. */
export const KUBE = 'kube.example.org'

/** The cluster, and where its issuer is to be published. */
export interface Cluster extends AsyncDisposable {
  readonly server: KubeApiServer
  readonly pki: Pki
  /** Envoy's port: part of the name of the issuer, so every recipe takes it. */
  readonly port: number
  /** The text in recipes that is replaced by the issuer's name. */
  readonly changes: Readonly<Record<string, string>>
  /** `HOST:PORT` and CA of the API server. */
  readonly upstream: { readonly address: string; readonly ca: string }
}

const RECIPE_ISSUER = 'https://id.example.org'

/**
 * Starts an API server that will find the issuer once Envoy publishes it.
 *
 * @param audit whether the API server keeps an audit log
 */
export const startCluster = async ({ audit = false } = {}): Promise<Cluster> => {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await temporaryFolder())
  const pki = stack.use(await createPki())
  const port = await freePort()
  const issuer = `https://localhost:${port}`
  const authentication = folder.file('authentication.yaml')
  await writeFile(authentication, await trusting(issuer, pki))
  const server = stack.use(await startKubeApiServer({ authentication, audit }))
  const owned = stack.move()
  return {
    server,
    pki,
    port,
    changes: { [RECIPE_ISSUER]: issuer },
    upstream: { address: new URL(server.url).host, ca: server.ca },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

const trusting = async (issuer: string, pki: Pki): Promise<string> => {
  const document = authenticationSchema.parse(parse(await recipeFile('authentication.kube.yaml')))
  const [jwt] = document.jwt
  assert.equal(jwt?.issuer.url, RECIPE_ISSUER)
  jwt.issuer.url = issuer
  jwt.issuer['certificateAuthority'] = await readFile(pki.ca, 'utf8')
  return stringify(document)
}

const authenticationSchema = z.looseObject({
  jwt: z.array(z.looseObject({ issuer: z.looseObject({ url: z.string() }) })),
})

const REVIEW = {
  method: 'POST',
  path: '/apis/authentication.k8s.io/v1/selfsubjectreviews',
  body: JSON.stringify({ apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' }),
} as const

const reviewSchema = z.object({
  status: z.object({
    userInfo: z.object({
      username: z.string(),
      uid: z.string().optional(),
      groups: z.array(z.string()),
      extra: z.record(z.string(), z.array(z.string())).default({}),
    }),
  }),
})

/** The identity that the API server reports for a caller. */
export type UserInfo = z.output<typeof reviewSchema>['status']['userInfo']

/** Asks the API server for the identity of the caller. */
export const askWhoAmI = (recipe: Running, who: AskOptions): Promise<Answer> =>
  recipe.ask(KUBE, {
    ...REVIEW,
    ...who,
    headers: [['content-type', 'application/json'], ...(who.headers ?? [])],
  })

// It looks for the issuer every ten seconds until it has found it.
const DISCOVERY_LIMIT = 30_000

/** Who the API server takes them for; waits until it knows the issuer. */
export const whoAmI = async (recipe: Running, who: AskOptions): Promise<UserInfo> => {
  const answer = await eventually(
    () => askWhoAmI(recipe, who),
    ({ status }) => status !== 401,
    DISCOVERY_LIMIT,
  )
  assert.equal(answer.status, 201, answer.body)
  return reviewSchema.parse(JSON.parse(answer.body)).status.userInfo
}

/** The `jti` by which it logs the token that it saw (kubernetes.io, "Auditing": credential-id). */
export const tokenIdIn = ({ extra }: UserInfo): string | undefined =>
  extra['authentication.kubernetes.io/credential-id']?.[0]?.replace(/^JTI=/, '')
