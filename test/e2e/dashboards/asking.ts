// The identity that the API server reports for a caller, and how programs get a token.

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { run, start } from '../../cli/login/running.ts'
import { Browser } from '../../fakes/browser.ts'
import { temporaryFolder } from '../../servers/temporary.ts'
import type { Dashboards } from './site.ts'
import { PASSWORDS } from './visitor.ts'

/** Where the API server reports the caller's identity. */
export const REVIEW = '/apis/authentication.k8s.io/v1/selfsubjectreviews'

/** The question. */
export const ASK_WHO = {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' }),
} as const

interface User {
  readonly username: string
  readonly groups: readonly string[]
  readonly extra: Readonly<Record<string, readonly string[]>>
}

/** The answer. */
export const userIn = (body: string): User => JSON.parse(body).status.userInfo

/** The `jti` by which the API server logs the token that it saw. */
export const tokenIdIn = (extra: User['extra']): string | undefined =>
  extra['authentication.kubernetes.io/credential-id']?.[0]?.replace(/^JTI=/, '')

/** What `countersign credential` gives programs once alice has logged in by `countersign login`. */
export const accessToken = async ({ cluster, recipe, issuer }: Dashboards): Promise<string> => {
  await using state = await temporaryFolder()
  const { ca } = cluster.pki
  const at = ['--issuer', issuer, '--ca', ca, '--resource', 'https://dashboards.example.org']
  await using login = start(['login', ...at, '--no-browser'], { state: state.path })
  const [, url = ''] = await login.says(/^ {2}(https:\/\/\S+)$/m)
  const browser = new Browser({ port: recipe.envoyPort, tls: { ca: await readFile(ca) } })
  const fields = { user: 'alice', password: PASSWORDS.alice }
  const form = await browser.submit(await browser.get(url), '/password', fields)
  const { url: callback } = await browser.submit(form, '/consent', { answer: 'allow' })
  await fetch(callback)
  const { status, stderr } = await login.ended
  assert.equal(status, 0, stderr)
  const { stdout } = await run(['credential', ...at], { state: state.path })
  return JSON.parse(stdout).status.token
}
