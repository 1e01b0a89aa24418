// `npm run cluster`: an API server for tutorials and trials.

import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { appendFile, copyFile, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { BackgroundCommand } from '../e2e/background-command.ts'
import { blocksTestedBy } from '../docs/examples/blocks.ts'
import { until } from '../fakes/until.ts'
import { http1 } from '../servers/client.ts'
import { skipWithoutApiServer } from '../servers/kube-apiserver.ts'
import { kubectl } from '../servers/kubectl.ts'
import { createAuthority } from '../servers/pki.ts'
import { freePort } from '../servers/ports.ts'
import { temporaryFolder } from '../servers/temporary.ts'

const ROOT = join(import.meta.dirname, '../..')
const AUTHENTICATION = join(ROOT, 'deploy/recipes/authentication.kube.yaml')
const SCRIPT = `"${process.execPath}" "${join(ROOT, 'scripts/cluster.ts')}"`

const [PLAIN = '', WITH_FLAGS = ''] = blocksTestedBy(
  'test/scripts/cluster.test.ts',
  'docs/how-to/upstreams/kube-apiserver.md',
).map(({ text }) => text.trim().replace('npm run cluster --', SCRIPT))

/** Starts a cluster in `cluster` of a folder by a command of the page, and waits until it is ready. */
const startCluster = async (cwd: string, command: string): Promise<BackgroundCommand> => {
  const started = new BackgroundCommand(command, cwd)
  await started.printed('cluster: ready, listening on https://127.0.0.1:')
  return started
}

/** The command lines of processes that name a folder. */
const processesIn = async (folder: string): Promise<readonly string[]> => {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const lines = pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => ''))
  return (await Promise.all(lines)).filter((line) => line.includes(folder))
}

describe('npm run cluster', { skip: skipWithoutApiServer() }, () => {
  it('serves an administrator, keeps objects for the next start, and leaves no process', async () => {
    await using folder = await temporaryFolder()
    const kubeconfig = `--kubeconfig=${folder.file('cluster/admin.kubeconfig')}`
    {
      await using stack = new AsyncDisposableStack()
      stack.use(await startCluster(folder.path, `${PLAIN} --port ${await freePort()}`))
      const made = await kubectl([kubeconfig, 'create', 'namespace', 'kept'])
      assert.equal(made.output, 'namespace/kept created\n', made.complaint)
      // The controllers have filled it.
      const role = await kubectl([kubeconfig, 'get', 'clusterrole', 'view', '-o', 'yaml'])
      assert.match(role.output, /- configmaps/)
    }
    assert.deepEqual(await processesIn(folder.path), [])
    await using stack = new AsyncDisposableStack()
    stack.use(await startCluster(folder.path, `${PLAIN} --port ${await freePort()}`))
    const kept = await kubectl([kubeconfig, 'get', 'namespace', 'kept', '-o', 'name'])
    assert.equal(kept.output, 'namespace/kept\n', kept.complaint)
    const audit = await readFile(folder.file('cluster/audit.jsonl'), 'utf8')
    assert.match(audit, /"requestURI":"\/api\/v1\/namespaces\/kept"/)
    assert.doesNotMatch(audit, /"username":"system:/)
  })

  it('accepts certificates of a CA that is appended while it runs, and passes flags on', async () => {
    await using folder = await temporaryFolder()
    await using authority = await createAuthority('Appended CA')
    await copyFile(AUTHENTICATION, folder.file('authentication.kube.yaml'))
    const alice = await authority.issue({ commonName: 'alice', usage: 'client' })
    const port = await freePort()
    await using stack = new AsyncDisposableStack()
    stack.use(
      await startCluster(
        folder.path,
        `${WITH_FLAGS.replace('7443', String(port))} --anonymous-auth=false`,
      ),
    )
    const asAlice = [
      '--kubeconfig=/dev/null',
      `--server=https://127.0.0.1:${port}`,
      `--certificate-authority=${folder.file('cluster/ca.pem')}`,
      `--client-certificate=${alice.certificate}`,
      `--client-key=${alice.key}`,
    ]
    const target = { port, ca: folder.file('cluster/ca.pem'), serverName: 'localhost' }
    const anonymous = await http1(target, { path: '/version', host: 'localhost' })
    assert.equal(anonymous.status, 401)
    const before = await kubectl([...asAlice, 'get', 'pods'])
    assert.match(before.complaint, /provide credentials/)
    await appendFile(folder.file('cluster/client-ca.pem'), await readFile(authority.ca))
    await until(async () => {
      const { complaint } = await kubectl([...asAlice, 'get', 'pods'])
      return complaint.includes('User "alice" cannot list resource "pods"')
    })
  })

  it('says which server failed, and why, and ends', async (t) => {
    await using folder = await temporaryFolder()
    const args = ['--port', String(await freePort()), '--', '--no-such-flag']
    // With a channel, as from set-up: it alone must not keep the process alive.
    const child = fork(join(ROOT, 'scripts/cluster.ts'), [folder.path, ...args], { silent: true })
    t.after(() => child.kill('SIGKILL'))
    let output = ''
    child.stderr?.setEncoding('utf8').on('data', (chunk: string) => (output += chunk))
    await until(() => child.exitCode !== null, 'the script ends')
    assert.equal(child.exitCode, 1)
    assert.match(output, /unknown flag: --no-such-flag[^]*kube-apiserver ended with status 1/)
    assert.deepEqual(await processesIn(folder.path), [])
  })
})
