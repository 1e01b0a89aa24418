// The ways in: the commands that write a kubeconfig for a user.

import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { run, start } from '../../cli/login/running.ts'
import { Browser } from '../../fakes/browser.ts'
import { BUILDER, HOST, ownIssuer, RESOURCE, CREDENTIALS_OUT } from './configuration.ts'
import type { KubeSite } from './kube-site.ts'
import { mailOf, PASSWORD, type User } from './users.ts'

/** The options of `countersign kubeconfig` that identify a user. */
export type CredentialIn = (site: KubeSite, user: User) => Promise<readonly string[]>

const password =
  (loginOf: (user: User) => string): CredentialIn =>
  async ({ folder }, user) => {
    const file = folder.file('password')
    await writeFile(file, PASSWORD, { mode: 0o600 })
    return ['--auth-method', 'password', '--user', loginOf(user), '--password-file', file]
  }

/** A token in a file. */
export const tokenIn = async (
  site: KubeSite,
  user: string,
  token: string,
): Promise<readonly string[]> => {
  const file = site.folder.file(`${user.replaceAll(/\W/g, '-')}.token`)
  await writeFile(file, token, { mode: 0o600 })
  return ['--auth-method', 'token', '--user', user, '--token-file', file]
}

const certificate: CredentialIn = async ({ callers }, { name, groups, uid, teams }) => {
  const pair = await callers.issue({
    commonName: name,
    organizations: groups,
    attributes: { [UID]: [uid], OU: teams },
    usage: 'client',
  })
  const files = ['--client-certificate', pair.certificate, '--client-key', pair.key]
  return ['--auth-method', 'certificate', '--user', `certificate-${name}`, ...files]
}

// RFC 4519 §2.39.
const UID = '0.9.2342.19200300.100.1.1'

/**
 * A login in a browser at the own issuer; kubectl then gets the token by `countersign credential`.
 *
 * @param resource the audience of the tokens
 */
export const ownToken = async (
  site: KubeSite,
  user: User,
  resource: string = RESOURCE,
): Promise<readonly string[]> => {
  const { port, pki, folder } = site
  const at = ['--issuer', ownIssuer(port), '--resource', resource]
  const state = folder.file(`state-${user.name}`)
  await using login = start(['login', ...at, '--ca', pki.ca, '--no-browser'], { state })
  const [, url = ''] = await login.says(/^ {2}(https:\/\/\S+)$/m)
  const browser = new Browser({ port, tls: { ca: await readFile(pki.ca) } })
  const credentials = { user: user.name, password: PASSWORD }
  const form = await browser.submit(await browser.get(url), '/password', credentials)
  const { url: callback } = await browser.submit(form, '/consent', { answer: 'allow' })
  assert.equal((await fetch(callback)).status, 200)
  const { status, stderr } = await login.ended
  assert.equal(status, 0, stderr)
  return ['--auth-method', 'exec', '--user', `own-${user.name}`, ...at, '--issuer-ca', pki.ca]
}

/** A token of the other operator's issuer. */
export const otherToken = async (
  { otherIssuer: { key, issuer } }: KubeSite,
  { name, groups, uid, teams }: User,
  seconds = 600,
): Promise<string> => {
  const iat = Math.floor(Date.now() / 1_000)
  const times = { iat, exp: iat + seconds }
  const who = { sub: `u-${uid}`, preferred_username: name, groups, uid, team: teams }
  return await key.token({ iss: issuer, aud: RESOURCE, ...who, ...times })
}

/** Each way in of users. */
export const CREDENTIALS_IN = {
  'a password (users file)': password(({ name }) => name),
  'a password (LDAP)': password(mailOf),
  'a client certificate': certificate,
  'an access token of the own issuer': async (site, user) => await ownToken(site, user),
  'an access token of another issuer': async (site, user) =>
    await tokenIn(site, `other-${user.name}`, await otherToken(site, user)),
} as const satisfies Readonly<Record<string, CredentialIn>>

/** That of a service account, as which it is known. */
export const serviceAccountToken = async (site: KubeSite): Promise<readonly string[]> => {
  const { namespace, name } = BUILDER
  return await tokenIn(site, 'builder', await site.server.tokenOf(namespace, name))
}

/** Writes a kubeconfig for a way in; gives the arguments by which kubectl takes it. */
export const kubeconfigFor = async (
  { port, pki, folder }: KubeSite,
  way: readonly string[],
): Promise<readonly string[]> => {
  const file = folder.file('kubeconfig')
  const server = `https://${CREDENTIALS_OUT['X-Remote-*']}:${port}`
  const where = ['--server', server, '--tls-server-name', HOST, '--ca', pki.ca]
  const options = ['--merge', '--replace', '--output', file, '--json']
  const { status, stdout, stderr } = await run(['kubeconfig', ...where, ...way, ...options], {
    state: folder.path,
  })
  assert.equal(status, 0, stderr)
  const { context }: { context: string } = JSON.parse(stdout)
  return [`--kubeconfig=${file}`, `--context=${context}`]
}
