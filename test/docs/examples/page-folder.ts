// The folder in which the commands of a page run: the command `countersign`, the files that examples name, and those that
// the page writes (```yaml file=NAME). An application listens on port 3000 of the pages, one with TLS on port 6443, and curl
// finds Envoy, port 8443, behind every host.

import { chmod, copyFile, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { delimiter, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { parseDocument } from 'yaml'
import { Batch } from '../../../src/audit/batch.ts'
import { Chain } from '../../../src/audit/chain.ts'
import { decisionLine } from '../../fakes/audit-lines.ts'
import { freePort } from '../../servers/ports.ts'
import { temporaryFolder } from '../../servers/temporary.ts'
import { countersign } from '../../cli/run.ts'
import { ROOT } from '../markdown.ts'
import { startApplications } from './applications.ts'
import type { Block } from './blocks.ts'
import { makeExampleFiles } from './example-files.ts'
import { wholeText } from './yaml.ts'

/** A folder; it is removed at the end. */
export interface PageFolder extends AsyncDisposable {
  readonly path: string
  /** Of commands: its own programs come first. */
  readonly environment: NodeJS.ProcessEnv
  /** A text of the page, with what differs here. */
  readonly here: (text: string) => string
}

/** The decision in the audit log of a folder. */
const DECISION = '0b2c6b1e-0000-4000-8000-000000000001'

/** Folders of a machine with an installed Countersign. */
const INSTALLED = ['/etc', '/run', '/var/lib', '/var/log'].map((path) => `${path}/countersign`)

/** A text of a page, and what is in its place here. */
type Difference = readonly [string | RegExp, string]

/** What a page needs beyond what every folder has. */
export interface FolderOptions {
  /** They come before those of every folder. */
  readonly differences?: readonly Difference[]
  /** Further files by name, with what differs here. */
  readonly files?: Readonly<Record<string, string>>
  /** Files and folders that commands make, and that other pages need. */
  readonly without?: readonly string[]
  /** Programs, by name, that come before those of the machine: the texts of scripts. */
  readonly programs?: Readonly<Record<string, string>>
  /** Further variables. */
  readonly environment?: NodeJS.ProcessEnv
}

/** Makes the folder of a page with these blocks. */
export const openPageFolder = async (
  blocks: readonly Block[],
  options: FolderOptions = {},
): Promise<PageFolder> => {
  await using stack = new AsyncDisposableStack()
  const { path } = stack.use(await temporaryFolder())
  const envoy = await freePort()
  await makeExampleFiles(path)
  for (const name of ['staff-ca.pem', 'upstream-ca.pem']) {
    await copyFile(join(path, 'ca.pem'), join(path, name))
  }
  await run('ca', 'create', '--out', join(path, 'ca'))
  const names = ['localhost', '*.example.org'].flatMap((name) => ['--dns', name])
  await run(
    'ca',
    'server',
    '--ca',
    path,
    ...names,
    '--ip',
    '127.0.0.1',
    '--out',
    join(path, 'edge'),
  )
  for (const type of ['pem', 'key']) {
    await copyFile(join(path, `edge/server.${type}`), join(path, `edge.${type}`))
  }
  // Commands make the file that most configurations name.
  await rename(join(path, 'grant.keys'), join(path, 'edge/grant.keys'))
  const applications = stack.use(await startApplications(join(path, 'edge')))
  const differences: Difference[] = [
    ...(options.differences ?? []),
    ...INSTALLED.map((folder) => [folder, path] as const),
    [/0\.0\.0\.0:9091\b/g, '127.0.0.1:0'],
    [/\b8443\b/g, String(envoy)],
    [/\b3000\b/g, String(applications.plain)],
    [/\b6443\b/g, String(applications.tls)],
    ['0b2c…', DECISION],
    [/-u alice(?= )/g, '-u alice:wonderland'],
  ]
  const here = (text: string): string =>
    differences.reduce((changed, [from, to]) => changed.replaceAll(from, to), text)
  await makeFiles(path, here)
  const programs = { countersign: here(COMMAND), sudo: SUDO, ...options.programs }
  await makePrograms(path, programs)
  await write(
    join(path, '.curlrc'),
    `cacert = "${path}/ca.pem"\nconnect-to = ":443:127.0.0.1:${envoy}"\n`,
  )
  differences.push(['KID', await signingKeyIn(path)])
  for (const block of blocks) {
    const name = block.attributes.get('file')
    if (name === undefined) continue
    await copyFile(join(path, 'edge/grant.keys'), join(path, 'grant.keys'))
    await write(join(path, name), here(wholeText(block, blocks)))
  }
  for (const name of options.without ?? []) await rm(join(path, name), { recursive: true })
  for (const [name, text] of Object.entries(options.files ?? {})) {
    await write(join(path, name), here(text))
  }
  const owned = stack.move()
  const { PATH = '', ENVOY_BIN, COUNTERSIGN_CACHE } = process.env
  return {
    path,
    here,
    environment: {
      PATH: [join(path, '.bin'), dirname(process.execPath), PATH].join(delimiter),
      ENVOY_BIN,
      COUNTERSIGN_CACHE,
      NODE_COMPILE_CACHE: join(ROOT, '.cache/compile'),
      NODE_EXTRA_CA_CERTS: join(path, 'ca.pem'),
      HOME: path,
      NO_COLOR: '1',
      ...options.environment,
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

const run = async (...args: readonly string[]): Promise<void> => {
  const { status, stderr } = await countersign(args)
  if (status !== 0) throw new Error(`countersign ${args.join(' ')}: ${stderr}`)
}

const write = async (file: string, text: string | Buffer): Promise<void> => {
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, text, { mode: 0o600 })
}

const SITE = join(import.meta.dirname, 'folder')

/** The configuration of every folder, in which `staff` is another authenticator. */
export const siteWith = async (staff: unknown): Promise<string> => {
  const site = parseDocument(await readFile(join(SITE, 'countersign.yaml'), 'utf8'))
  site.setIn(['authenticators', 'staff'], site.createNode(staff))
  return site.toString()
}

/** A record as the first one of an audit log. */
const chained = (record: string): Buffer => {
  const open = record.slice(0, -1)
  const batch = new Batch(new Chain())
  batch.begin([open], false)
  batch.add(open)
  const { bytes, start, length } = batch.take()
  return bytes.subarray(start, length)
}

/** Files that commands of the documents name. */
const makeFiles = async (path: string, here: (text: string) => string): Promise<void> => {
  for (const name of ['countersign.yaml', 'signer.yaml']) {
    await write(join(path, name), here(await readFile(join(SITE, name), 'utf8')))
  }
  const config = join(path, 'countersign.yaml')
  await copyFile(config, join(path, 'next.yaml'))
  await run('envoy', 'generate', '--config', config, '--output', join(path, 'envoy.yaml'))
  for (const name of ['api.yaml', 'old.yaml', 'new.yaml']) {
    await copyFile(join(import.meta.dirname, 'petstore.yaml'), join(path, name))
  }
  for (const name of ['issued.jsonl', 'kube-audit.log', 'envoy.jsonl']) {
    await write(join(path, name), '')
  }
  await run('ca', 'csr', '--dns', 'app.example.org', '--out', path, '--as', 'request')
  const lines = chained(JSON.stringify(decisionLine({ id: DECISION, rule: 'everyone', path: '/' })))
  await write(join(path, 'audit.jsonl'), lines)
  await write(join(path, 'audit-1.jsonl.gz'), await promisify(gzip)(lines))
}

// A refusal is what `explain` shows, with status 1; of everything else it is a failure.
const COMMAND = `#!/bin/sh
countersign="${join(ROOT, 'src/countersign.ts')}"
case $1 in
  explain) "${process.execPath}" "$countersign" "$@" || [ $? = 1 ]; exit ;;
  init) set -- "$@" --port 8443 ;;
  hash-password) echo wonderland | "${process.execPath}" "$countersign" "$@"; exit ;;
esac
exec "${process.execPath}" "$countersign" "$@"
`

/** Tests run as one user. */
const SUDO = `#!/bin/sh
[ "$1" = -u ] && shift 2
exec "$@"
`

const makePrograms = async (
  path: string,
  programs: Readonly<Record<string, string>>,
): Promise<void> => {
  for (const [name, text] of Object.entries(programs)) {
    const file = join(path, '.bin', name)
    await write(file, text)
    await chmod(file, 0o755)
  }
}

const signingKeyIn = async (path: string): Promise<string> => {
  const { keys } = JSON.parse(await readFile(join(path, 'signing-keys/keys.json'), 'utf8'))
  return String(keys[0].kid)
}
