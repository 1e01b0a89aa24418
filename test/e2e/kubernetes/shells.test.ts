// Logs, shells, and running streams of pods, on each way out and by both protocols: which users may use them,
// and which are refused. Steps are in README.md.

import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { after, before, describe, it } from 'node:test'
import { runProgram } from '../../servers/daemon.ts'
import { skipWithoutKubelet, type Kubelet } from '../../servers/kubelet.ts'
import { KUBECTL } from '../../servers/kubernetes-programs.ts'
import { atTerminal, skipWithoutTerminal, type AtTerminal } from '../../servers/terminal.ts'
import { eventually } from '../site.ts'
import { ask, at, callerBy, environmentOf, outputOf, type Caller } from './asking.ts'
import { OUT, SEALED, CREDENTIALS_OUT } from './configuration.ts'
import { skipWithoutServers, startKubeSite, type KubeSite } from './kube-site.ts'
import { USERS } from './users.ts'
import {
  assertRequested,
  assertWebSockets,
  BLOB,
  decisionsOf,
  hashOf,
  IN,
  PODS,
  PROTOCOLS,
  startPods,
} from './pods.ts'
import { grant, grantEverything } from './roles.ts'
import { runKubectl, startKubectl, type RunOptions } from './running.ts'
import { CREDENTIALS_IN } from './credentials-in.ts'

const SKIP = skipWithoutServers() || skipWithoutKubelet() || skipWithoutTerminal()

const SPEAK = 'echo out; echo err >&2; exit 7'

/** What cannot be done without entering a pod, by its subresource. */
const DEEDS = [
  ['exec', ['exec', 'shell'], ['--', 'touch', 'been-here']],
  ['attach', ['attach', 'shell'], []],
  ['portforward', ['port-forward', 'pod/shell', ':80'], []],
] as const

const RULE =
  /unable to upgrade connection: pods "shell" is forbidden: User "root" .* in the namespace "sealed": denied by rule "no-shells" \(decision [\w-]+\)\n$/

