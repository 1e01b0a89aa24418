// `countersign envoy lint`: what it prints, and how it ends.

import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { stringify } from 'yaml'
import { temporaryFolder, type TemporaryFolder } from '../servers/temporary.ts'
import { AUTHZ, changed, type Change } from '../envoy/lint/corpus/case.ts'
import { countersign, type Result } from './run.ts'

const ENVOY = join(import.meta.dirname, '../../envoy')
const GOOD = join(import.meta.dirname, '../envoy/lint/good.yaml')
const ERROR: Change = [`${AUTHZ}.failure_mode_allow`, true]
const WARNING: Change = [`${AUTHZ}.clear_route_cache`, true]

const lint = async (
  folder: TemporaryFolder,
  text: string,
  ...options: string[]
): Promise<Result> => {
  await writeFile(folder.file('envoy.yaml'), text)
  return await countersign(['envoy', 'lint', folder.file('envoy.yaml'), ...options])
}

describe('countersign envoy lint', { concurrency: 2 }, () => {
  it('ends with 0 without findings, and prints what was checked', async () => {
    const { status, stdout, stderr } = await countersign(['envoy', 'lint', GOOD, '--strict'])
    assert.deepEqual([status, stderr], [0, ''])
    assert.equal(
      stdout,
      `${GOOD}: nothing found; checked 1 listener, 1 ext_authz filter, 4 routes, 1 certificate upstream\n`,
    )
  })

  it('ends with 1 for an error, with position, reason and correction', async () => {
    await using folder = await temporaryFolder()
    const text = stringify(changed([ERROR]))
    const line = text.split('\n').findIndex((row) => row.includes('failure_mode_allow: true')) + 1
    const { status, stdout, stderr } = await lint(folder, text)
    assert.deepEqual([status, stderr], [1, ''])
    assert.deepEqual(stdout.split('\n'), [
      `${folder.file('envoy.yaml')}:${line}:23: error: requests pass when authz does not answer [failure-allowed]`,
      `  at:    ${AUTHZ}.failure_mode_allow`,
      '  risk:  an attacker who overloads or disconnects authz bypasses it',
      '  write: failure_mode_allow: false',
      '',
      `${folder.file('envoy.yaml')}: 1 error, 0 warnings; checked 1 listener, 1 ext_authz filter, 4 routes, 1 certificate upstream`,
      '',
    ])
  })

  it('ends with 0 for warnings, and with 1 with --strict', async () => {
    await using folder = await temporaryFolder()
    const text = stringify(changed([WARNING]))
    const lenient = await lint(folder, text)
    assert.equal(lenient.status, 0)
    assert.match(lenient.stdout, /: warning: .* \[clear-route-cache\]\n/)
    assert.match(lenient.stdout, /: 0 errors, 1 warning; checked /)
    assert.equal((await lint(folder, text, '--strict')).status, 1)
  })

  it('names the workers that a generated configuration lacks, by the number of --workers', async () => {
    await using folder = await temporaryFolder()
    const config = folder.file('countersign.yaml')
    const example = await readFile(join(ENVOY, 'front-proxy.countersign.yaml'), 'utf8')
    await writeFile(config, `${example}\nstate: { sqlite: state.db }\n`)
    const { stdout: text, stderr } = await countersign(['envoy', 'generate', '--config', config])
    const options = ['--config', config, '--strict', '--workers'] as const
    assert.equal((await lint(folder, text, ...options, '1')).status, 0, stderr)
    const { status, stdout } = await lint(folder, text, ...options, '3')
    assert.equal(status, 1)
    assert.match(stdout, /a worker .*: \S+authz-1\.sock, \S+authz-2\.sock \[authz-worker-missing\]/)
    assert.match(stdout, /write: .* as envoy\.authzAddress/)
  })

  it('prints JSON with --json', async () => {
    await using folder = await temporaryFolder()
    const { status, stdout, stderr } = await lint(folder, stringify(changed([ERROR])), '--json')
    assert.deepEqual([status, stderr], [1, ''])
    const rows: unknown = JSON.parse(stdout)
    assert.ok(Array.isArray(rows))
    const [{ line, ...row }] = rows
    assert.ok(Number.isInteger(line))
    assert.deepEqual(row, {
      file: folder.file('envoy.yaml'),
      column: 23,
      path: `${AUTHZ}.failure_mode_allow`,
      severity: 'error',
      rule: 'failure-allowed',
      problem: 'requests pass when authz does not answer',
      risk: 'an attacker who overloads or disconnects authz bypasses it',
      remedy: 'failure_mode_allow: false',
    })
  })

  it('prints an empty JSON array without findings', async () => {
    const { status, stdout } = await countersign(['envoy', 'lint', GOOD, '--json'])
    assert.deepEqual([status, stdout], [0, '[]\n'])
  })

  it('compares with countersign.yaml', async () => {
    const config = join(ENVOY, 'front-proxy.countersign.yaml')
    const own = await countersign([
      'envoy',
      'lint',
      join(ENVOY, 'front-proxy.envoy.yaml'),
      '--strict',
      '--config',
      config,
    ])
    assert.deepEqual([own.status, own.stderr], [0, ''])
    const other = await countersign(['envoy', 'lint', GOOD, '--config', config])
    assert.equal(other.status, 1)
    assert.match(other.stdout, /route-name-unknown/)
  })

  it('accepts another name for the cluster of authz', async () => {
    const { status, stdout } = await countersign(['envoy', 'lint', GOOD, '--authz-cluster', 'x'])
    assert.equal(status, 1)
    assert.match(stdout, /:\d+:1: error: no ext_authz filter calls Countersign/)
  })

  const UNUSABLE: readonly {
    readonly name: string
    readonly text: string
    readonly says: RegExp
  }[] = [
    { name: 'empty', text: '', says: /is not an Envoy configuration: it is not a mapping/ },
    {
      name: 'not YAML',
      text: 'a:\n  - [\n',
      says: /envoy\.yaml:3:1 is not an Envoy configuration: not valid YAML/,
    },
    {
      name: 'a Kubernetes manifest',
      text: 'kind: Pod\n',
      says: /neither an Envoy bootstrap nor a config dump/,
    },
  ]
  for (const { name, text, says } of UNUSABLE) {
    it(`ends with 2 when the file is ${name}`, async () => {
      await using folder = await temporaryFolder()
      const { status, stdout, stderr } = await lint(folder, text, '--json')
      assert.deepEqual([status, stdout], [2, ''])
      assert.match(stderr, says)
      assert.doesNotMatch(stderr, /\bat .*\.ts:\d/)
    })
  }

  it('ends with 2 when the file is missing or not text', async () => {
    await using folder = await temporaryFolder()
    const missing = await countersign(['envoy', 'lint', folder.file('none')])
    assert.deepEqual([missing.status, missing.stdout], [2, ''])
    assert.match(missing.stderr, /none does not exist\n$/)
    await writeFile(folder.file('binary'), Buffer.from([0xff, 0xfe, 0x00]))
    const binary = await countersign(['envoy', 'lint', folder.file('binary')])
    assert.equal(binary.status, 2)
    assert.match(binary.stderr, /is not valid UTF-8/)
  })

  it('ends with 2 when countersign.yaml is not valid, with every problem', async () => {
    await using folder = await temporaryFolder()
    const text = await readFile(join(ENVOY, 'front-proxy.countersign.yaml'), 'utf8')
    await writeFile(folder.file('c.yaml'), text.replace('version: 1', 'version: 7'))
    const { status, stderr } = await countersign([
      'envoy',
      'lint',
      GOOD,
      '--config',
      folder.file('c.yaml'),
    ])
    assert.equal(status, 2)
    assert.match(stderr, /version: .*\n1 problem found\.\n$/)
  })

  it('prints its purpose with --help', async () => {
    const { status, stdout } = await countersign(['envoy', 'lint', '--help'])
    assert.equal(status, 0)
    for (const option of ['--config <file>', '--authz-cluster <name>', '--json', '--strict']) {
      assert.ok(stdout.includes(option))
    }
  })
})
