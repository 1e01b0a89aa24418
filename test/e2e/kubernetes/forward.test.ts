// Files to and from pods, their ports, and `kubectl proxy`, on each way out and by both protocols.
// Steps are in README.md.

import assert from 'node:assert/strict'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { dirname, join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { after, before, describe, it } from 'node:test'
import { freePort } from '../../servers/ports.ts'
import { skipWithoutKubelet, type Kubelet } from '../../servers/kubelet.ts'
import { callerBy, type Caller } from './asking.ts'
import { OUT } from './configuration.ts'
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
import { NAMESPACE } from './roles.ts'
import { runKubectl, startKubectl, type RunOptions, type RunningKubectl } from './running.ts'
import { CREDENTIALS_IN } from './credentials-in.ts'

const SKIP = skipWithoutServers() || skipWithoutKubelet()

/** What is in a folder that is copied. */
const TREE: Readonly<Record<string, Buffer>> = {
  'some.bin': BLOB.subarray(0, 3_000_000),
  empty: Buffer.alloc(0),
  'with a space/größe.txt': Buffer.from('hier\n'),
}

const writeTree = async (folder: string): Promise<void> => {
  for (const [name, content] of Object.entries(TREE)) {
    const file = join(folder, name)
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, content)
  }
}

const assertTree = async (folder: string): Promise<void> => {
  for (const [name, content] of Object.entries(TREE)) {
    assert.equal(hashOf(await readFile(join(folder, name))), hashOf(content), name)
  }
}

describe('cp, port-forward and proxy', { skip: SKIP, timeout: 240_000 }, () => {
  let site: KubeSite
  let kubelet: Kubelet
  let alice: Caller
  let web: Server
  let port: number
  before(async () => {
    site = await startKubeSite()
    alice = await callerBy(site, CREDENTIALS_IN['an access token of the own issuer'], USERS.alice)
    kubelet = await startPods(site, alice)
    port = await freePort()
    web = createServer((request, response) => {
      if (request.method !== 'POST') {
        response.end(request.url === '/blob' ? BLOB : request.url)
        return
      }
      void buffer(request).then((body) => response.end(hashOf(body)))
    }).listen(port, '127.0.0.1')
  })
  after(async () => {
    web.closeAllConnections()
    web.close()
    await kubelet[Symbol.asyncDispose]()
    await site[Symbol.asyncDispose]()
  })

  /** `kubectl proxy`, and its URL. */
  const startProxy = async (
    address: string,
    args: readonly string[] = [],
  ): Promise<readonly [RunningKubectl, string]> => {
    const proxy = startKubectl(site, alice, ['proxy', '--port=0', ...args], { address })
    const [, local] = await proxy.shows(/Starting to serve on (127\.0\.0\.1:\d+)/)
    return [proxy, `http://${local}`]
  }

  const byProtocol = (address: string, options: RunOptions, name: string, method: string): void => {
    it('17. cp copies a folder to a pod and back', async () => {
      const folder = site.folder.file(name)
      await writeTree(folder)
      for (const [from, to] of [
        [folder, `shell:${name}`],
        [`shell:${name}`, `${folder}-back`],
      ] as const) {
        const { code, complaint } = await runKubectl(site, alice, ['cp', ...IN, from, to], options)
        assert.equal(code, 0, complaint)
      }
      await assertTree(join(kubelet.folderOf(PODS.shell), name))
      await assertTree(`${folder}-back`)
    })

    it('18. port-forward has several connections at once, and 20 MB in both directions', async () => {
      const decisions = await decisionsOf(site, address, 'portforward', async () => {
        const args = ['port-forward', ...IN, 'pod/shell', `:${port}`]
        await using forward = startKubectl(site, alice, args, options)
        const [, local] = await forward.shows(/Forwarding from 127\.0\.0\.1:(\d+) ->/)
        const url = `http://127.0.0.1:${local}`
        const paths = Array.from({ length: 8 }, (_, number) => `/${number}`)
        const answers = paths.map(async (path) => await (await fetch(url + path)).text())
        assert.deepEqual(await Promise.all(answers), paths)
        const blob = Buffer.from(await (await fetch(`${url}/blob`)).arrayBuffer())
        assert.equal(hashOf(blob), hashOf(BLOB))
        const posted = await fetch(url, { method: 'POST', body: BLOB })
        assert.equal(await posted.text(), hashOf(BLOB))
      })
      await assertRequested(site, decisions, method)
    })

    it('19. kubectl proxy opens a shell for another kubectl without a credential', async () => {
      const [proxy, url] = await startProxy(address, ['--disable-filter'])
      await using _ = proxy
      const nobody = { identity: [], state: site.folder.path }
      const exec = ['exec', '-i', 'shell', ...IN, `--server=${url}`, '--', 'cat']
      const input = BLOB.subarray(0, 1_000_000)
      const decisions = await decisionsOf(site, address, 'exec', async () => {
        const { environment = {} } = options
        const { code, output, complaint } = await runKubectl(site, nobody, exec, {
          environment,
          input,
        })
        assert.equal(code, 0, complaint)
        assert.equal(hashOf(output), hashOf(input))
      })
      await assertRequested(site, decisions, method)
    })
  }

  /** What is done on a way out, one after another. */
  const byWay = (out: string, address: string): void => {
    for (const [protocol, { environment, method }] of PROTOCOLS) {
      const name = `tree-${address}-${protocol}`
      describe(protocol, () => byProtocol(address, { address, environment }, name, method))
    }

    it('19. kubectl proxy has a list, and a watch that reports changes by another user', async () => {
      const [proxy, url] = await startProxy(address)
      await using _ = proxy
      const path = `/api/v1/namespaces/${NAMESPACE}/pods`
      assert.match(await (await fetch(url + path)).text(), /"name":"shell"/)
      const watch = await fetch(`${url}${path}?watch=true`)
      const body = { metadata: { annotations: { note: out } } }
      await site.server.call({ method: 'PATCH', path: `${path}/echo`, body })
      let seen = ''
      for await (const chunk of watch.body?.pipeThrough(new TextDecoderStream()) ?? []) {
        seen += chunk
        if (seen.includes(`"note":"${out}"`)) break
      }
      assert.ok(seen.includes(`"note":"${out}"`))
    })
  }

  describe(
    'cp, port-forward and proxy with each upstream credential at once',
    { concurrency: true },
    () => {
      for (const [out, address] of OUT) {
        describe(`→ ${out}`, { concurrency: 1 }, () => byWay(out, address))
      }
    },
  )

  it('18. reach the API server as the protocol that kubectl chose, WebSocket or SPDY', async () => {
    await assertWebSockets(site, ['portforward'])
  })
})
