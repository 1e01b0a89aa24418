// `npm run demo`: the product on real parts, started from nothing. Two TLS upstreams, one that trusts
// only Envoy and one that wants a certificate from every caller, and `countersign up` in front of them; then a tour of curl commands. `--check` takes the tour
// itself, compares every answer, and exits with 0 or 1.

import { spawn, type ChildProcess } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { dirname, join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { stringify } from 'yaml'
import { makeHash } from '../src/authenticate/password/hash.ts'
import { hashOf, newApiKey } from '../src/authenticate/api-key/key.ts'
import { newGrantKeyLine } from '../src/keys/grant-keys.ts'
import { makeKey, type IssuerKey } from '../test/authenticate/token/issuing.ts'
import { madeKey } from '../test/fakes/signing-keys.ts'
import { startCertificateUpstream } from '../test/servers/certificate-upstream.ts'
import { createAuthority, createPki, type Authority, type Pki } from '../test/servers/pki.ts'
import { writeSigningKeys } from '../test/servers/signing-keys.ts'
import { temporaryFolder } from '../test/servers/temporary.ts'
import { startUpstream } from '../test/servers/upstream.ts'
import { checkTour } from './check.ts'
import {
  CERTIFICATE_HOST,
  curlFor,
  HOST,
  ISSUER_HOST,
  KUBERNETES_HOST,
  TOKEN_HOST,
  tourWith,
  USERS,
  type Stop,
} from './tour.ts'

const PREFERRED_PORT = 8443
const READY = /ready, listening on https:\/\/.*:(\d+)$/

const main = async (): Promise<void> => {
  const checking = process.argv.includes('--check')
  await using stack = new AsyncDisposableStack()
  const end = endSignal()

  const { path: folder } = stack.use(await temporaryFolder())
  const pki = stack.use(await createPki())
  const upstream = stack.use(
    await startUpstream({ identity: pki.upstream, clientCa: pki.ca, record: false }),
  )
  const minting = stack.use(await createAuthority('Demo minting CA'))
  const ledger = stack.use(
    await startCertificateUpstream({
      identity: pki.upstream,
      clientCas: await readFile(minting.ca, 'utf8'),
    }),
  )
  await writeFile(join(folder, 'users.yaml'), await users())
  await writeFile(join(folder, 'grant.keys'), `${newGrantKeyLine()}\n`, { mode: 0o600 })
  await writeFile(join(folder, 'signer.yaml'), signerConfiguration(minting))
  await writeSigningKeys(join(folder, 'signing-keys'), [await madeKey('ES256')])
  const issuerKey = await makeKey()
  await writeFile(join(folder, 'issuer.jwks'), JSON.stringify({ keys: [issuerKey.jwk] }))
  const apiKey = newApiKey('demo')
  await writeFile(join(folder, 'api-keys.yaml'), apiKeys(apiKey))
  const tour = tourWith({ token: await carolsToken(issuerKey), apiKey })
  const config = join(folder, 'countersign.yaml')
  const listen = checking ? 0 : await freePort(PREFERRED_PORT)
  await writeFile(config, configuration(pki, { api: upstream.port, ledger: ledger.port }, listen))

  const countersign = spawnCountersign(config)
  stack.defer(() => ended(countersign, 'SIGTERM'))
  const port = await readyPort(countersign)
  const audit = join(folder, 'audit.jsonl')
  if (checking) {
    process.exitCode = (await checkTour(tour, { port, ca: pki.ca, audit })) ? 0 : 1
    return
  }
  printTour(tour, { port, ca: pki.ca, config, audit })
  await Promise.race([end, exited(countersign)])
}

const endSignal = async (): Promise<void> => {
  const { promise, resolve: done } = Promise.withResolvers<void>()
  process.once('SIGINT', () => done()).once('SIGTERM', () => done())
  await promise
}

const users = async (): Promise<string> => {
  const entries = Object.entries(USERS).map(async ([name, { password, uid, groups, team }]) => [
    name,
    {
      password: await makeHash('argon2id', password),
      uid,
      groups,
      extra: { 'example.org/team': team },
    },
  ])
  return stringify({ users: Object.fromEntries(await Promise.all(entries)) })
}

const apiKeys = (key: string): string =>
  stringify({ keys: { demo: { hash: hashOf(key), user: 'ci', groups: ['deploy'] } } })

const ISSUER = 'https://login.example.org'
const EIGHT_HOURS = 28_800

const carolsToken = async (key: IssuerKey): Promise<string> => {
  const now = Math.floor(Date.now() / 1_000)
  return await key.token({
    iss: ISSUER,
    aud: 'demo',
    sub: '4711',
    email: 'carol@example.org',
    groups: ['k8s-dev', 'hr'],
    iat: now,
    exp: now + EIGHT_HOURS,
  })
}

const configuration = (
  pki: Pki,
  upstreams: { readonly api: number; readonly ledger: number },
  port: number,
): string =>
  stringify({
    version: 1,
    listen: { authz: 'unix:authz.sock', issuer: 'unix:issuer.sock' },
    issuer: { url: `https://${ISSUER_HOST}`, keys: 'signing-keys' },
    grants: { keyring: 'file:grant.keys' },
    authenticators: {
      'staff-password': { basic: { realm: 'Demo', verify: [{ users: { file: 'users.yaml' } }] } },
      'staff-token': {
        bearer: {
          realm: 'Demo',
          issuer: ISSUER,
          audiences: ['demo'],
          keys: { file: 'issuer.jwks' },
        },
        identity: {
          user: '"oidc:" + claims.email',
          groups: { from: 'claims.groups', keep: ['k8s-*'], prefix: 'oidc:' },
        },
      },
      programs: { apiKey: { realm: 'Demo', file: 'api-keys.yaml' } },
    },
    routes: [
      {
        name: 'api',
        match: { hosts: [HOST] },
        authenticate: ['staff-token', 'staff-password'],
        authorize: [
          { deny: 'no-secrets', paths: ['/secrets/**'] },
          { allow: 'operators', groups: ['ops'] },
          { allow: 'everyone-reads', methods: ['GET', 'HEAD'] },
        ],
        forward: { headers: 'kubernetes' },
      },
      {
        name: 'reports',
        match: { hosts: [TOKEN_HOST] },
        upstream: 'api',
        authenticate: ['staff-token', 'staff-password'],
        authorize: [{ allow: 'everyone-reads', methods: ['GET', 'HEAD'] }],
        forward: {
          bearer: {
            mint: {
              audience: 'reports',
              claims: { team: 'identity.extra[?"example.org/team"][?0]' },
            },
          },
        },
      },
      {
        name: 'ledger',
        match: { hosts: [CERTIFICATE_HOST] },
        authenticate: ['staff-token', 'staff-password', 'programs'],
        authorize: [{ allow: 'everyone-reads', methods: ['GET', 'HEAD'] }],
        forward: {
          certificate: { ca: 'demo', subject: { CN: 'identity.user', O: 'identity.groups' } },
        },
      },
      {
        name: 'kubernetes',
        match: { hosts: [KUBERNETES_HOST] },
        upstream: 'api',
        kind: 'kubernetes',
        authenticate: ['staff-password'],
        authorize: [
          {
            deny: 'no-secrets',
            verbs: ['get', 'list', 'watch', 'deletecollection'],
            resources: ['secrets'],
          },
          { allow: 'rbac-decides' },
        ],
        forward: { headers: 'kubernetes' },
      },
    ],
    audit: { file: 'audit.jsonl' },
    envoy: {
      listener: { address: `127.0.0.1:${port}`, ...pki.edge },
      admin: 'unix:envoy-admin.sock',
      signerAddress: 'unix:signer.sock',
      upstreams: {
        api: {
          address: `127.0.0.1:${upstreams.api}`,
          ca: pki.ca,
          serverName: 'localhost',
          ...pki.frontProxy,
        },
        ledger: {
          address: `127.0.0.1:${upstreams.ledger}`,
          ca: pki.ca,
          serverName: 'localhost',
        },
      },
    },
  })

const signerConfiguration = (minting: Authority): string =>
  stringify({
    version: 1,
    listen: 'unix:signer.sock',
    keyring: 'file:grant.keys',
    authorities: { demo: { certificate: minting.ca, key: `file:${minting.key}` } },
    audit: { file: 'issued.jsonl' },
  })

/** The port if nothing has it, else 0, which lets the system choose. */
const freePort = async (port: number): Promise<number> => {
  const { promise, resolve: settle } = Promise.withResolvers<number>()
  const probe = createServer()
  probe.once('error', () => settle(0))
  probe.listen(port, '127.0.0.1', () => probe.close(() => settle(port)))
  return await promise
}

const spawnCountersign = (config: string): ChildProcess =>
  spawn(
    process.execPath,
    [resolve(import.meta.dirname, '../src/countersign.ts'), 'up', '--config', config],
    { stdio: ['ignore', 'inherit', 'pipe'], detached: true },
  )

/** Waits for the ready line; everything else that is said goes on to standard error. */
const readyPort = async (child: ChildProcess): Promise<number> => {
  const { promise, resolve: settle, reject } = Promise.withResolvers<number>()
  child.once('exit', (code) => reject(new Error(`countersign ended with status ${code}`)))
  if (child.stderr === null) throw new Error('standard error of countersign is not piped')
  createInterface({ input: child.stderr }).on('line', (line) => {
    const port = READY.exec(line)?.[1]
    if (port === undefined) console.error(line)
    else settle(Number(port))
  })
  return await promise
}

const exited = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return
  const { promise, resolve: settle } = Promise.withResolvers<void>()
  child.once('exit', () => settle())
  await promise
}

