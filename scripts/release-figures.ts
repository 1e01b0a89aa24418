// What the artefacts of a release take: `node scripts/release-figures.ts [DIST]` prints the table of docs/operate/install.md. On Linux, as
// root; DIST is made by `npm run release`.

import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmod,
  chown,
  mkdir,
  mkdtempDisposable,
  readFile,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import * as z from 'zod'
import packageJson from '../package.json' with { type: 'json' }
import { TOKENS } from '../test/release/running.ts'
import { ROOT } from './release/root.ts'

const run = promisify(execFile)
const { version } = packageJson
const dist = resolve(process.argv[2] ?? join(ROOT, 'dist'))

/** An unpacked artefact. */
interface Artefact {
  readonly name: string
  /** The file in DIST. */
  readonly file: string
  /** Unpacks it into an empty folder. */
  readonly unpack: (file: string, folder: string) => Promise<Unpacked>
}

interface Unpacked {
  readonly program: readonly [string, ...string[]]
  /** The root of the file system that the program sees. */
  readonly root?: string
}

const USER = 10_001

const manifestSchema = z.tuple([z.object({ Config: z.string(), Layers: z.array(z.string()) })])
const configSchema = z.object({ config: z.object({ Entrypoint: z.array(z.string()) }) })

const ARTEFACTS: readonly Artefact[] = [
  {
    name: 'npm package',
    file: `countersign-${version}.tgz`,
    async unpack(file, folder) {
      await run('tar', ['-xzf', file, '-C', folder])
      // As npm does it: the native packages are next to the package.
      await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'))
      return { program: [process.execPath, join(folder, 'package/bin/countersign.js')] }
    },
  },
  {
    name: 'program without Node',
    file: `countersign-${version}-linux-x64`,
    unpack: async (file) => ({ program: [file] }),
  },
  {
    name: 'Debian package',
    file: `countersign_${version}_amd64.deb`,
    async unpack(file, folder) {
      await run('dpkg-deb', ['--extract', file, folder])
      const lib = join(folder, 'usr/lib/countersign')
      return { program: [join(lib, 'node'), join(lib, 'bin/countersign.js')] }
    },
  },
  {
    name: 'container image',
    file: `countersign-${version}-image-amd64.tar`,
    async unpack(file, folder) {
      const [image, root] = [join(folder, 'image'), join(folder, 'root')]
      await Promise.all([mkdir(image), mkdir(root)])
      await run('tar', ['-xf', file, '-C', image])
      const read = async (name: string): Promise<unknown> =>
        JSON.parse(await readFile(join(image, name), 'utf8'))
      const [{ Config, Layers }] = manifestSchema.parse(await read('manifest.json'))
      for (const layer of Layers) await run('tar', ['-xzf', join(image, layer), '-C', root])
      const { config } = configSchema.parse(await read(Config))
      const inside = ['chroot', `--userspec=${USER}:${USER}`, root] as const
      return { program: [...inside, ...config.Entrypoint], root }
    },
  },
]

// Variables of this machine, such as further CAs, would add to the times.
const env = { PATH: process.env['PATH'] }

const RUNS = 5
const LINES = 'TIMEFORMAT=%U+%S; time "$@" >/dev/null'

/** The CPU time of a command, in milliseconds: the least of some runs, since whatever else the machine does adds to it. */
const cpuOf = async (program: readonly string[], ...args: readonly string[]): Promise<number> => {
  const times: number[] = []
  for (let count = 0; count < RUNS; count++) {
    const { stderr } = await run('bash', ['-ec', LINES, 'bash', ...program, ...args], { env })
    const [user = 0, system = 0] = (stderr.trim().split('\n').at(-1) ?? '').split('+').map(Number)
    times.push((user + system) * 1_000)
  }
  return Math.min(...times)
}

/** CPU time in milliseconds and resident memory in MB of authz when it is ready. */
const readyOf = async (
  [command, ...first]: Unpacked['program'],
  config: string,
): Promise<{ readonly cpu: number; readonly memory: number }> => {
  const child = spawn(command, [...first, 'authz', '--config', config], {
    env,
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const ended = once(child, 'exit')
  await once(child, 'message')
  const processStat = await readFile(`/proc/${child.pid}/stat`, 'utf8')
  const status = await readFile(`/proc/${child.pid}/status`, 'utf8')
  child.kill('SIGTERM')
  await ended
  // proc_pid_stat(5): utime and stime, in hundredths of a second.
  const fields = processStat.slice(processStat.lastIndexOf(')') + 2).split(' ')
  return {
    cpu: (Number(fields[11]) + Number(fields[12])) * 10,
    memory: Number(/^VmRSS:\s*(\d+)/m.exec(status)?.[1]) / 1_000,
  }
}

const leastReady = async (program: Unpacked['program'], config: string) => {
  const runs: Awaited<ReturnType<typeof readyOf>>[] = []
  for (let count = 0; count < RUNS; count++) runs.push(await readyOf(program, config))
  return {
    cpu: Math.min(...runs.map(({ cpu }) => cpu)),
    memory: Math.min(...runs.map(({ memory }) => memory)),
  }
}

const KEYS = {
  keys: [{ kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' }],
}

const rowOf = async ({ name, file, unpack }: Artefact): Promise<string> => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'countersign-figures-'))
  await chmod(folder.path, 0o755)
  const { program, root = '' } = await unpack(join(dist, file), folder.path)
  const site = root === '' ? join(folder.path, 'site') : '/site'
  await mkdir(join(root, site))
  await writeFile(join(root, site, 'countersign.yaml'), TOKENS)
  await writeFile(join(root, site, 'keys.json'), JSON.stringify(KEYS))
  await chown(join(root, site), root === '' ? 0 : USER, 0)
  const config = join(site, 'countersign.yaml')
  const { size } = await stat(join(dist, file))
  const versionCpu = await cpuOf(program, '--version')
  const validateCpu = await cpuOf(program, 'validate', '--config', config)
  const ready = await leastReady(program, config)
  const times = [versionCpu, validateCpu, ready.cpu].map((cpu) => `${Math.round(cpu)} ms`)
  return `| ${[name, `${(size / 1e6).toFixed(1)} MB`, ...times, `${Math.round(ready.memory)} MB`].join(' | ')} |`
}

console.log(
  '| artefact | size | `--version` | `validate` | `authz`, until it is ready | resident |',
)
console.log('| --- | --- | --- | --- | --- | --- |')
for (const artefact of ARTEFACTS) console.log(await rowOf(artefact))
