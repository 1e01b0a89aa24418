// How long shells, logs and forwarded ports live: as long as the credential by which they were opened.
// Silence does not end them, nor does the end of the credential that was made from it. And which of them
// the end of a user's sessions stops. All of it at once, since it takes minutes. Steps are in README.md.
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { run } from '../../cli/login/running.ts'
import type { Result } from '../../cli/run.ts'
import { skipWithoutKubelet, type Kubelet, type PodSpec } from '../../servers/kubelet.ts'
import { eventually } from '../site.ts'
import { ask, callerBy, outputOf, type Caller } from './asking.ts'
import { isIn, loggedIn, watchBy } from './browsers.ts'
import { BRIEF, BRIEF_RESOURCE, BRIEF_SECONDS, BROWSERS, OUT } from './configuration.ts'
import { skipWithoutServers, startKubeSite, type KubeSite } from './kube-site.ts'
import { USERS, type User } from './users.ts'
import { IN, PODS, PROTOCOLS, startPods } from './pods.ts'
import { NAMESPACE } from './roles.ts'
import { startKubectl, type RunOptions, type RunningKubectl } from './running.ts'
import { otherToken, kubeconfigFor, ownToken, tokenIn, CREDENTIALS_IN } from './credentials-in.ts'

const SKIP = skipWithoutServers() || skipWithoutKubelet()

/** How long a token lives; everything begins within. */
const LIFE_SECONDS = 45

/** Longer than any default that would end what is silent. */
const SILENCE_MS = 70_000

/** For so long what was looked up of a session or a user is not looked up again. */
const REMEMBERED_MS = 5_000

/** A pod whose log grows when it hears something. */
const QUIET = {
  namespace: NAMESPACE,
  name: 'quiet',
  command: ['sh', '-c', 'echo begun; while read -r line; do echo "heard $line"; done'],
} as const satisfies PodSpec

