// The first service of docker-compose.yml, which ends before the other services begin: makes keys,
// certificates and users in the volume of each service that needs them, and nowhere else, and writes
// Envoy's configuration from Countersign's.
//
//   node setup.ts SERVICE=GROUP …    the number of the group that may read the volume of a service
//
// It is not root: it gives files to groups of which it is a member itself.

import { existsSync } from 'node:fs'
import { chmod, chown, mkdir, rename, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { stringify } from 'yaml'
import { USERS } from '../../demo/tour.ts'
import { makeHash } from '../../src/authenticate/password/hash.ts'
import { createAuthority } from '../../src/cli/ca/authority.ts'
import { issue } from '../../src/cli/ca/issue.ts'
import { keyPem } from '../../src/cli/ca/keys.ts'
import { namesFor } from '../../src/cli/ca/names.ts'
import { reportFailure } from '../../src/cli/report.ts'
import { ConfigurationFiles } from '../../src/config/files.ts'
import { readConfig } from '../../src/configuration/parse.ts'
import { renderBootstrap } from '../../src/envoy/bootstrap.ts'
import { refusalRate } from '../../src/envoy/refusal-log.ts'
import { newGrantKeyLine } from '../../src/keys/grant-keys.ts'

/** Where things are, and who may read them. */
export interface Place {
  /** The folder in which each service has its own. */
  readonly root: string
  /** The configuration of Countersign. */
  readonly config: string
  /** Group ids by the names of the services. */
  readonly groups: Readonly<Record<string, number>>
}

/** What is made once, as SERVICE/FILE. */
const MADE = [
  'authz/users.yaml',
  'authz/grant.keys',
  'signer/grant.keys',
  'signer/ca.pem',
  'signer/ca.key',
  'envoy/ca.pem', // of the edge: for callers, who have to trust it
  'envoy/edge.pem',
  'envoy/edge.key',
  'envoy/upstream-ca.pem',
  'envoy/front-proxy.pem',
  'envoy/front-proxy.key',
  'upstream/upstream.pem',
  'upstream/upstream.key',
  'upstream/client-ca.pem',
] as const

/**
 * Makes what is not there yet. All of it is made anew when any of it is missing, since the parts
 * only fit together; Envoy's configuration is written every time.
 *
 * @returns whether keys, certificates and users were made
 */
export const setUp = async (place: Place): Promise<boolean> => {
  const complete = MADE.every((file) => existsSync(join(place.root, file)))
  if (!complete) await writeAll(place, await make())
  const rateFile = join(place.root, 'envoy/rate.json')
  await writeAll(place, {
    'envoy/rate.json': refusalRate(),
    'envoy/envoy.yaml': await bootstrap(place.config, rateFile),
  })
  return !complete
}

const make = async (): Promise<Readonly<Record<(typeof MADE)[number], string>>> => {
  // Nothing else is issued by the first two, whose keys end with this process.
  const edgeCa = await createAuthority({ commonName: 'Countersign demo: edge', pathLength: 0 })
  const upstreamCa = await createAuthority({
    commonName: 'Countersign demo: upstream',
    pathLength: 0,
  })
  const signerCa = await createAuthority({
    commonName: 'Countersign demo: signer',
    profile: 'client',
    pathLength: 0,
  })
  const grantKeys = `${newGrantKeyLine()}\n`
  const edge = await issue(edgeCa, {
    profile: 'server',
    ...namesFor('server', { dns: ['*.example.org', 'localhost'], ip: ['127.0.0.1'] }),
  })
  const upstream = await issue(upstreamCa, {
    profile: 'server',
    ...namesFor('server', { dns: ['upstream'] }),
  })
  const frontProxy = await issue(upstreamCa, {
    profile: 'client',
    ...namesFor('client', { user: 'front-proxy' }),
  })
  return {
    'authz/users.yaml': await users(),
    'authz/grant.keys': grantKeys,
    'signer/grant.keys': grantKeys,
    'signer/ca.pem': signerCa.certificates,
    'signer/ca.key': keyPem(signerCa.key),
    'envoy/ca.pem': edgeCa.certificates,
    'envoy/edge.pem': edge.certificate,
    'envoy/edge.key': edge.key,
    'envoy/upstream-ca.pem': upstreamCa.certificates,
    'envoy/front-proxy.pem': frontProxy.certificate,
    'envoy/front-proxy.key': frontProxy.key,
    'upstream/upstream.pem': upstream.certificate,
    'upstream/upstream.key': upstream.key,
    'upstream/client-ca.pem': upstreamCa.certificates + signerCa.certificates,
  }
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

const bootstrap = async (file: string, rateFile: string): Promise<string> => {
  const { config } = await readConfig(file, new ConfigurationFiles())
  return renderBootstrap(config, { rateFile })
}

const writeAll = async (place: Place, files: Readonly<Record<string, string>>): Promise<void> => {
  for (const [file, contents] of Object.entries(files)) {
    await write(place, file, contents)
  }
}

const FOLDER_MODE = 0o750
const FILE_MODE = 0o640

/** Writes a file for its service alone, atomically. */
const write = async ({ root, groups }: Place, file: string, contents: string): Promise<void> => {
  const [service = ''] = file.split('/')
  const group = groups[service]
  if (group === undefined) throw new Error(`the group of the service "${service}" is not given`)
  const path = join(root, file)
  const part = `${path}.part`
  await mkdir(dirname(path), { recursive: true })
  await give(dirname(path), FOLDER_MODE, group)
  await writeFile(part, contents, { mode: 0o600 })
  await give(part, FILE_MODE, group)
  await rename(part, path)
}

const SAME_OWNER = -1

const give = async (path: string, mode: number, group: number): Promise<void> => {
  await chown(path, SAME_OWNER, group)
  await chmod(path, mode)
}

const main = async (args: readonly string[]): Promise<void> => {
  const groups = args.map((argument) => argument.split('='))
  const made = await setUp({
    root: '/var/lib/countersign',
    config: '/etc/countersign/countersign.yaml',
    groups: Object.fromEntries(groups.map(([service, group]) => [service, Number(group)])),
  })
  console.log(made ? 'made keys, certificates and users' : 'keys, certificates and users are there')
}

if (import.meta.main) {
  await main(process.argv.slice(2)).catch((cause: unknown) =>
    reportFailure({ process, console }, cause),
  )
}
