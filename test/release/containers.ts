// authz and the signer as containers of the image of a release, in front of a real upstream, with an Envoy of this machine.

import { chown, mkdir, readFile, writeFile } from 'node:fs/promises'
import { globSync } from 'node:fs'
import { basename, join } from 'node:path'
import packageJson from '../../package.json' with { type: 'json' }
import type { Container } from '../../scripts/compose-test.checks.ts'
import { mustRun, useEngine } from '../../scripts/compose-test.docker.ts'
import { blocksTestedBy } from '../docs/examples/blocks.ts'
import { commandsIn, type Words } from '../docs/examples/shell.ts'
import { until } from '../fakes/until.ts'
import { startEnvoy } from '../servers/envoy.ts'
import { temporaryFolder } from '../servers/temporary.ts'
import { startMainJob, type MainJob } from './main-job.ts'

/** Running containers, by the names of their services. */
export interface Containers extends AsyncDisposable {
  readonly job: MainJob
  /** Runs a command of Docker; its output. */
  docker(...args: readonly string[]): Promise<string>
  /** Starts the container `documented` by the command of docs/operate/install.md. */
  startDocumented(): Promise<void>
  inspect(service: string): Promise<Container>
  /** Waits until the health check says so. */
  untilHealth(service: string, status: 'healthy' | 'unhealthy'): Promise<void>
}

const IMAGE = `countersign:${packageJson.version}`
// The user of the image.
const USER = 10_001
const CONFINED = [
  '--read-only',
  '--cap-drop=ALL',
  '--security-opt=no-new-privileges',
  '--network=none',
]
// As in the image, but more often.
const HEALTH = ['--health-interval=1s', '--health-retries=1', '--health-start-period=1s']

// What the folder of the page has at least.
const MINIMAL = `version: 1
listen: { authz: unix:/run/countersign/authz.sock }
authenticators: { guests: { anonymous: {} } }
routes: [{ name: app, authenticate: [guests], authorize: [{ allow: everyone }], forward: { headers: kubernetes } }]
`

/** The commands of docs/operate/install.md, without `docker`. */
const documented = (): readonly Words[] =>
  blocksTestedBy('test/release/image.test.ts', 'docs/operate/install.md')
    .flatMap(({ text }) => commandsIn(text))
    .map((words) => words.slice(1))

/** Loads the image, and starts the site. */
export const startContainers = async (archive: string): Promise<Containers> => {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await temporaryFolder())
  const { environment } = stack.use(await useEngine(folder))
  const docker = async (...args: readonly string[]): Promise<string> =>
    await mustRun(['docker', ...args], environment)
  const [load = [], start = []] = documented()
  await docker(...load.map((word) => (word === basename(archive) ? archive : word)))
  stack.defer(async () => void (await docker('image', 'rm', '--force', IMAGE)))
  console.log(`image: ${await docker('image', 'inspect', '--format={{.Size}}', IMAGE)}`)

  // The same path in the containers and for Envoy.
  const site = folder.file('site')
  const sockets = join(site, 'run')
  await mkdir(sockets, { recursive: true })
  const readable = [`--volume=${site}:${site}:ro`, `--volume=${sockets}:${sockets}`]
  const job = stack.use(
    await startMainJob({
      run: (args) =>
        docker(
          'run',
          '--rm',
          '--user=0',
          '--network=none',
          `--volume=${site}:${site}`,
          IMAGE,
          ...args,
        ),
      folder: site,
      file: (name) => join(site, name),
    }),
  )
  await writeAuditsTo(sockets, site)
  for (const path of [site, ...globSync(join(site, '**/*'))]) await chown(path, USER, USER)

  for (const service of ['authz', 'signer']) {
    const variables = [
      `--env=COUNTERSIGN_CONFIG=${site}/countersign.yaml`,
      `--env=COUNTERSIGN_SIGNER_CONFIG=${site}/signer.yaml`,
      `--env=COUNTERSIGN_HEALTH_ADDRESS=unix:${sockets}/${service}.sock`,
    ]
    const options = [`--name=${service}`, ...CONFINED, ...HEALTH, ...readable, ...variables]
    await docker('run', '--detach', ...options, IMAGE, service)
    stack.defer(async () => void (await docker('rm', '--force', service)))
  }
  const generate = ['envoy', 'generate', '--config', `${site}/countersign.yaml`]
  const bootstrap = await docker('run', '--rm', ...CONFINED, ...readable, IMAGE, ...generate)
  stack.use(await startEnvoy({ bootstrap }))
  const running = stack.move()
  const startDocumented = async (): Promise<void> => {
    const configuration = folder.file('countersign')
    await mkdir(configuration)
    await writeFile(join(configuration, 'countersign.yaml'), MINIMAL)
    const words = start.map((word) => word.replace('./countersign', configuration))
    await docker(
      'run',
      '--detach',
      '--name=documented',
      '--network=none',
      ...HEALTH,
      ...words.slice(1),
    )
    running.defer(async () => void (await docker('rm', '--force', 'documented')))
  }
  const inspect = async (service: string): Promise<Container> => {
    const [container]: readonly Container[] = JSON.parse(await docker('inspect', service))
    if (container === undefined) throw new Error(`no container ${service}`)
    return container
  }
  return {
    job,
    docker,
    startDocumented,
    inspect,
    untilHealth: (service, status) =>
      until(
        async () => (await inspect(service)).State.Health?.Status === status,
        `${service} is ${status}`,
      ),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  }
}

/** The only folder that the containers can write to has the audit files, too. */
const writeAuditsTo = async (folder: string, site: string): Promise<void> => {
  for (const [name, audit] of [
    ['countersign.yaml', 'audit'],
    ['signer.yaml', 'issued'],
  ] as const) {
    const file = join(site, name)
    const text = await readFile(file, 'utf8')
    await writeFile(file, text.replace(`file: ${audit}.jsonl`, `file: ${folder}/${audit}.jsonl`))
  }
}
