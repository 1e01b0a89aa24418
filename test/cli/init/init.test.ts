import assert from 'node:assert/strict'
import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { WAYS_IN } from '../../../src/cli/init/answers.ts'
import { ConfigurationFiles } from '../../../src/config/files.ts'
import { readConfig } from '../../../src/configuration/parse.ts'
import { envoyBootstrap } from '../../../src/envoy/bootstrap.ts'
import { skipWithoutEnvoy, validateBootstrap } from '../../servers/envoy.ts'
import { temporaryFolder } from '../../servers/temporary.ts'
import { countersign } from '../run.ts'

const LOCAL = ['--upstream', '127.0.0.1:3000']
const TOKEN = ['--issuer', 'https://login.example.org', '--audience', 'app']

describe('countersign init', () => {
  for (const waysIn of [...WAYS_IN, 'password,certificate']) {
    for (const out of ['headers', 'token', 'certificate']) {
      it(`writes what validate and Envoy accept: ${waysIn} in, ${out} out`, async () => {
        await using folder = await temporaryFolder()
        const gateway = folder.file('gateway')
        const ca = folder.file('upstream-ca.pem')
        await countersign(['ca', 'create', '--out', folder.file('pki')])
        await writeFile(ca, await readFile(folder.file('pki/ca.pem')))
        const upstream =
          out === 'certificate'
            ? ['--upstream', 'https://ledger.example.org:8443', '--upstream-ca', ca]
            : LOCAL
        const more = waysIn === 'token' ? TOKEN : []
        const args = ['init', gateway, ...upstream, '--in', waysIn, '--out', out, ...more]
        const made = await countersign(args)
        assert.equal(made.status, 0, made.stderr)
        const config = join(gateway, 'countersign.yaml')
        const signer = out === 'certificate' ? ['--signer', join(gateway, 'signer.yaml')] : []
        const valid = await countersign(['validate', '--strict', '--config', config, ...signer])
        assert.deepEqual({ status: valid.status, stderr: valid.stderr }, { status: 0, stderr: '' })
        if (skipWithoutEnvoy() !== false) return
        const { config: parsed } = await readConfig(config, new ConfigurationFiles())
        await validateBootstrap(JSON.stringify(envoyBootstrap(parsed)))
      })
    }
  }

  it('writes rules for a Kubernetes API server, and says how kubectl logs in', async () => {
    await using folder = await temporaryFolder()
    const gateway = folder.file('gateway')
    const upstream = ['--upstream', 'https://127.0.0.1:6443', '--upstream-ca', 'kube-ca.pem']
    const ways = ['--kind', 'kubernetes', '--in', 'command-line', '--out', 'certificate']
    const made = await countersign(['init', gateway, ...upstream, ...ways])
    assert.equal(made.status, 0, made.stderr)
    assert.match(made.stdout, /countersign kubeconfig --server https:\/\/localhost:8443 /)
    assert.doesNotMatch(made.stdout, /curl/)
    const file = join(gateway, 'countersign.yaml')
    const secrets = ['--user', 'bob', '--host', 'localhost', '--path', '/api/v1/secrets']
    const explain = ['explain', '--config', file, ...secrets]
    assert.match((await countersign(explain)).stdout, /allow +rbac-decides/)
    const text = await readFile(file, 'utf8')
    await writeFile(file, text.replaceAll(/# (?=- deny| +resources: \[secrets)/g, ''))
    assert.match((await countersign(explain)).stdout, /rule "no-secrets" +denied/)
  })

  it('gives secrets to their owner alone, and prints each once', async () => {
    await using folder = await temporaryFolder()
    const args = ['init', folder.path, ...LOCAL, '--in', 'password,api-key,certificate']
    const { stdout } = await countersign(args)
    const files = await readdir(folder.path, { recursive: true })
    const secrets = files.filter((file) => /\.key$|^users|^api-keys/.test(file))
    assert.equal(secrets.length, 5)
    for (const file of secrets) assert.equal((await stat(folder.file(file))).mode & 0o777, 0o600)
    const [, password = ''] = /password of alice is (\S+)\./.exec(stdout) ?? []
    assert.ok(password.length >= 16)
    assert.ok(!(await readFile(folder.file('users.yaml'), 'utf8')).includes(password))
  })

  it('points to JSON Schemas that are there', async () => {
    await using folder = await temporaryFolder()
    await countersign(['init', folder.path, ...LOCAL])
    for (const file of ['countersign.yaml', 'users.yaml']) {
      const [line = ''] = (await readFile(folder.file(file), 'utf8')).split('\n')
      const [, schema = ''] = /^# yaml-language-server: \$schema=(\S+)$/.exec(line) ?? []
      const parsed: unknown = JSON.parse(await readFile(folder.file(schema), 'utf8'))
      assert.ok(typeof parsed === 'object')
    }
  })

  it('replaces nothing, and writes nothing where a file exists', async () => {
    await using folder = await temporaryFolder()
    await writeFile(folder.file('users.yaml'), 'users: {}\n')
    const { status, stderr } = await countersign(['init', folder.path, ...LOCAL])
    assert.equal(status, 1)
    assert.match(stderr, /has users\.yaml already, and nothing was written/)
    assert.deepEqual(await readdir(folder.path), ['users.yaml'])
  })

  const REFUSED: readonly { name: string; args: readonly string[]; want: RegExp }[] = [
    { name: 'no upstream without a terminal', args: [], want: /--upstream is needed/ },
    {
      name: 'another machine without a scheme',
      args: ['--upstream', 'app:3000'],
      want: /is on another machine: write https:\/\/app:3000, or http:\/\/app:3000/,
    },
    { name: 'no address', args: ['--upstream', 'app'], want: /must be HOST:PORT/ },
    {
      name: 'TLS without a CA',
      args: ['--upstream', 'https://app:3000'],
      want: /needs --upstream-ca FILE/,
    },
    {
      name: 'certificates over HTTP',
      args: [...LOCAL, '--out', 'certificate'],
      want: /presented over TLS: --upstream https/,
    },
    {
      name: 'tokens of an unknown issuer',
      args: [...LOCAL, '--in', 'token'],
      want: /tokens need --issuer URL and --audience NAME/,
    },
    { name: 'an unknown way in', args: [...LOCAL, '--in', 'magic'], want: /ways in must be of/ },
    { name: 'an unknown way out', args: [...LOCAL, '--out', 'x'], want: /way out must be one of/ },
    { name: 'a host with a port', args: [...LOCAL, '--host', 'a:1'], want: /--host "a:1" must be/ },
  ]
  for (const { name, args, want } of REFUSED) {
    it(`refuses ${name}`, async () => {
      await using folder = await temporaryFolder()
      const { status, stderr } = await countersign(['init', folder.path, ...args])
      assert.equal(status, 1)
      assert.match(stderr, want)
      assert.deepEqual(await readdir(folder.path), [])
    })
  }
})
