// The main job of Countersign, which every artefact of a release has to do where it is installed: a request with a password reaches
// a real upstream with the identity headers and a client certificate of its own, and one with a wrong password does not.

import assert from 'node:assert/strict'
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { until } from '../fakes/until.ts'
import { basic } from '../e2e/site.ts'
import { startCertificateUpstream } from '../servers/certificate-upstream.ts'
import { http1, pairsOf, type Answer } from '../servers/client.ts'
import { createPki } from '../servers/pki.ts'
import { freePort } from '../servers/ports.ts'

/** A site of `countersign init`, in front of a real upstream. */
export interface MainJob extends AsyncDisposable {
  /** Waits until the site answers, sends the requests, and compares what callers and the upstream receive. */
  check(): Promise<void>
  /** Sends one request; by default with the password of alice. */
  send(password?: string): Promise<Answer>
}

/** Where the site is, and how its first command is run. */
export interface MainJobOptions {
  /** Runs `countersign` with some arguments; its standard output. */
  readonly run: (args: readonly string[]) => Promise<string>
  /** The folder of the site, for the command. */
  readonly folder: string
  /** The path of a file of the site, for this process. */
  readonly file: (name: string) => string
}

/** Writes the site by `countersign init`, and starts the upstream. */
export const startMainJob = async ({ run, folder, file }: MainJobOptions): Promise<MainJob> => {
  await using stack = new AsyncDisposableStack()
  const pki = stack.use(await createPki())
  const [edge, upstreamPort] = [await freePort(), await freePort()]
  const upstreamCa = file('upstream-ca.pem')
  await mkdir(dirname(upstreamCa), { recursive: true })
  await copyFile(pki.ca, upstreamCa)
  const address = `https://127.0.0.1:${upstreamPort}`
  const to = ['--upstream', address, '--upstream-ca', `${folder}/upstream-ca.pem`]
  const made = await run(['init', folder, '--port', String(edge), '--out', 'certificate', ...to])
  const [, alice] = /password of alice is (\S+)\./.exec(made) ?? []
  assert.ok(alice !== undefined, made)
  await forwardHeaders(file('countersign.yaml'))
  const clientCas = await readFile(file('signer-ca/ca.pem'), 'utf8')
  const upstream = stack.use(
    await startCertificateUpstream({ identity: pki.upstream, clientCas, port: upstreamPort }),
  )
  const target = { port: edge, serverName: 'localhost', ca: file('ca/ca.pem') }
  const send = async (password = alice): Promise<Answer> =>
    await http1(target, { headers: [basic('alice', password), ['X-Remote-User', 'mallory']] })
  const running = stack.move()
  return {
    send,
    async check() {
      const isServed = async (): Promise<boolean> =>
        (await send().catch(() => undefined))?.status === 200
      await until(isServed, 'a request with the password of alice is answered with 200')
      upstream.clear()
      assert.equal((await send()).status, 200)
      assert.equal((await send('wrong')).status, 401)
      assert.equal(upstream.requests.length, 1)
      const [seen] = upstream.requests
      assert.match(seen?.subject ?? '', /^CN=alice\b/)
      const headers = pairsOf(seen?.rawHeaders ?? [])
      const valuesOf = (name: string) =>
        headers.flatMap(([key, value]) => (key === name ? [value] : []))
      assert.deepEqual(valuesOf('x-remote-user'), ['alice'])
      assert.deepEqual(valuesOf('authorization'), [])
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  }
}

/** `init` forwards one credential; here it is two. */
const forwardHeaders = async (file: string): Promise<void> => {
  const text = await readFile(file, 'utf8')
  const changed = text.replace('    forward:\n', '    forward:\n      headers: kubernetes\n')
  assert.notEqual(changed, text)
  await writeFile(file, changed)
}
