// `npm run demo`: makes keys and a configuration, and starts two TLS upstreams (one trusts only Envoy, one requires a
// certificate for every identity) and `countersign up`; then prints a tour of curl commands and a page to log in at.
// `--check` runs the tour, compares every answer, and exits with 0 or 1.

import { spawn, type ChildProcess } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { dirname, join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { newApiKey } from '../src/authenticate/api-key/key.ts'
import { endSignal } from '../src/cli/signals.ts'
import { newGrantKeyLine } from '../src/keys/grant-keys.ts'
import { makeKey, type IssuerKey } from '../test/authenticate/bearer/issuing.ts'
import { madeKey } from '../test/fakes/signing-keys.ts'
import { startCertificateUpstream } from '../test/servers/certificate-upstream.ts'
import { writeSigningKeys } from '../test/servers/signing-keys.ts'
import { temporaryFolder } from '../test/servers/temporary.ts'
import { startUpstream } from '../test/servers/upstream.ts'
import { checkTour } from './check.ts'
import {
  apiKeysFile,
  configuration,
  FOREIGN_ISSUER,
  issuerAt,
  signerConfiguration,
  usersFile,
} from './configuration.ts'
import { createDemoPki } from './pki.ts'
import { curlFor, HOST, tourWith, VISIT, type Stop } from './tour.ts'

const PREFERRED_PORT = 8443
const READY = /ready, listening on https:\/\//

const { values: options } = parseArgs({
  options: { check: { type: 'boolean', default: false }, port: { type: 'string' } },
})

/** What runs once all is written. */
interface Prepared extends Demo {
  readonly tour: readonly Stop[]
}

const main = async (): Promise<void> => {
  const end = endSignal()
  await using stack = new AsyncDisposableStack()
  const { tour, ...demo } = await prepare(stack)
  const countersign = spawnCountersign(demo.config)
  stack.defer(() => ended(countersign, 'SIGTERM'))
  await Promise.race([end, show(countersign, tour, demo)])
  if (process.connected) process.disconnect() // or the channel would keep the process alive
}

const show = async (
  countersign: ChildProcess,
  tour: readonly Stop[],
  demo: Demo,
): Promise<void> => {
  await ready(countersign)
  if (options.check) {
    process.exitCode = (await checkTour(tour, demo)) ? 0 : 1
    return
  }
  printTour(tour, demo)
  await exited(countersign)
}

const prepare = async (stack: AsyncDisposableStack): Promise<Prepared> => {
  const { path: folder } = stack.use(await temporaryFolder())
  const pki = await createDemoPki(join(folder, 'pki'))
  const upstream = stack.use(
    await startUpstream({ identity: pki.upstream, clientCa: pki.ca, record: false }),
  )
  const ledger = stack.use(
    await startCertificateUpstream({
      identity: pki.upstream,
      clientCas: await readFile(pki.signerCa.certificate, 'utf8'),
    }),
  )
  await writeFile(join(folder, 'users.yaml'), await usersFile())
  await writeFile(join(folder, 'grant.keys'), `${newGrantKeyLine()}\n`, { mode: 0o600 })
  await writeFile(join(folder, 'signer.yaml'), signerConfiguration(pki.signerCa))
  await writeSigningKeys(join(folder, 'signing-keys'), [await madeKey('ES256')])
  const issuerKey = await makeKey()
  await writeFile(join(folder, 'issuer.jwks'), JSON.stringify({ keys: [issuerKey.jwk] }))
  const apiKey = newApiKey('demo')
  await writeFile(join(folder, 'api-keys.yaml'), apiKeysFile(apiKey))
  const config = join(folder, 'countersign.yaml')
  // A browser comes back to it, so it is in the configuration.
  const port = await freePort(Number(options.port ?? (options.check ? 0 : PREFERRED_PORT)))
  const token = await carolsToken(issuerKey)
  const tour = tourWith({ token, apiKey, issuer: issuerAt(port) })
  const upstreams = { api: upstream.port, ledger: ledger.port }
  await writeFile(config, configuration({ pki, upstreams, port }))
  return { tour, port, ca: pki.ca, config, audit: join(folder, 'audit.jsonl') }
}

const EIGHT_HOURS = 28_800

const carolsToken = async (key: IssuerKey): Promise<string> => {
  const now = Math.floor(Date.now() / 1_000)
  return await key.token({
    iss: FOREIGN_ISSUER,
    aud: 'demo',
    sub: '4711',
    email: 'carol@example.org',
    groups: ['k8s-dev', 'hr'],
    iat: now,
    exp: now + EIGHT_HOURS,
  })
}

/** The port if nothing has it, else another; any for 0. */
const freePort = async (port: number): Promise<number> => {
  const { promise, resolve: settle, reject } = Promise.withResolvers<number>()
  const probe = createServer()
  probe.once('error', (cause) => (port === 0 ? reject(cause) : settle(freePort(0))))
  probe.listen(port, '127.0.0.1', () => {
    const address = probe.address()
    const free = typeof address === 'object' && address !== null ? address.port : port
    probe.close(() => settle(free))
  })
  return await promise
}

const spawnCountersign = (config: string): ChildProcess =>
  spawn(
    process.execPath,
    [resolve(import.meta.dirname, '../src/countersign.ts'), 'up', '--config', config],
    // Over the channel it notices when the demo ends, however that happens.
    { stdio: ['ignore', 'inherit', 'pipe', 'ipc'], detached: true },
  )

/** Waits for the ready line; all other output is written to standard error. */
const ready = async (child: ChildProcess): Promise<void> => {
  const { promise, resolve: settle, reject } = Promise.withResolvers<void>()
  child.once('exit', (code) => reject(new Error(`countersign ended with status ${code}`)))
  if (child.stderr === null) throw new Error('standard error of countersign is not piped')
  createInterface({ input: child.stderr }).on('line', (line) => {
    if (READY.test(line)) settle()
    else console.error(line)
  })
  await promise
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
  console.log(`\nCountersign is up on https://${HOST}:${port}, with Envoy and two TLS upstreams`)
  console.log('that show what they received. In another terminal:\n')
  for (const [index, stop] of tour.entries()) {
    console.log(`${index + 1}. ${stop.title}`)
    console.log(`   ${curlFor(stop, port, ca)}`)
    console.log(`   → ${stop.want.status}; look for ${stop.want.look}\n`)
  }
  console.log(`${tour.length + 1}. ${VISIT.title}`)
  for (const line of VISIT.textFor(port, ca)) console.log(`   ${line}`)
  console.log(`Audit events:   tail -f ${audit}`)
  console.log(`Issuances:      tail -f ${join(dirname(audit), 'issued.jsonl')}`)
  console.log(`Configuration:  ${config} (authz reloads it when you edit it)`)
  console.log(`Why refused?    npm run countersign -- explain --config ${config} \\`)
  console.log(
    `                  --audit ${audit} --decision ID   (x-countersign-decision of an answer)`,
  )
  console.log('Ctrl-C ends the demo.')
}

await main()