describe('logs, exec and attach', { skip: SKIP, timeout: 240_000 }, () => {
  let site: KubeSite
  let kubelet: Kubelet
  let alice: Caller
  /** May see pods, and do nothing with them. */
  let bob: Caller
  /** May do everything, by RBAC alone. */
  let root: Caller
  before(async () => {
    site = await startKubeSite()
    alice = await callerBy(site, CREDENTIALS_IN['a client certificate'], USERS.alice)
    bob = await callerBy(site, CREDENTIALS_IN['a client certificate'], USERS.bob)
    root = await callerBy(site, CREDENTIALS_IN['a password (users file)'], USERS.root)
    const see = { resources: ['pods'], verbs: ['get'] }
    await grant(site.server, 'pods-for-bob', see, { kind: 'User', name: 'bob' })
    await grantEverything(site.server, 'admins')
    kubelet = await startPods(site, alice)
    for (const who of [bob, root]) {
      await eventually(
        () => ask(site, who, ['get', 'pod/shell', ...IN]),
        ({ code }) => code === 0,
      )
    }
  })
  after(async () => {
    await kubelet[Symbol.asyncDispose]()
    await site[Symbol.asyncDispose]()
  })

  /** kubectl at a terminal, which first shows the name of that terminal. */
  const kubectlAtTerminal = (
    args: readonly string[],
    address: string,
    environment: Readonly<Record<string, string>>,
  ): AtTerminal => {
    const words = [KUBECTL, ...alice.identity, ...at(site, address), ...args]
    const { state } = alice
    const all = { HOME: state, ...environmentOf(state), ...environment }
    return atTerminal(['sh', '-c', 'tty; exec "$@"', 'sh', ...words], all)
  }

  /** Who may not do something by a protocol. */
  const refusals = (options: RunOptions & { readonly address: string }, method: string): void => {
    for (const [subresource, deed, command] of DEEDS) {
      it(`20. RBAC refuses bob ${subresource}, in the API server’s own words`, async () => {
        const args = [...deed, ...IN, ...command]
        const { code, output, complaint } = await runKubectl(site, bob, args, options)
        assert.deepEqual([code, output.toString()], [1, ''])
        const words = `unable to upgrade connection: pods "shell" is forbidden: User "bob" cannot create resource "pods/${subresource}" in API group "" in the namespace "team-a"\n`
        assert.ok(complaint.endsWith(words), complaint)
      })

      it(`21. a rule refuses ${subresource} to every user, and kubectl prints it`, async () => {
        const args = [...deed, '--namespace', SEALED, ...command]
        const decisions = await decisionsOf(site, options.address, subresource, async () => {
          const { code, output, complaint } = await runKubectl(site, root, args, options)
          assert.deepEqual([code, output.toString()], [1, ''])
          assert.match(complaint, RULE)
        })
        // What is refused as a WebSocket kubectl tries by SPDY.
        assert.deepEqual(
          decisions.map((event) => event.method),
          method === 'GET' ? ['GET', 'POST'] : ['POST'],
        )
        const heard = new Set((await site.server.audited()).map(({ auditID }) => auditID))
        for (const { decision, rule, id } of decisions) {
          assert.deepEqual([decision, rule, heard.has(id)], ['deny', 'no-shells', false])
        }
      })
    }
  }

  /** What is done on a way out, one after another. */
  const byWay = (address: string): void => {
    it('12. logs follow each line as it is written', async () => {
      const some = await outputOf(site, alice, ['logs', 'clock', '--tail=2', ...IN], address)
      assert.match(some, /^tick \d+\ntick \d+\n$/)
      const follow = ['logs', '--follow', '--tail=1', 'clock', ...IN]
      await using following = startKubectl(site, alice, follow, { address })
      const [, first] = await following.shows(/^tick (\d+)$/m)
      await following.shows(new RegExp(`^tick ${Number(first) + 15}$`, 'm'))
      following.signal('SIGINT')
      const lines = (await following.ended).output.toString().trimEnd().split('\n')
      const counted = lines.map((_, index) => `tick ${Number(first) + index}`)
      assert.deepEqual(lines, counted)
    })

    for (const [protocol, { environment, method }] of PROTOCOLS) {
      describe(protocol, () => {
        const exec = (words: readonly string[], input?: Buffer) => {
          const options = input === undefined ? [] : ['-i']
          const args = ['exec', ...options, 'shell', ...IN, '--', ...words]
          return runKubectl(site, alice, args, { address, environment, input })
        }

        it('13. exec has both outputs and the exit code', async () => {
          const decisions = await decisionsOf(site, address, 'exec', async () => {
            const { code, output, complaint } = await exec(['sh', '-c', SPEAK])
            assert.deepEqual([code, output.toString()], [7, 'out\n'])
            assert.equal(complaint, 'err\ncommand terminated with exit code 7\n')
          })
          await assertRequested(site, decisions, method)
        })

        it('14. exec has input: 20 MB in both directions at once', async () => {
          const { code, output, complaint } = await exec(['cat'], BLOB)
          assert.equal(code, 0, complaint)
          assert.equal(hashOf(output), hashOf(BLOB))
        })

        it('15. exec at a terminal has its size', async () => {
          const args = ['exec', '-it', 'shell', ...IN, '--', 'sh']
          await using terminal = kubectlAtTerminal(args, address, environment)
          const [outer = ''] = await terminal.shows(/\/dev\/pts\/\d+/)
          await terminal.shows(/\$ $/)
          terminal.type('test -t 0 && test -t 1 && echo $((6 * 7))')
          await terminal.shows(/^42$/m)
          await runProgram('stty', ['-F', outer, 'rows', '43', 'cols', '121'])
          // The size may arrive a moment later.
          terminal.type('until test "$(stty size)" = "43 121"; do sleep 0.1; done; echo $((7 * 8))')
          await terminal.shows(/^56$/m)
          terminal.type('exit 3')
          assert.equal((await terminal.ended).status, 3)
        })

        it('16. attach has the output of the process, with and without input', async () => {
          const word = `${protocol}-${address}`
          const args = ['attach', 'echo', ...IN]
          const decisions = await decisionsOf(site, address, 'attach', async () => {
            await using speaking = startKubectl(site, alice, [...args, '-i'], {
              address,
              environment,
            })
            speaking.stdin.write(`${word}\n`)
            await speaking.shows(new RegExp(`^heard ${word}$`, 'm'))
          })
          await assertRequested(site, decisions, method)
          const clock = ['attach', 'clock', ...IN]
          await using listening = startKubectl(site, alice, clock, { address, environment })
          const [, first] = await listening.shows(/^tick (\d+)$/m)
          await listening.shows(new RegExp(`^tick ${Number(first) + 5}$`, 'm'))
        })

        it('16. attach works at a terminal', async () => {
          const args = ['attach', '-it', 'terminal', ...IN]
          await using terminal = kubectlAtTerminal(args, address, environment)
          await terminal.shows(/try pressing enter/)
          terminal.type('echo $((5 * 5))')
          await terminal.shows(/^25$/m)
        })

        refusals({ address, environment }, method)
      })
    }
  }

  describe(
    'logs, exec and attach with each upstream credential at once',
    { concurrency: true },
    () => {
      for (const [out, address] of OUT)
        describe(`→ ${out}`, { concurrency: 1 }, () => byWay(address))
    },
  )

  it('13. reach the API server as the protocol that kubectl chose, WebSocket or SPDY', async () => {
    await assertWebSockets(site, ['exec', 'attach'])
  })

  it('12. end with the process that writes the log', async () => {
    const logs = OUT.map(([, address]) =>
      startKubectl(site, alice, ['logs', '--follow', 'mortal', ...IN], { address }),
    )
    await Promise.all(logs.map((following) => following.shows(/^begun$/m)))
    const attach = ['attach', '-i', 'mortal', ...IN]
    assert.equal((await runKubectl(site, alice, attach, { input: Buffer.from('bye\n') })).code, 0)
    for (const { ended } of logs) {
      const { code, output } = await ended
      assert.deepEqual([code, output.toString()], [0, 'begun\nheard bye\n'])
    }
  })

  it('21. executed nothing where they were refused, without a log entry in the pod', async () => {
    assert.deepEqual(await readdir(kubelet.folderOf(PODS.shell)), [])
    assert.deepEqual(await readdir(kubelet.folderOf(PODS.sealed)), [])
    const logs = ['logs', 'shell', '--namespace', SEALED]
    assert.equal(await outputOf(site, root, logs, CREDENTIALS_OUT.certificate), '')
    const exec = ['exec', 'shell', ...IN, '--', 'echo', 'in']
    assert.equal(await outputOf(site, root, exec, CREDENTIALS_OUT.certificate), 'in\n')
  })
})
