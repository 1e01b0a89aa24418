// Base images for scripts/compose-test.ts, made from what this machine has rather than pulled: the Debian of scripts/debian-root.sh with
// Node, in which the image is built, and Envoy with the libraries that it is linked with.

import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chmod, cp, mkdir, readdir, realpath, rename, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { findEnvoy } from '../src/envoy/binary.ts'
import { findProgram } from '../src/runtime/child.ts'
import { DEBIAN_FILES } from '../test/servers/debian.ts'
import type { TemporaryFolder } from '../test/servers/temporary.ts'
import { mustRun, type Environment } from './compose-test.docker.ts'

/** The names of the base images, as docker-compose.yml takes them. */
export const BASE_IMAGES: Environment = {
  COUNTERSIGN_NODE_IMAGE: 'countersign-test-node',
  COUNTERSIGN_ENVOY_IMAGE: 'countersign-test-envoy',
}

/** The parts of an image. */
interface Contents {
  /** Name in /usr/local/bin or /bin → program of this machine. */
  readonly programs: Readonly<Record<string, string>>
  /** A folder whose files it has, too. Default: the libraries of the programs alone. */
  readonly base?: string
  readonly environment?: Environment
  /** Adds what is not a program. */
  readonly more?: (root: string) => Promise<void>
}

const PATH = '/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
const CA_BUNDLE = '/etc/ssl/certs/ca-certificates.crt'
// What Node 24 comes with.
const NPM = 'npm@11'

/** Makes the base images. */
export const makeBaseImages = async (
  folder: TemporaryFolder,
  docker: Environment,
): Promise<void> => {
  const registry = spawnSync('npm', ['config', 'get', 'registry'], { encoding: 'utf8' }).stdout
  await makeImage(folder, docker, 'countersign-test-node', {
    programs: {},
    // In which the Dockerfile installs a compiler, as in the image that this one replaces.
    base: DEBIAN_FILES,
    // The registry, and the CAs, that this machine uses.
    environment: {
      NPM_CONFIG_REGISTRY: registry.trim(),
      ...(existsSync(CA_BUNDLE) ? { NPM_CONFIG_CAFILE: CA_BUNDLE } : {}),
    },
    more: (root) => addNode(folder, root),
  })
  await makeImage(folder, docker, 'countersign-test-envoy', {
    programs: { envoy: findEnvoy(undefined), ...found('bash') },
  })
}

const found = (...names: readonly string[]): Readonly<Record<string, string>> =>
  Object.fromEntries(
    names.map((name) => {
      const path = findProgram(name)
      if (path === undefined) throw new Error(`this machine has no ${name}`)
      return [name, path]
    }),
  )

const makeImage = async (
  folder: TemporaryFolder,
  docker: Environment,
  name: string,
  { programs, base, environment = {}, more }: Contents,
): Promise<void> => {
  const root = folder.file(name)
  if (base === undefined) await addSystemFolders(root)
  else await mustRun(['cp', '--archive', base, root])
  for (const [program, path] of Object.entries(programs)) {
    // The path in the image that this one replaces.
    const place = program === 'envoy' ? 'usr/local/bin' : 'bin'
    await addProgram(root, path, join(place, program))
  }
  if (base === undefined) await addRestOfGlibc(root)
  await more?.(root)
  const archive = `${root}.tar`
  await mustRun(['tar', '-cf', archive, '-C', root, '--owner=0', '--group=0', '.'])
  const changes = Object.entries({ PATH, ...environment }).flatMap(([key, value]) => [
    '--change',
    `ENV ${key}=${value}`,
  ])
  await mustRun(['docker', 'import', ...changes, archive, name], docker)
}

const addSystemFolders = async (root: string): Promise<void> => {
  for (const path of ['bin', 'etc', 'tmp', 'usr/local/bin']) {
    await mkdir(join(root, path), { recursive: true })
  }
  await chmod(join(root, 'tmp'), 0o1777)
  await writeFile(join(root, 'etc/nsswitch.conf'), 'hosts: files dns\n')
}

const addProgram = async (root: string, from: string, to: string): Promise<void> => {
  const program = await realpath(from)
  await cp(program, join(root, to))
  const { stdout } = spawnSync('ldd', [program], { encoding: 'utf8' })
  for (const [, library = ''] of stdout.matchAll(/(?:=> |^\s+)(\/\S+) \(0x/gm)) {
    const place = join(root, library)
    if (existsSync(place)) continue
    await mkdir(dirname(place), { recursive: true })
    await cp(await realpath(library), place)
  }
}

// What glibc loads by itself, and what native addons may be linked with though Node is not.
const REST_OF_GLIBC = ['librt.so.1', 'libresolv.so.2', 'libnss_dns.so.2', 'libnss_files.so.2']

const addRestOfGlibc = async (root: string): Promise<void> => {
  const { stdout } = spawnSync('ldd', [process.execPath], { encoding: 'utf8' })
  const folder = dirname(/=> (\/\S+\/libc\.so\.6) /.exec(stdout)?.[1] ?? '')
  for (const library of REST_OF_GLIBC.map((name) => join(folder, name))) {
    if (existsSync(library)) await cp(await realpath(library), join(root, library))
  }
}

/** Node, and npm as a package of its own, since some systems strew theirs over many folders. */
const addNode = async (folder: TemporaryFolder, root: string): Promise<void> => {
  await cp(process.execPath, join(root, 'usr/local/bin/node'))
  const packed = folder.file('npm')
  await mkdir(packed)
  await mustRun(['npm', 'pack', NPM, '--silent', '--pack-destination', packed])
  const [archive = ''] = await readdir(packed)
  await mustRun(['tar', '-xf', join(packed, archive), '-C', packed])
  const modules = join(root, 'usr/local/lib/node_modules')
  await mkdir(modules, { recursive: true })
  await rename(join(packed, 'package'), join(modules, 'npm'))
  const command = '../lib/node_modules/npm/bin/npm-cli.js'
  await chmod(join(root, 'usr/local/bin', command), 0o755)
  await symlink(command, join(root, 'usr/local/bin/npm'))
  if (!existsSync(CA_BUNDLE)) return
  await mkdir(dirname(join(root, CA_BUNDLE)), { recursive: true })
  await cp(CA_BUNDLE, join(root, CA_BUNDLE), { dereference: true })
}
