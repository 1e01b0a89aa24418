// `countersign kubeconfig` as a process: the files that it writes, and how kubectl uses them.

import assert from 'node:assert/strict'
import { chmod, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { delimiter, resolve } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { parse } from 'yaml'
import { kubectl, skipWithoutKubectl } from '../../servers/kubectl.ts'
import { createPki, type Pki } from '../../servers/pki.ts'
import { temporaryFolder } from '../../servers/temporary.ts'
import { run } from '../login/running.ts'
import { SERVER, words, write } from './writing.ts'

const PROGRAM = resolve(import.meta.dirname, '../../../src/countersign.ts')

describe('countersign kubeconfig', { concurrency: 2 }, () => {
  const owned = new AsyncDisposableStack()
  let pki: Pki
  before(async () => {
    pki = owned.use(await createPki())
  })
  after(() => owned.disposeAsync())

  const modeOf = async (path: string): Promise<number> => (await stat(path)).mode & 0o777

  const certificate = (): readonly string[] => [
    ...words('--auth-method', 'certificate', '--user', 'alice', '--ca', pki.ca),
    ...words('--client-certificate', pki.alice.certificate, '--client-key', pki.alice.key),
  ]

  it('makes kubectl run this command with the options of the request', async () => {
    await using folder = await temporaryFolder()
    const request = [
      '--issuer',
      'https://id.example.org/',
      '--issuer-ca',
      pki.ca,
      '--token',
      'access_token',
    ]
    const { status, stdout, stderr } = await write(folder, [
      ...words(
        '--auth-method',
        'exec',
        '--resource',
        SERVER,
        '--client-id',
        'kube',
        '--no-consent',
      ),
      ...request,
    ])
    assert.deepEqual([status, stderr], [0, ''])
    const { exec } = parse(stdout).users[0].user
    assert.equal(exec.apiVersion, 'client.authentication.k8s.io/v1')
    assert.equal(exec.interactiveMode, 'IfAvailable')
    assert.deepEqual(
      [exec.command, ...exec.args],
      [
        process.execPath,
        PROGRAM,
        'credential',
        '--issuer=https://id.example.org',
        '--client-id=kube',
        `--resource=${SERVER}`,
        `--ca=${pki.ca}`,
        '--token=access_token',
        '--no-consent',
      ],
    )
    const plugin = await run(exec.args.slice(1), { state: folder.path })
    assert.equal(plugin.status, 1)
    assert.match(
      plugin.stderr,
      /there is no login at https:\/\/id\.example\.org; run: countersign login/,
    )
  })

  it('has the command’s name where PATH contains it, or the value of --command', async () => {
    await using folder = await temporaryFolder()
    await mkdir(folder.file('bin'))
    await symlink(PROGRAM, folder.file('bin/countersign'))
    const PATH = [folder.file('bin'), process.env['PATH']].join(delimiter)
    const args = ['--auth-method', 'device', '--issuer', 'https://id.example.org']
    const found = parse((await write(folder, args, { PATH })).stdout).users[0].user.exec
    assert.deepEqual(
      [found.command, ...found.args],
      ['countersign', 'credential', '--issuer=https://id.example.org', '--device'],
    )
    const written = await write(folder, [...args, '--command', '/opt/countersign'])
    assert.equal(parse(written.stdout).users[0].user.exec.command, '/opt/countersign')
  })

  it('writes a file that its owner only can read, and no other file', async () => {
    await using folder = await temporaryFolder()
    const file = folder.file('kube/config')
    const { status, stdout, stderr } = await write(folder, [...certificate(), '-o', file])
    assert.deepEqual([status, stdout], [0, ''])
    assert.equal(
      stderr,
      `${file}: has the context "alice@kube.example.org". Try: kubectl --kubeconfig=${file} --context=alice@kube.example.org auth whoami\n`,
    )
    assert.equal(await modeOf(file), 0o600)
    assert.deepEqual(await readdir(folder.file('kube')), ['config'])
    const again = await write(folder, [...certificate(), '-o', file])
    assert.equal(again.status, 2)
    assert.match(again.stderr, /config exists; --merge adds to it\n$/)
  })

  it('adds to the file of KUBECONFIG, makes it private, and follows links', async () => {
    await using folder = await temporaryFolder()
    await writeFile(folder.file('real'), '# mine\nkind: Config\n')
    await chmod(folder.file('real'), 0o644)
    await symlink(folder.file('real'), folder.file('link'))
    const KUBECONFIG = [folder.file('link'), folder.file('other')].join(delimiter)
    const args = [...certificate(), '--merge', '--json']
    const { status, stdout } = await write(folder, args, { KUBECONFIG })
    assert.equal(status, 0)
    assert.deepEqual(JSON.parse(stdout), {
      file: folder.file('link'),
      context: 'alice@kube.example.org',
      cluster: 'kube.example.org',
      user: 'alice@kube.example.org',
    })
    assert.match(await readFile(folder.file('real'), 'utf8'), /^# mine\n/)
    assert.equal(await modeOf(folder.file('real')), 0o600)
    assert.deepEqual((await readdir(folder.path)).toSorted(), ['link', 'real'])
  })

  it('creates the default file where it does not exist', async () => {
    await using folder = await temporaryFolder()
    const environment = { HOME: folder.path, KUBECONFIG: '' }
    assert.equal((await write(folder, [...certificate(), '--merge'], environment)).status, 0)
    assert.equal(await modeOf(folder.file('.kube/config')), 0o600)
    assert.equal(await modeOf(folder.file('.kube')), 0o700)
  })

  it('waits for kubectl, which locks the file, but not for long', async () => {
    await using folder = await temporaryFolder()
    const file = folder.file('config')
    await writeFile(`${file}.lock`, '')
    const { status, stderr } = await write(folder, [...certificate(), '--merge', '-o', file])
    assert.equal(status, 2)
    assert.match(
      stderr,
      /config\.lock exists: kubectl is changing the file\. If kubectl is not running, remove the lock\n$/,
    )
    assert.deepEqual(await readdir(folder.path), ['config.lock'])
  })

  it('reads a password from a file only, and writes it to a file only', async () => {
    await using folder = await temporaryFolder()
    await writeFile(folder.file('password'), 'wönder: "land"\n')
    const args = ['--auth-method', 'password', '--user', 'alice']
    const without = await write(folder, args)
    assert.equal(without.status, 0)
    assert.match(
      without.stdout,
      / {2}# kubectl prompts for user name and password with every command\./,
    )
    assert.deepEqual(parse(without.stdout).users[0].user, {})
    const more = [...args, '--password-file', folder.file('password')]
    const printed = await write(folder, more)
    assert.deepEqual([printed.status, printed.stdout], [2, ''])
    assert.match(
      printed.stderr,
      /a secret must not be written to standard output: give a file with --output\n$/,
    )
    const file = folder.file('config')
    const written = await write(folder, [...more, '-o', file])
    assert.equal(written.status, 0)
    assert.ok(!`${written.stdout}${written.stderr}`.includes('wönder'))
    const { user } = parse(await readFile(file, 'utf8')).users[0]
    assert.deepEqual(user, { username: 'alice', password: 'wönder: "land"' })
  })

  it('embeds certificates and keys with --embed', async () => {
    await using folder = await temporaryFolder()
    const file = folder.file('config')
    assert.equal((await write(folder, [...certificate(), '--embed', '-o', file])).status, 0)
    const { clusters, users } = parse(await readFile(file, 'utf8'))
    const decoded = (text: string): string => Buffer.from(text, 'base64').toString()
    assert.equal(decoded(users[0].user['client-key-data']), await readFile(pki.alice.key, 'utf8'))
    assert.equal(
      decoded(clusters[0].cluster['certificate-authority-data']),
      await readFile(pki.ca, 'utf8'),
    )
    assert.equal((await write(folder, [...certificate(), '--embed'])).status, 2)
  })

  it('writes a file that a real kubectl reads', { skip: skipWithoutKubectl() }, async () => {
    await using folder = await temporaryFolder()
    const file = folder.file('config')
    await writeFile(folder.file('password'), 'yes\n')
    await writeFile(folder.file('token'), 'a-token')
    const methods: readonly (readonly string[])[] = [
      certificate(),
      ['--auth-method', 'password', '--user', '0123', '--password-file', folder.file('password')],
      ['--auth-method', 'token', '--user', 'on', '--token-file', folder.file('token')],
      ['--auth-method', 'exec', '--issuer', 'https://id.example.org'],
      [
        '--auth-method',
        'device',
        '--issuer',
        'https://id.example.org',
        '--cluster',
        'null',
        '--use',
      ],
    ]
    for (const method of methods) {
      const cluster = ['--ca', pki.ca, '--tls-server-name', 'localhost']
      const { status, stderr } = await write(folder, [...method, ...cluster, '--merge', '-o', file])
      assert.equal(status, 0, stderr)
    }
    const { code, output, complaint } = await kubectl([
      ...words('config', 'view', '--raw', '-o', 'json', `--kubeconfig=${file}`),
    ])
    assert.deepEqual([code, complaint], [0, ''])
    const view = JSON.parse(output)
    assert.equal(view['current-context'], 'device@null')
    assert.deepEqual(
      view.users.map(({ name }: { name: string }) => name),
      ['0123', 'alice', 'device', 'exec', 'on'].map((name) =>
        name === 'device' ? 'device@null' : `${name}@kube.example.org`,
      ),
    )
    const userOf = (name: string) =>
      view.users.find((entry: { name: string }) => entry.name.startsWith(`${name}@`)).user
    assert.deepEqual(userOf('0123'), { username: '0123', password: 'yes' })
    assert.deepEqual(userOf('on'), { tokenFile: folder.file('token') })
    assert.equal(userOf('exec').exec.provideClusterInfo, false)
    assert.equal(view.clusters.length, 2)
    assert.equal(view.clusters[0].cluster['tls-server-name'], 'localhost')
  })
})
