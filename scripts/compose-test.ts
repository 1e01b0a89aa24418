// Runs docker-compose.yml and takes the tour from outside: `node scripts/compose-test.ts`, with Docker
// and Compose v2. Pulls no image: the base images are made from what this machine has, and everything
// is removed at the end.

import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { TOUR } from '../demo/tour.ts'
import { blocksTestedBy } from '../test/docs/examples/blocks.ts'
import { commandsIn } from '../test/docs/examples/shell.ts'
import { valuesOf, type Answer } from '../test/servers/client.ts'
import { temporaryFolder, type TemporaryFolder } from '../test/servers/temporary.ts'
import {
  containerFaults,
  receivedOf,
  stopFaults,
  visit,
  type Container,
} from './compose-test.checks.ts'
import {
  composeCommand,
  missing,
  mustRun,
  run,
  useEngine,
  type Ended,
  type Environment,
} from './compose-test.docker.ts'
import { BASE_IMAGES, makeBaseImages } from './compose-test.images.ts'

const PROJECT = 'countersign-test'
const IMAGES = {
  ...BASE_IMAGES,
  COUNTERSIGN_IMAGE: 'countersign-test',
  COUNTERSIGN_DEMO_IMAGE: 'countersign-test-demo',
}
const SERVICES = ['authz', 'signer', 'upstream', 'envoy'] as const

const SCRIPT = 'scripts/compose-test.ts'

/** The commands of the documents for Compose, without `docker compose`: they are the same on each page. */
const documented = ['README.md', 'docs/operate/install.md'].map((page) =>
  blocksTestedBy(SCRIPT, page)
    .flatMap(({ text }) => commandsIn(text))
    .filter(([, verb]) => verb === 'compose')
    .map((words) => words.slice(2)),
)
const [[UP = [], PRINT_TOUR = [], DOWN = [], ...others] = []] = documented
if (others.length > 0 || new Set(documented.map((page) => JSON.stringify(page))).size !== 1) {
  throw new Error('README.md and docs/operate/install.md have other commands')
}

/** The project of docker-compose.yml, in an engine. */
class Project {
  readonly #command: readonly [string, ...string[]]
  readonly #environment: Environment

  constructor(override: string, engine: Environment) {
    const compose = composeCommand()
    if (compose === undefined) throw new Error('there is no Compose')
    const file = resolve(import.meta.dirname, '../docker-compose.yml')
    this.#command = [...compose, '--project-name', PROJECT, '--file', file, '--file', override]
    // A port that the system chooses.
    this.#environment = { ...engine, ...IMAGES, COUNTERSIGN_PUBLISH: '127.0.0.1:' }
  }

