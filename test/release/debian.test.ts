// The Debian package of a release, on a Debian machine of its own: apt installs, upgrades and removes it, systemd runs its units, and
// they do the main job by the commands of docs/operate/install.md.
//
// Slow: it makes a release, and starts a machine.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { appendFile, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { promisify } from 'node:util'
import packageJson from '../../package.json' with { type: 'json' }
import { findEnvoy } from '../../src/envoy/binary.ts'
import { blocksTestedBy } from '../docs/examples/blocks.ts'
import { eventually } from '../e2e/site.ts'
import { skipWithoutDebian, startDebian, type DebianMachine } from '../servers/debian.ts'
import { skipWithoutEnvoy } from '../servers/envoy.ts'
import { temporaryFolder } from '../servers/temporary.ts'
import { startMainJob, type MainJob } from './main-job.ts'
import { releaseTo } from './running.ts'

const run = promisify(execFile)
const { version } = packageJson
const HIGHER = '999.0.0'
const archiveOf = (number: string): string => `countersign_${number}_amd64.deb`

const SERVICES = ['authz', 'signer'] as const

const [installation, changes] = blocksTestedBy(
  'test/release/debian.test.ts',
  'docs/operate/install.md',
).map(({ text }) => text)
assert.ok(installation !== undefined && changes !== undefined)
const [aptInstall = '', , init = ''] = installation.split('\n')