describe('the end of streams', { skip: SKIP, timeout: 240_000, concurrency: true }, () => {
  let site: KubeSite
  let kubelet: Kubelet
  let alice: Caller
  /** Comes with a token in a file. */
  let short: Caller
  /** Come with tokens of the own issuer, by a login. */
  let root: Caller
  let crowd: Caller
  let crowdSince = 0
  before(async () => {
    site = await startKubeSite()
    const callerOf = async (identity: readonly string[], { name }: User): Promise<Caller> => ({
      identity: await kubeconfigFor(site, identity),
      state: site.folder.file(`state-${name}`),
    })
    alice = await callerBy(site, CREDENTIALS_IN['a password (users file)'], USERS.alice)
    short = await callerOf(await shortToken(1), USERS.alice)
    kubelet = await startPods(site, alice, [QUIET])
    root = await callerOf(await ownToken(site, USERS.root), USERS.root)
    crowd = await callerOf(await ownToken(site, USERS.crowd, BRIEF_RESOURCE), USERS.crowd)
    crowdSince = Date.now()
  })
  after(async () => {
    await kubelet[Symbol.asyncDispose]()
    await site[Symbol.asyncDispose]()
  })

  const shortToken = async (seconds: number): Promise<readonly string[]> =>
    await tokenIn(site, 'short', await otherToken(site, USERS.alice, seconds))

  /** A shell that says what it hears, once it has said `begun`; when that ends it leaves a file. */
  const openShell = async (
    caller: Caller,
    options: RunOptions,
    mark: string,
  ): Promise<RunningKubectl> => {
    const script = `echo begun; cat; touch '${mark}'`
    const args = ['exec', '-i', 'shell', ...IN, '--', 'sh', '-c', script]
    const running = startKubectl(site, caller, args, options)
    await running.shows(/^begun$/m)
    return running
  }

  /** Begins something that continues, with the token. */
  const begin = async (what: string, options: RunOptions): Promise<RunningKubectl> => {
    if (what === 'exec') return await openShell(short, options, markOf(options))
    const port = '10250' // no client connects
    const args = {
      attach: ['attach', '-i', 'echo', ...IN],
      logs: ['logs', '--follow', 'clock', ...IN],
      'port-forward': ['port-forward', ...IN, 'pod/shell', `:${port}`],
    }[what]
    const running = startKubectl(site, short, args ?? [], options)
    if (what === 'attach') running.stdin.write('hello\n')
    await running.shows(/^heard hello$|^tick \d+$|^Forwarding from 127\.0\.0\.1/m)
    return running
  }

  const markOf = ({ address = '', environment = {} }: RunOptions): string =>
    `ended-${address}-${Object.keys(environment).length}`

  it('22. every stream ends with the token, in the pod too', async () => {
    await using stack = new AsyncDisposableStack()
    const began = Date.now()
    await shortToken(LIFE_SECONDS)
    const all = OUT.flatMap(([out, address]) => [
      [`${out}, logs`, begin('logs', { address })] as const,
      ...PROTOCOLS.flatMap(([protocol, { environment }]) =>
        ['exec', 'attach', 'port-forward'].map((what) => {
          const name = `${out}, ${protocol}, ${what}`
          return [name, begin(what, { address, environment })] as const
        }),
      ),
    ])
    for (const [, running] of all) stack.use(await running)
    const seconds = (): number => (Date.now() - began) / 1_000
    assert.ok(seconds() < LIFE_SECONDS - 3, `it took ${seconds()} s to begin`)
    const ends = all.map(async ([name, running]) => {
      const { ended } = await running
      const end = await Promise.race([ended, sleep(LIFE_SECONDS * 1_500)])
      assert.notEqual(end, undefined, `${name}: it lives on`)
      // A token's end is in whole seconds; Envoy ends a stream up to a second later.
      assert.ok(Math.abs(seconds() - LIFE_SECONDS) < 3, `${name}: ${seconds()} s`)
    })
    await Promise.all(ends)
    for (const [, address] of OUT) {
      for (const [, { environment }] of PROTOCOLS) {
        const mark = join(kubelet.folderOf(PODS.shell), markOf({ address, environment }))
        assert.ok(await eventually(async () => existsSync(mark), Boolean))
      }
    }
  })

  /** Every way out, including those whose credential is valid for seconds. */
  const PLACES = [...OUT, ...BRIEF]

  it('23. a shell that is silent for 70 s outlives the certificate or token that opened it', async () => {
    await using stack = new AsyncDisposableStack()
    const shells = PLACES.flatMap(([out, address]) =>
      PROTOCOLS.map(([protocol, { environment }]) => {
        const name = `${out} (${address}), ${protocol}`
        return [name, openShell(alice, { address, environment }, `silent-${address}`)] as const
      }),
    )
    for (const [, running] of shells) stack.use(await running)
    await sleep(SILENCE_MS)
    for (const [name, running] of shells) {
      const open = await running
      open.stdin.write('still here\n')
      await assert.doesNotReject(open.shows(/^still here$/m), name)
    }
  })

  it('23. …and so does a silent log, without pings', async () => {
    await using stack = new AsyncDisposableStack()
    const logs = PLACES.map(([, address]) =>
      stack.use(startKubectl(site, alice, ['logs', '-f', 'quiet', ...IN], { address })),
    )
    await Promise.all(logs.map((following) => following.shows(/^begun$/m)))
    await sleep(SILENCE_MS)
    await using attached = startKubectl(site, alice, ['attach', '-i', 'quiet', ...IN])
    attached.stdin.write('a word\n')
    await Promise.all(logs.map((following) => following.shows(/^heard a word$/m)))
  })

  const sessions = async (...args: readonly string[]): Promise<Result> => {
    const all = ['sessions', ...args, '--config', site.folder.file('countersign.yaml')]
    return await run(all, { state: site.folder.path })
  }

  const kill = async (which: '--user' | '--id', name: string): Promise<void> => {
    const { status, stderr } = await sessions('end', which, name)
    assert.deepEqual([status, stderr], [0, '1 login ended\n'])
  }

  it('24. after a sign-out a browser is refused within seconds, and other users are not; a watch continues', async () => {
    const [hers, his] = [await loggedIn(site, USERS.alice), await loggedIn(site, USERS.bob)]
    assert.deepEqual([await isIn(hers), await isIn(his)], [true, true])
    const pods = `/api/v1/namespaces/${NAMESPACE}/pods`
    await using watch = await watchBy(site, hers, `${pods}?watch=true`)
    const annotate = async (note: string): Promise<string> => {
      const body = { metadata: { annotations: { note } } }
      await site.server.call({ method: 'PATCH', path: `${pods}/echo`, body })
      return await eventually(
        async () => watch.text,
        (text) => text.includes(`"note":"${note}"`),
      )
    }
    assert.match(await annotate('before'), /"note":"before"/)
    await kill('--user', 'alice')
    const refused = async (): Promise<boolean> => !(await isIn(hers))
    assert.ok(await eventually(refused, Boolean, REMEMBERED_MS))
    const { reason } = (await site.decisions()).findLast(({ host }) => host === BROWSERS) ?? {}
    assert.equal(reason, 'session-ended')
    assert.equal(await isIn(his), true)
    assert.match(await annotate('after'), /"note":"after"/)
  })

  const VERSION = ['get', '--raw', '/version']

  const refusedForItsLogin = async (complaint: string): Promise<void> => {
    const [, id] = /You must be logged in .*\(decision ([\w-]+)\)/.exec(complaint) ?? []
    const event = (await site.decisions()).find((decision) => decision.id === id)
    assert.equal(event?.reason, 'token-inactive', complaint)
  }

  it('25. after a sign-out kubectl is refused within seconds, before its token has expired', async () => {
    await outputOf(site, root, VERSION)
    await kill('--user', 'root')
    const { complaint } = await eventually(
      () => ask(site, root, VERSION),
      ({ code }) => code !== 0,
      REMEMBERED_MS + 1_000,
    )
    await refusedForItsLogin(complaint)
  })

  it('26. after the end of one login kubectl is refused within seconds, and gets no further token', async () => {
    await outputOf(site, crowd, VERSION)
    const { stdout } = await sessions('list', '--user', 'crowd', '--json')
    const { id }: { id: string } = JSON.parse(stdout)
    await kill('--id', id)
    const first = await eventually(
      () => ask(site, crowd, VERSION),
      ({ code }) => code !== 0,
      REMEMBERED_MS + 1_000,
    )
    await refusedForItsLogin(first.complaint)
    const left = crowdSince + BRIEF_SECONDS * 1_000 - Date.now()
    const last = await eventually(
      () => ask(site, crowd, VERSION),
      ({ complaint }) => !complaint.includes('You must be logged in'),
      left + 1_000,
    )
    assert.match(last.complaint, /the tokens have expired, .*; run: countersign login /)
  })
})