  async try(...args: readonly string[]): Promise<Ended> {
    return await run([...this.#command, ...args], this.#environment)
  }

  async compose(...args: readonly string[]): Promise<string> {
    return await mustRun([...this.#command, ...args], this.#environment)
  }

  /** Starts what does not run, and waits until all of it is healthy. */
  async up(): Promise<void> {
    const { status, said } = await this.try(...UP, '--no-build')
    if (status === 0) return
    const { said: logs } = await this.try('logs')
    throw new Error(`up ended with ${status}:\n${said}\n${logs}`)
  }

  async docker(...args: readonly string[]): Promise<Ended> {
    return await run(['docker', ...args], this.#environment)
  }

  async container(service: string): Promise<Container> {
    const id = (await this.compose('ps', '--all', '--quiet', service)).trim()
    const [container]: readonly Container[] = JSON.parse((await this.docker('inspect', id)).said)
    if (container === undefined) throw new Error(`the service ${service} has no container`)
    return container
  }
}

let good = true

/** Reports one thing that was looked at. */
const report = (what: string, faults: readonly string[]): void => {
  console.log(`${faults.length === 0 ? 'ok    ' : 'FAILED'} ${what}`)
  for (const fault of faults) console.log(`         ${fault}`)
  good &&= faults.length === 0
}

const timed = async <T>(what: string, step: () => Promise<T>): Promise<T> => {
  const start = performance.now()
  const result = await step()
  console.log(`${what}: ${((performance.now() - start) / 1_000).toFixed(1)} s`)
  return result
}

const main = async (): Promise<void> => {
  const reason = missing()
  if (reason !== undefined) {
    console.log(`skipped: ${reason}`)
    // Where everything should be there, what is missing is a failure.
    process.exitCode = process.env['CI'] === 'true' ? 1 : 0
    return
  }
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await temporaryFolder())
  const engine = stack.use(await timed('engine', () => useEngine(folder)))
  const project = new Project(await buildOverride(folder), engine.environment)
  stack.defer(() => removeImages(project))
  await timed('base images', () => makeBaseImages(folder, engine.environment))
  const [build] = blocksTestedBy(SCRIPT, 'docs/operate/install.md')
  await timed('image alone', () => buildAlone(build?.text ?? '', engine.environment))
  // One after the other: the second finds the layers of the first.
  await timed('image', () => project.compose('build', 'authz'))
  await timed('demo image', () => project.compose('build', 'setup'))
  stack.defer(() => down(project))
  await timed('up', () => project.up())
  await timed('tour and checks', () => check(project, folder))
  console.log(good ? '\nAll answers are as expected.' : '\nSome answers are not as expected.')
  process.exitCode = good ? 0 : 1
}

/** Runs the `docker build` of a page, on the base image of this test. */
const buildAlone = async (command: string, environment: Environment): Promise<void> => {
  const options = `--network=host --build-arg=NODE_IMAGE=${BASE_IMAGES['COUNTERSIGN_NODE_IMAGE']}`
  const here = command
    .replace('docker build', `docker build ${options}`)
    .replace('--tag countersign', `--tag ${IMAGES.COUNTERSIGN_IMAGE}`)
  await mustRun(['sh', '-ec', here], environment)
}

/** Builds reach the package registry as this machine does, whatever its network is like. */
const buildOverride = async (folder: TemporaryFolder): Promise<string> => {
  const build = { build: { network: 'host' } }
  const services = Object.fromEntries(['authz', 'setup'].map((name) => [name, build]))
  const file = folder.file('override.yaml')
  await writeFile(file, JSON.stringify({ services })) // JSON is YAML
  return file
}

const down = async (project: Project): Promise<void> => {
  await project.compose('--profile', '*', ...DOWN, '--timeout', '5')
}

const removeImages = async (project: Project): Promise<void> => {
  await project.docker('image', 'rm', '--force', ...Object.values(IMAGES))
}

const check = async (project: Project, folder: TemporaryFolder): Promise<void> => {
  const ca = folder.file('ca.pem')
  await project.compose('cp', 'envoy:/var/lib/countersign/envoy/ca.pem', ca)
  const published = await project.compose('port', 'envoy', '8443')
  const at = { port: Number(published.trim().split(':').at(-1)), ca }
  await withoutSigner(project, at) // before any caller has a certificate
  await takeTour(project, at)
  await inspect(project)
  await separation(project)
  await restart(project, at)
}

type At = Parameters<typeof visit>[1]

const takeTour = async (project: Project, at: At): Promise<void> => {
  const ids: string[] = []
  for (const [index, stop] of TOUR.entries()) {
    const answer = await visit(stop, at)
    report(`${index + 1}. ${stop.title}`, stopFaults(stop, answer))
    ids.push(...valuesOf(answer, 'x-countersign-decision'))
  }
  const events = (await project.compose('logs', '--no-log-prefix', 'authz')).split('\n')
  const faults = ids
    .map((id) => [id, events.filter((line) => line.includes(id)).length] as const)
    .filter(([, count]) => count !== 1)
    .map(([id, count]) => `${count} audit events for decision ${id}`)
  report('one audit event for each decision', faults)
}

const withoutSigner = async (project: Project, at: At): Promise<void> => {
  const [first, second] = TOUR.filter(({ want }) => want.upstreamSeesSubject !== undefined)
  if (first === undefined || second === undefined) throw new Error('two users need a certificate')
  const answer = await visit(first, at)
  report('the first caller has a certificate', stopFaults(first, answer))
  await project.compose('stop', 'signer')
  const known = await visit(first, at)
  const same = fingerprintOf(answer) === fingerprintOf(known)
  report('and keeps it without the signer', same ? [] : [known.body])
  const { status } = await visit(second, at)
  report('the second gets none and is not forwarded', status === 503 ? [] : [`status ${status}`])
  await project.up()
  report('until it is back', stopFaults(second, await visit(second, at)))
}

const fingerprintOf = (answer: Answer): string => receivedOf(answer).certificate.fingerprint

const inspect = async (project: Project): Promise<void> => {
  for (const service of SERVICES) {
    report(`${service} is confined`, containerFaults(service, await project.container(service)))
  }
}

/** Asks a service for its health, as a user of a container with no more than the volume of its socket. */
const probe = (project: Project, service: string, user: string): Promise<Ended> =>
  project.docker(
    'run',
    '--rm',
    '--network=none',
    `--user=${user}`,
    `--volume=${PROJECT}_${service}-socket:/run/countersign/${service}:ro`,
    IMAGES.COUNTERSIGN_IMAGE,
    'health',
    `--address=unix:/run/countersign/${service}/${service}.sock`,
  )

const ENVOY = '10003:10003'
const UPSTREAM = '10004:10004'

const separation = async (project: Project): Promise<void> => {
  for (const service of ['authz', 'signer']) {
    const envoy = await probe(project, service, ENVOY)
    report(`Envoy’s user reaches ${service}`, envoy.status === 0 ? [] : [envoy.said])
    const other = await probe(project, service, UPSTREAM)
    report(`another user does not reach ${service}`, /EACCES/.test(other.said) ? [] : [other.said])
  }
  const printed = await project.compose(...PRINT_TOUR)
  report('the tour is printed', TOUR.every(({ title }) => printed.includes(title)) ? [] : [printed])
  const again = await project.compose('run', '--rm', 'setup')
  report('set-up keeps what is there', /are there/.test(again) ? [] : [again])
}

const FORWARDED = TOUR.find(({ want }) => want.status === 200)

const restart = async (project: Project, at: At): Promise<void> => {
  if (FORWARDED === undefined) throw new Error('the tour has no stop that is forwarded')
  await project.compose('stop', 'authz')
  const { status } = await visit(FORWARDED, at)
  report('without authz nothing is forwarded', status === 503 ? [] : [`status ${status}`])
  await project.up()
  report('and with it again', stopFaults(FORWARDED, await visit(FORWARDED, at)))
}

await main()
