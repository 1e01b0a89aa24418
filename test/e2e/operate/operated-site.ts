// The site of an operator, as the pages of docs/operate assume it: the folders of the Debian package, and something of each
// kind that is rotated.

import { readFile } from 'node:fs/promises'
import { hash } from '@node-rs/argon2'
import { countersign } from '../../cli/run.ts'
import { startEnvoy, type Envoy } from '../../servers/envoy.ts'
import { freePort } from '../../servers/ports.ts'
import type { TemporaryFolder } from '../../servers/temporary.ts'
import { CountersignProcess } from '../process.ts'
import { Machine, type Service } from './machine.ts'
import { startReplaceableUpstream, type ReplaceableUpstream } from './upstream.ts'

/** Of every user. */
export const PASSWORD = 'wonderland'

/** A running site. */
export interface OperatedSite extends AsyncDisposable {
  readonly machine: Machine
  readonly upstream: ReplaceableUpstream
  /** The port of Envoy. */
  readonly port: number
  /** The first API key, of the user ci. */
  readonly apiKey: string
}

const process = (command: 'authz' | 'signer', config: string): Service => {
  const child = new CountersignProcess(command, config)
  return {
    start: async () => void (await child.start()),
    stop: async () => void (await child.end('SIGTERM')),
    reload: () => child.signal('SIGHUP'),
    reopen: () => child.signal('SIGUSR2'),
    log: () => child.log,
    [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
  }
}

const envoyOf = (file: string): Service => {
  let envoy: Envoy | undefined
  const stop = async (): Promise<void> => await envoy?.[Symbol.asyncDispose]()
  return {
    start: async () => {
      envoy = await startEnvoy({ bootstrap: await readFile(file, 'utf8') })
    },
    stop,
    reload: () => undefined,
    reopen: () => undefined,
    log: () => envoy?.log() ?? '',
    [Symbol.asyncDispose]: stop,
  }
}

const servicesIn = (folder: TemporaryFolder): ReadonlyMap<string, Service> =>
  new Map([
    ['countersign-authz', process('authz', folder.file('etc/countersign/countersign.yaml'))],
    ['countersign-signer', process('signer', folder.file('etc/countersign/signer.yaml'))],
    ['envoy', envoyOf(folder.file('etc/envoy/envoy.yaml'))],
  ])

const SIGNER = `
version: 1
listen: unix:/run/countersign/signer/signer.sock
keyring: file:signer-ca/grant.keys
authorities:
  app: { certificate: signer-ca/ca.pem, key: file:signer-ca/ca.key }
audit: { file: /var/log/countersign/signer/issued.jsonl }
`

/** What is made with `countersign`, in this process since a process for each takes longer; `@` is /etc/countersign. */
const MADE = [
  ['ca', 'create', '--out', '@ca', '--name', 'Site CA'],
  ['ca', 'create', '--out', '@signer-ca', '--name', 'Signer CA', '--only', 'client'],
  ['ca', 'create', '--out', '@staff', '--name', 'Staff CA'],
  ['ca', 'server', '--ca', '@ca', '--dns', 'localhost', '--dns', '*.example.org', ...pair('edge')],
  ['ca', 'server', '--ca', '@ca', '--dns', 'localhost', ...pair('authz')],
  ['ca', 'server', '--ca', '@ca', '--dns', 'localhost', ...pair('upstream', '@upstream')],
  ['ca', 'client', '--ca', '@ca', '--user', 'envoy', ...pair('envoy')],
  ['ca', 'client', '--ca', '@ca', '--user', 'front-proxy', ...pair('front-proxy')],
  ['ca', 'client', '--ca', '@staff', '--user', 'dora', ...pair('dora', '@staff')],
  ['keys', 'grant', '@grant.keys'],
  ['keys', 'signing', 'create', '@signing-keys'],
]

function pair(name: string, folder = '@tls'): readonly string[] {
  return ['--out', folder, '--as', name]
}

const COPIED = `
cp staff/ca.pem staff-ca.pem && cp ca/ca.pem upstream-ca.pem && cp ca/ca.pem tls/internal-ca.pem &&
cp grant.keys signer-ca && touch denied.txt &&
mkdir -p /etc/envoy/certificates /var/log/countersign/authz /var/log/countersign/signer`

const API_KEY = ['keys', 'api', '--user', 'ci', '--id', 'ci-2026', '--file', '@api-keys.yaml']

/** Runs a command of `countersign` in this process; what it prints. */
const make = async (machine: Machine, args: readonly string[]): Promise<string> => {
  const paths = args.map((arg) => arg.replace(/^@/, machine.path('/etc/countersign/')))
  const { status, stdout, stderr } = await countersign(paths)
  if (status !== 0) throw new Error(stderr)
  return stdout
}

/** Starts it. */
export const startOperatedSite = async (): Promise<OperatedSite> => {
  await using stack = new AsyncDisposableStack()
  const machine = stack.use(await Machine.start(servicesIn))
  const port = await freePort()
  const authz = await freePort()
  const password = await hash(PASSWORD, { memoryCost: 8, timeCost: 1, parallelism: 1 })
  const users = ['alice', 'bob'].map(
    (user) => `  ${user}: { password: "${password}", groups: [dev] }\n`,
  )
  await machine.write('/etc/countersign/users.yaml', `users:\n${users.join('')}`)
  await machine.write('/etc/countersign/signer.yaml', SIGNER)
  const apiKey = (await make(machine, API_KEY)).trim()
  for (const args of MADE) await make(machine, args)
  await machine.must(COPIED)
  const upstream = stack.use(
    await startReplaceableUpstream({
      certificate: machine.path('/etc/countersign/upstream/upstream.pem'),
      key: machine.path('/etc/countersign/upstream/upstream.key'),
      clientCas: ['signer-ca/ca.pem', 'ca/ca.pem'].map((file) =>
        machine.path(`/etc/countersign/${file}`),
      ),
    }),
  )
  const text = configuration({ port, authz, upstream: upstream.port })
  await machine.write('/etc/countersign/countersign.yaml', text)
  machine.replace('8443', String(port))
  await machine.must(
    `countersign envoy generate --config countersign.yaml --certificates-folder /etc/envoy/certificates --output /etc/envoy/envoy.yaml &&
    systemctl start countersign-authz countersign-signer envoy`,
  )
  const running = stack.move()
  return { machine, upstream, port, apiKey, [Symbol.asyncDispose]: () => running.disposeAsync() }
}

interface Ports {
  readonly port: number
  readonly authz: number
  readonly upstream: number
}

const configuration = ({ port, authz, upstream }: Ports): string => `
version: 1
listen:
  authz:
    address: 127.0.0.1:${authz}
    tls: { certificate: tls/authz.pem, key: file:tls/authz.key, clientCa: tls/internal-ca.pem }
  issuer: unix:/run/countersign/authz/issuer.sock
  admin: unix:/run/countersign/authz/admin.sock
certificateGrants: { keyring: file:grant.keys }
state: { sqlite: /var/lib/countersign/authz/state.db }
issuer: { url: https://id.example.org, keys: signing-keys, login: { authenticators: [password] } }
authenticators:
  password: { basic: { verify: [{ users: { file: users.yaml } }] } }
  key: { apiKey: { file: api-keys.yaml, locations: [{ header: x-api-key }] } }
  certificate:
    certificate: { trust: staff-ca.pem, revocation: { denied: { file: denied.txt } } }
    identity: { user: 'certificate.subject.CN' }
  browser: { session: { cacheTtl: 0s } }
routes:
  - name: app
    match: { hosts: [app.example.org] }
    authenticate: [certificate, key, browser, password]
    authorize: [{ allow: everyone }]
    forward:
      headers: kubernetes
      certificate: { ca: app, subject: { CN: identity.user }, lifetime: 20s }
      bearer: { mint: { audience: app, lifetime: 20s } }
  - name: front
    match: { hosts: [front.example.org] }
    authenticate: [certificate, key, password]
    authorize: [{ allow: everyone }]
    forward: { headers: kubernetes }
    upstream: app
audit: { file: /var/log/countersign/authz/audit.jsonl }
envoy:
  listener: { address: '127.0.0.1:${port}', certificate: tls/edge.pem, key: tls/edge.key, clientCa: staff-ca.pem }
  admin: unix:/run/envoy/admin.sock
  # As long as a start may take on a machine under load.
  authzTimeout: 30s
  authzTls: { certificate: tls/envoy.pem, key: tls/envoy.key, ca: tls/internal-ca.pem, serverName: localhost }
  signerAddress: unix:/run/countersign/signer/signer.sock
  upstreams:
    app:
      address: 127.0.0.1:${upstream}
      ca: upstream-ca.pem
      serverName: localhost
      certificate: tls/front-proxy.pem
      key: tls/front-proxy.key
      connectTimeout: 30s
`