describe('the Debian package', { skip: skipWithoutDebian() || skipWithoutEnvoy() }, () => {
  const stack = new AsyncDisposableStack()
  let machine: DebianMachine
  let job: MainJob

  before(async () => {
    const folder = stack.use(await temporaryFolder())
    const dist = folder.file('dist')
    await releaseTo(dist, 'debian')
    await makeHigherVersion(join(dist, archiveOf(version)), dist)
    machine = stack.use(await startDebian({ '/mnt': dist, '/usr/bin/envoy': findEnvoy() }))
    await install(version)
  })

  after(async () => await stack.disposeAsync())

  const install = async (number: string): Promise<void> => {
    const command = aptInstall.replace('apt install', 'apt install --yes')
    await machine.sh(`cd /mnt && ${command.replace(archiveOf(version), archiveOf(number))}`)
  }
  const file = (name: string): string => machine.file(`/etc/countersign/${name}`)
  const audit = (name = 'audit.jsonl'): string => machine.file(`/var/log/countersign/authz/${name}`)
  const mainPid = async (unit: string): Promise<string> =>
    await machine.run('systemctl', 'show', '--property=MainPID', '--value', unit)
  const isActive = async (unit: string): Promise<boolean> =>
    (await machine.sh(`systemctl is-active ${unit} || true`)) === 'active\n'

  const textsOf = async (paths: readonly string[]): Promise<readonly string[]> =>
    await Promise.all(paths.map((path) => readFile(machine.file(path), 'utf8')))

  /** Does the main job; with the journal where it fails. */
  const works = async (): Promise<void> => {
    try {
      await job.check()
    } catch (cause) {
      const units = ['--unit=countersign-*', '--unit=envoy']
      throw new Error(await machine.run('journalctl', '--lines=40', ...units), { cause })
    }
  }

  it('installs the command, and users whose sockets only the group of Envoy can reach', async () => {
    assert.equal(await machine.run('countersign', '--version'), `${version}\n`)
    const numberOf = async (...args: readonly string[]): Promise<number> =>
      Number((await machine.run('getent', ...args)).split(':')[2])
    const gid = await numberOf('group', 'countersign-envoy')
    for (const service of SERVICES) {
      const folder = await stat(machine.file(`/run/countersign/${service}`))
      assert.deepEqual(
        [folder.uid, folder.gid],
        [await numberOf('passwd', `countersign-${service}`), gid],
      )
      assert.equal(folder.mode & 0o7777, 0o2750)
    }
  })

  it('does not start a unit without its configuration', async () => {
    for (const service of SERVICES) {
      await machine.run('systemctl', 'start', `countersign-${service}`)
      assert.ok(!(await isActive(`countersign-${service}`)))
    }
  })

  it('does the main job by the commands of the page, with live units', async () => {
    job = stack.use(
      await startMainJob({
        run: async (args) => {
          // The upstream of the test, and its CA, in place of those of the page.
          const options = Object.fromEntries(
            args.flatMap((arg, at) => (arg.startsWith('--') ? [[arg, args[at + 1] ?? '']] : [])),
          )
          const command = init.replaceAll(
            /(--upstream(?:-ca)?) \S+/g,
            (_, name) => `${name} ${options[name]}`,
          )
          return await machine.sh(`cd /etc/countersign && ${command} --port ${options['--port']}`)
        },
        folder: '/etc/countersign',
        file,
      }),
    )
    await machine.sh(`cd /etc/countersign\n${changes}`)
    await works()
    assert.match(await readFile(audit(), 'utf8'), /"user":"alice"/)
  })

  for (const service of SERVICES) {
    it(`runs countersign-${service} with an exposure of at most 2.0, as its user`, async () => {
      const unit = `countersign-${service}`
      await machine.run('systemd-analyze', 'security', '--threshold=20', unit)
      await machine.run('systemd-analyze', 'verify', `${unit}.service`)
      const pid = (await mainPid(unit)).trim()
      const status = await machine.run('cat', `/proc/${pid}/status`)
      for (const line of [
        /^Uid:\t[1-9]/m,
        /^CapEff:\t0+$/m,
        /^NoNewPrivs:\t1$/m,
        /^Seccomp:\t2$/m,
      ]) {
        assert.match(status, line)
      }
    })
  }

  it('gives the signer no network, and neither service the files of the other', async () => {
    const pid = (await mainPid('countersign-signer')).trim()
    const routes = await machine.run('cat', `/proc/${pid}/net/route`)
    assert.equal(routes.trim().split('\n').length, 1) // the heading
    const canRead = async (service: string, name: string): Promise<boolean> =>
      (await machine.sh(
        `setpriv --reuid=countersign-${service} --regid=countersign-${service} --init-groups cat /etc/countersign/${name} >/dev/null 2>&1 && echo yes || echo no`,
      )) === 'yes\n'
    assert.ok(await canRead('authz', 'users.yaml'))
    assert.ok(await canRead('signer', 'signer-ca/ca.key'))
    assert.ok(!(await canRead('authz', 'signer-ca/ca.key')))
    assert.ok(!(await canRead('signer', 'users.yaml')))
  })

  it('reloads without a restart: the audit file is opened again', async () => {
    const pid = await mainPid('countersign-authz')
    await machine.sh('cd /var/log/countersign/authz && mv audit.jsonl audit.old')
    await machine.run('systemctl', 'reload', 'countersign-authz')
    await eventually(
      () => readdir(audit('')),
      (names) => names.includes('audit.jsonl'),
    )
    await works()
    assert.equal(await mainPid('countersign-authz'), pid)
  })

  it('runs several workers, whose supervisor alone gets the signals of systemd', async () => {
    const unit = 'countersign-authz'
    const state = 'state: { sqlite: /var/lib/countersign/authz/state.db }'
    await appendFile(file('countersign.yaml'), `\nworkers: 2\n${state}\n`)
    await machine.run('systemctl', 'restart', unit)
    await works()
    assert.equal(
      await machine.run('systemctl', 'show', '--property=KillMode', '--value', unit),
      'mixed\n',
    )
    const pid = (await mainPid(unit)).trim()
    const children = (await machine.run('cat', `/proc/${pid}/task/${pid}/children`)).trim()
    const workers = children.split(' ')
    assert.equal(workers.length, 2)
    await machine.run('systemctl', 'stop', unit)
    for (const worker of workers) await machine.run('test', '!', '-e', `/proc/${worker}`)
    const journal = await machine.run('journalctl', `--unit=${unit}`, '--output=cat')
    assert.doesNotMatch(journal, /worker ended/)
    await machine.run('systemctl', 'start', unit)
    await works()
  })

  it('has its audit files rotated by logrotate, and writes to the new ones', async () => {
    const earlier = await readFile(audit(), 'utf8')
    await machine.run('logrotate', '--force', '/etc/logrotate.d/countersign')
    const names = await eventually(
      () => readdir(audit('')),
      (found) => found.includes('audit.jsonl'),
    )
    const rotated = names.find((name) => /^audit\.jsonl-\d{8}$/.test(name))
    assert.ok((await readFile(audit(rotated), 'utf8')).startsWith(earlier))
    await works()
    assert.ok(!(await readFile(audit(), 'utf8')).includes(earlier))
  })

  it('keeps configuration, state and changes of logrotate on an upgrade, and restarts the services', async () => {
    await appendFile(machine.file('/etc/logrotate.d/countersign'), '# changed\n')
    await writeFile(machine.file('/var/lib/countersign/authz/state'), 'state')
    const pids = await Promise.all(SERVICES.map((name) => mainPid(`countersign-${name}`)))
    const kept = await textsOf(KEPT)
    await install(HIGHER)
    assert.match(await machine.run('dpkg', '--status', 'countersign'), /^Version: 999\.0\.0$/m)
    assert.deepEqual(await textsOf(KEPT), kept)
    for (const [index, name] of SERVICES.entries()) {
      assert.notEqual(await mainPid(`countersign-${name}`), pids[index])
    }
    await works()
  })

  /** Removes the package; what administrators and services wrote stays. */
  const removeBy = async (action: string, kept: readonly string[]): Promise<void> => {
    const texts = await textsOf(kept)
    await machine.run('apt-get', action, '--yes', 'countersign')
    for (const service of SERVICES) assert.ok(!(await isActive(`countersign-${service}`)))
    assert.equal((await job.send()).status, 503)
    assert.deepEqual(await textsOf(kept), texts)
    await machine.run('getent', 'passwd', 'countersign-authz')
    assert.ok(!(await readdir(machine.file('/usr/lib'))).includes('countersign'))
  }

  it('stops the services when it is removed, and works as before when it is installed again', async () => {
    await removeBy('remove', KEPT)
    await install(version)
    await machine.run('systemctl', 'start', 'countersign-authz', 'countersign-signer')
    await works()
  })

  it('stops the services when it is purged, and keeps all but the file of logrotate', async () => {
    await removeBy(
      'purge',
      KEPT.filter((path) => !path.includes('logrotate')),
    )
  })
})

const KEPT = [
  '/etc/countersign/countersign.yaml',
  '/etc/countersign/signer-ca/ca.key',
  '/etc/logrotate.d/countersign',
  '/var/lib/countersign/authz/state',
  '/var/log/countersign/authz/audit.old',
]

/** The same package as a later version. */
const makeHigherVersion = async (archive: string, dist: string): Promise<void> => {
  const root = join(dist, 'unpacked')
  await run('dpkg-deb', ['--raw-extract', archive, root])
  const control = join(root, 'DEBIAN/control')
  const text = await readFile(control, 'utf8')
  await writeFile(control, text.replace(`Version: ${version}`, `Version: ${HIGHER}`))
  await run('dpkg-deb', [
    '-Znone',
    '--root-owner-group',
    '--build',
    root,
    join(dist, archiveOf(HIGHER)),
  ])
}