const ended = async (child: ChildProcess, signal: NodeJS.Signals): Promise<void> => {
  child.kill(signal)
  await exited(child)
}

interface Demo {
  readonly port: number
  readonly ca: string
  readonly config: string
  readonly audit: string
}

const printTour = (tour: readonly Stop[], { port, ca, config, audit }: Demo): void => {
  console.log(`\nCountersign is up on https://${HOST}:${port}, with a real Envoy in front of two`)
  console.log('TLS upstreams that answer with what they received. In another terminal:\n')
  for (const [index, stop] of tour.entries()) {
    console.log(`${index + 1}. ${stop.title}`)
    console.log(`   ${curlFor(stop, port, ca)}`)
    console.log(`   → ${stop.want.status}; look for ${stop.want.look}\n`)
  }
  console.log(`Audit events:   tail -f ${audit}`)
  console.log(`Issuances:      tail -f ${join(dirname(audit), 'issued.jsonl')}`)
  console.log(`Configuration:  ${config} (edit it: it is reloaded at once)`)
  console.log(`Why refused?    npm run countersign -- explain --config ${config} \\`)
  console.log(
    `                  --audit ${audit} --decision ID   (x-countersign-decision of an answer)`,
  )
  console.log('Ctrl-C ends everything.')
}

await main()
