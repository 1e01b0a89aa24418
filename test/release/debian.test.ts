// The Debian package of a release: dpkg installs, upgrades and removes it in an empty root, and systemd judges its units.
//
// Slow: it makes a release and installs it.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { appendFile, cp, mkdir, readFile, realpath, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { promisify } from 'node:util'
import packageJson from '../../package.json' with { type: 'json' }
import { LIBRARIES } from '../../scripts/release/image.ts'
import { temporaryFolder, type TemporaryFolder } from '../servers/temporary.ts'
import { unless } from './unless.ts'

const ROOT = join(import.meta.dirname, '../..')
const run = promisify(execFile)

// dpkg runs the scripts of a package with chroot.
const skip = unless(
  process.getuid?.() === 0 && existsSync('/usr/bin/dpkg-deb'),
  'needs root on Debian',
)
const withoutSystemd = unless(
  existsSync('/usr/bin/systemd-analyze'),
  'systemd is not installed: apt-get install systemd',
)

const UNITS = ['countersign-authz.service', 'countersign-signer.service'] as const

describe('the Debian package', { skip }, () => {
  let folder: TemporaryFolder
  let root = ''
  let archive = ''

  before(async () => {
    folder = await temporaryFolder()
    root = folder.file('root')
    await run(process.execPath, [
      join(ROOT, 'scripts/release.ts'),
      folder.file('dist'),
      '--only',
      'debian',
    ])
    archive = folder.file(`dist/countersign_${packageJson.version}_amd64.deb`)
    for (const path of ['info', 'updates', 'triggers', 'parts']) {
      await mkdir(join(root, 'var/lib/dpkg', path), { recursive: true })
    }
    await writeFile(join(root, 'var/lib/dpkg/status'), '')
    // What packages of Debian that are always installed have: a shell, and the libraries.
    for (const path of LIBRARIES) await put(path, path)
    await put('/bin/dash', '/bin/sh')
    await writeFile(join(root, 'bin/kill'), '', { mode: 0o755 }) // of a unit
    await dpkg('--install', archive)
  })

  after(async () => await folder[Symbol.asyncDispose]())

  const put = async (from: string, to: string): Promise<void> => {
    const file = join(root, to)
    await mkdir(dirname(file), { recursive: true })
    await cp(await realpath(from), file)
  }

  // The libraries are there, but not their packages.
  const dpkg = async (...args: readonly string[]): Promise<void> => {
    await run('dpkg', [`--root=${root}`, '--force-depends', '--force-not-root', ...args])
  }

  const inside = async (...args: readonly string[]): Promise<string> =>
    (await run('chroot', ['--userspec=65534:65534', root, ...args])).stdout

  it('installs the command', async () => {
    assert.equal(await inside('/usr/bin/countersign', '--version'), `${packageJson.version}\n`)
  })

  it('keeps configuration, state and changes of logrotate on upgrade, removal and purge', async () => {
    const kept = {
      'etc/countersign/countersign.yaml': 'version: 1\n',
      'var/lib/countersign/authz/state.db': 'state',
      'var/log/countersign/authz/audit.jsonl': '{}\n',
    }
    for (const [path, text] of Object.entries(kept)) {
      await mkdir(join(root, dirname(path)), { recursive: true })
      await writeFile(join(root, path), text)
    }
    const isKept = async (): Promise<void> => {
      for (const [path, text] of Object.entries(kept)) {
        assert.equal(await readFile(join(root, path), 'utf8'), text, path)
      }
    }
    const rotation = join(root, 'etc/logrotate.d/countersign')
    await appendFile(rotation, '# changed\n')
    await dpkg('--install', archive)
    await isKept()
    assert.match(await readFile(rotation, 'utf8'), /# changed\n$/)
    await dpkg('--remove', 'countersign')
    await isKept()
    assert.ok(existsSync(rotation))
    assert.ok(!existsSync(join(root, 'usr/lib/countersign')))
    await dpkg('--purge', 'countersign')
    await isKept()
    await dpkg('--install', archive)
  })

  describe('has for systemd', { skip: withoutSystemd }, () => {
    for (const unit of UNITS) {
      it(`${unit}, whose exposure is at most 2.0, and in which it finds no mistake`, async () => {
        const file = join(root, 'usr/lib/systemd/system', unit)
        await run('systemd-analyze', ['security', '--offline=true', '--threshold=20', file])
        const { stderr } = await run('systemd-analyze', ['verify', `--root=${root}`, unit]).catch(
          (error: unknown) => ({ stderr: String(Reflect.get(Object(error), 'stderr')) }),
        )
        // Units of the system itself are not in the root.
        const faults = stderr.split('\n').filter((line) => line.includes(unit))
        assert.deepEqual(
          faults.filter((line) => !/network-online|sysinit|Failed to create .*\/start/.test(line)),
          [],
        )
      })
    }

    it('users, and the folders of sockets that only their group may enter', async () => {
      await mkdir(join(root, 'etc'), { recursive: true })
      await run('systemd-sysusers', [`--root=${root}`, 'countersign.conf'])
      await run('systemd-tmpfiles', [`--root=${root}`, '--create', 'countersign.conf'])
      const accounts = await readFile(join(root, 'etc/passwd'), 'utf8')
      const groups = await readFile(join(root, 'etc/group'), 'utf8')
      for (const service of ['authz', 'signer']) {
        const uid = new RegExp(`^countersign-${service}:x:(\\d+):`, 'm').exec(accounts)?.[1]
        const gid = /^countersign-envoy:x:(\d+):/m.exec(groups)?.[1]
        const socket = await stat(join(root, 'run/countersign', service))
        assert.deepEqual([socket.uid, socket.gid], [Number(uid), Number(gid)])
        assert.equal(socket.mode & 0o7777, 0o2750)
      }
    })
  })
})
