// The pages on which a user logs in from the command line: with a browser, at the issuer of a running Countersign, in front of a
// real API server.

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { blocksTestedBy } from '../../docs/examples/blocks.ts'
import { openPageFolder, type PageFolder } from '../../docs/examples/page-folder.ts'
import { runIn, startUpIn } from '../../docs/examples/page-run.ts'
import { Browser } from '../../fakes/browser.ts'
import { until } from '../../fakes/until.ts'
import { startConnectProxy } from '../../servers/connect-proxy.ts'
import { skipWithoutEnvoy } from '../../servers/envoy.ts'
import { skipWithoutApiServer, startKubeApiServer } from '../../servers/kube-apiserver.ts'
import { skipWithoutKubectl } from '../../servers/kubectl.ts'
import { KUBECTL } from '../../servers/kubernetes-programs.ts'

const TEST = 'test/e2e/documents/login.test.ts'
const KUBERNETES = 'https://kube.example.org'
const DASHBOARDS = 'https://dashboards.example.org'

const CONFIG = `
version: 1
listen: { authz: unix:run/authz.sock, issuer: unix:run/issuer.sock }
issuer:
  url: https://localhost:8443
  keys: signing-keys
  login: { authenticators: [staff] }
  clients:
    countersign-cli:
      name: Command line
      grantTypes: [authorization_code, refresh_token, device_code]
      redirectUris: [http://127.0.0.1/callback]
      resources: [${KUBERNETES}, ${DASHBOARDS}]
  resources: { ${KUBERNETES}: {}, ${DASHBOARDS}: {} }
authenticators:
  staff: { basic: { verify: [{ users: { file: users.yaml } }] } }
  tokens:
    bearer: { issuer: https://localhost:8443, audiences: [${KUBERNETES}, ${DASHBOARDS}, countersign-cli] }
    identity: { user: claims.sub, groups: 'claims.?groups.orValue([])' }
routes:
  - name: kubernetes
    match: { hosts: [kube.example.org] }
    kind: kubernetes
    authenticate: [tokens]
    authorize: [{ allow: rbac-decides }]
    forward: { headers: kubernetes }
  - name: grafana
    match: { hosts: [grafana.example.org] }
    authenticate: [tokens]
    authorize: [{ allow: everyone }]
    forward: { headers: grafana }
audit: { file: audit.jsonl }
envoy:
  listener: { address: 127.0.0.1:8443, certificate: edge/server.pem, key: edge/server.key }
  upstreams:
    kubernetes: { address: API_SERVER, ca: kube-ca.pem, serverName: kubernetes, certificate: proxy.pem, key: proxy.key }
    grafana: { address: 127.0.0.1:3000 }
`

// What a desktop has: it is given the address of a page.
const XDG_OPEN = '#!/bin/sh\necho "$1" >"$HOME/opened"\n'

const skip = skipWithoutEnvoy() || skipWithoutApiServer() || skipWithoutKubectl()

describe('pages on logins from the command line', { skip, timeout: 120_000 }, () => {
  const owned = new AsyncDisposableStack()
  let folder: PageFolder
  let port: number
  before(async () => {
    const { url, ca, frontProxy } = owned.use(await startKubeApiServer())
    const read = (file: string): Promise<string> => readFile(file, 'utf8')
    folder = owned.use(
      await openPageFolder([], {
        programs: { 'xdg-open': XDG_OPEN, kubectl: `#!/bin/sh\nexec ${KUBECTL} "$@"\n` },
        differences: [
          ['https://id.example.org', 'https://localhost:8443'],
          ['API_SERVER', new URL(url).host],
        ],
        files: {
          'countersign.yaml': CONFIG,
          'kube-ca.pem': await read(ca),
          'proxy.pem': await read(frontProxy.certificate),
          'proxy.key': await read(frontProxy.key),
        },
      }),
    )
    port = Number(folder.here('8443'))
    const proxy = owned.use(await startConnectProxy(port))
    // For kubectl, which knows the CA and finds Envoy as machines of users do.
    const reached = { HTTPS_PROXY: proxy.url, NO_PROXY: 'localhost', DISPLAY: ':0' }
    const environment = {
      ...folder.environment,
      ...reached,
      SSL_CERT_FILE: join(folder.path, 'ca.pem'),
    }
    folder = { ...folder, environment }
    owned.use(await startUpIn(folder))
  })
  after(() => owned.disposeAsync())

  const logIn = async (): Promise<void> => {
    const opened = async (): Promise<string> =>
      await readFile(join(folder.path, 'opened'), 'utf8').catch(() => '')
    await until(async () => (await opened()).endsWith('\n'), 'the browser is opened')
    const tls = { ca: await readFile(join(folder.path, 'ca.pem')) }
    const browser = new Browser({ port, tls })
    const page = await browser.get((await opened()).trim())
    const form = await browser.submit(page, '/password', { user: 'alice', password: 'wonderland' })
    const { url } = await browser.submit(form, '/consent', { answer: 'allow' })
    assert.equal((await fetch(url)).status, 200)
  }

  const outputOf = async (text: string): Promise<string> => {
    const { status, stdout, stderr } = await runIn(folder, text)
    assert.equal(status, 0, stdout + stderr)
    return stdout
  }

  it('log in with a browser, and give kubectl a token', async () => {
    const [block] = blocksTestedBy(TEST, 'docs/how-to/command-line-login.md')
    const [output] = await Promise.all([outputOf(block?.text ?? ''), logIn()])
    assert.match(output, /Username +alice/)
  })

  it('make a kubeconfig', async () => {
    const [block] = blocksTestedBy(TEST, 'docs/how-to/upstreams/kube-apiserver.md')
    assert.match(await outputOf(block?.text ?? ''), /Username +alice/)
  })

  it('give curl a token', async () => {
    await outputOf('rm opened')
    const [block] = blocksTestedBy(TEST, 'deploy/recipes/README.md')
    const [output] = await Promise.all([outputOf(block?.text ?? ''), logIn()])
    assert.match(output, /"x-webauth-user":"alice"/)
  })
})
