// What `countersign init` has written, run by `countersign up`, with a caller for each way in.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { join } from 'node:path'
import type { WayIn, WayOut } from '../../../src/cli/init/answers.ts'
import { run, start } from '../../cli/login/running.ts'
import { countersign } from '../../cli/run.ts'
import { Browser, follow } from '../../fakes/browser.ts'
import { basic } from '../../fakes/envoy.ts'
import { startCertificateUpstream } from '../../servers/certificate-upstream.ts'
import { http1, type HeaderLine, type Target } from '../../servers/client.ts'
import { createPki, type Pki } from '../../servers/pki.ts'
import { freePort } from '../../servers/ports.ts'
import { temporaryFolder } from '../../servers/temporary.ts'
import { startOtherIssuer, type OtherIssuer } from '../other-issuer.ts'
import { NAVIGATING } from '../sessions/browsing.ts'
import { startUp } from '../up/running.ts'

/** What a caller got: the answer of the upstream is the request that it received, as JSON. */
interface Outcome {
  readonly status: number
  readonly body: string
}

/** A gateway that runs. */
export interface Gateway extends AsyncDisposable {
  /** Sends the credential of alice. */
  permitted(way: WayIn): Promise<Outcome>
  /** Sends a wrong one; of certificates, none. */
  refused(way: WayIn): Promise<Outcome>
  /** What is at a path of the issuer. */
  atIssuer(path: string): Promise<unknown>
  /** How many requests the upstream has received. */
  forwarded(): number
}

const AUDIENCE = 'app'

/** Runs `init`, `validate` and `up`. */
export const startGateway = async (waysIn: readonly WayIn[], wayOut: WayOut): Promise<Gateway> => {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await temporaryFolder())
  const pki = stack.use(await createPki())
  const issuer = await startOtherIssuer(pki)
  stack.use(issuer.server)
  const [edge, application] = [await freePort(), await freePort()]
  const upstream =
    wayOut === 'certificate'
      ? [`https://127.0.0.1:${application}`, '--upstream-ca', pki.ca]
      : [`127.0.0.1:${application}`]
  const tokens = waysIn.includes('token') ? ['--issuer', issuer.issuer, '--audience', AUDIENCE] : []
  const made = await countersign(
    `init ${folder.path} --port ${edge} --in ${waysIn.join()} --out ${wayOut}`
      .split(' ')
      .concat('--upstream', upstream, tokens),
  )
  assert.equal(made.status, 0, made.stderr)
  const config = folder.file('countersign.yaml')
  const signer = wayOut === 'certificate' ? ['--signer', folder.file('signer.yaml')] : []
  const valid = await countersign(['validate', '--strict', '--config', config, ...signer])
  assert.deepEqual([valid.status, valid.stderr], [0, ''])
  const started =
    wayOut === 'certificate'
      ? await certificateUpstream(pki, application, folder.file('signer-ca/ca.pem'))
      : await plainUpstream(application)
  stack.use(started)
  const ca = folder.file('ca/ca.pem')
  const env = { NODE_EXTRA_CA_CERTS: pki.ca } // of the issuer of tokens
  stack.use(await startUp(async () => ({ ...folder, folder: folder.path, config, ca }), { env }))
  const callers = callersOf({ folder: folder.path, edge, issuer, printed: made.stdout })
  const owned = stack.move()
  return {
    permitted: async (way) => await callers[way].permitted(),
    refused: async (way) => await callers[way].refused(),
    atIssuer: async (path) => {
      const target = { port: edge, serverName: 'id.localhost', ca }
      const { body } = await http1(target, { path, host: `id.localhost:${edge}` })
      return JSON.parse(body)
    },
    forwarded: () => started.forwarded(),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

interface Counted extends AsyncDisposable {
  forwarded(): number
}

const plainUpstream = async (port: number): Promise<Counted> => {
  let forwarded = 0
  const server = createServer(({ rawHeaders }, response) => {
    forwarded += 1
    response.end(JSON.stringify({ rawHeaders }))
  }).listen(port, '127.0.0.1')
  await once(server, 'listening')
  return {
    forwarded: () => forwarded,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
    },
  }
}

const certificateUpstream = async (pki: Pki, port: number, clientCa: string): Promise<Counted> => {
  const clientCas = await readFile(clientCa, 'utf8')
  const upstream = await startCertificateUpstream({ identity: pki.upstream, clientCas, port })
  return {
    forwarded: () => upstream.requests.length,
    [Symbol.asyncDispose]: () => upstream[Symbol.asyncDispose](),
  }
}

interface Caller {
  readonly permitted: () => Promise<Outcome>
  readonly refused: () => Promise<Outcome>
}

interface Entrance {
  readonly folder: string
  readonly edge: number
  readonly issuer: OtherIssuer
  /** The output of `init`. */
  readonly printed: string
}

const callersOf = ({
  folder,
  edge,
  issuer,
  printed,
}: Entrance): Readonly<Record<WayIn, Caller>> => {
  const ca = join(folder, 'ca/ca.pem')
  const target: Target = { port: edge, serverName: 'localhost', ca }
  const host = `localhost:${edge}`
  const send = async (header?: HeaderLine, client?: Target['client']): Promise<Outcome> =>
    await http1({ ...target, ...(client && { client }) }, { host, headers: header ? [header] : [] })
  const secret = (pattern: RegExp): string => pattern.exec(printed)?.[1] ?? assert.fail(printed)
  const password = (): string => secret(/password of alice is (\S+)\./)
  const key = (): string => secret(/X-Api-Key: (\S+)'/)
  const token = async (aud: string): Promise<HeaderLine> => {
    const now = Math.floor(Date.now() / 1_000)
    const claims = {
      iss: issuer.issuer,
      aud,
      sub: 'alice',
      groups: ['dev'],
      iat: now,
      exp: now + 60,
    }
    return ['authorization', `Bearer ${await issuer.key.token(claims)}`]
  }
  const logIn = async (typed: string): Promise<Outcome> => {
    const browser = new Browser({ port: edge, tls: { ca: await readFile(ca) } }, NAVIGATING)
    const page = await follow(browser, `https://${host}/`)
    const sent = await browser.submit(page, '/password', { user: 'alice', password: typed })
    return sent.headers.location === undefined ? sent : await follow(browser, sent.url)
  }
  const commandLine = async (): Promise<HeaderLine> => {
    const at = ['--issuer', `https://id.${host}`, '--ca', ca, '--resource', `https://${host}`]
    const state = join(folder, 'tokens')
    await using running = start(['login', ...at, '--no-browser'], { state })
    const [, url = ''] = await running.says(/^ {2}(https:\/\/\S+)$/m)
    const browser = new Browser({ port: edge, tls: { ca: await readFile(ca) } })
    const typed = { user: 'alice', password: password() }
    const form = await browser.submit(await browser.get(url), '/password', typed)
    const { url: callback } = await browser.submit(form, '/consent', { answer: 'allow' })
    assert.equal((await fetch(callback)).status, 200)
    assert.equal((await running.ended).status, 0)
    const { stdout } = await run(['credential', ...at], { state })
    return ['authorization', `Bearer ${JSON.parse(stdout).status.token}`]
  }
  const certificate = {
    certificate: join(folder, 'tls/alice.pem'),
    key: join(folder, 'tls/alice.key'),
  }
  return {
    password: {
      permitted: async () => await send(basicLine(password())),
      refused: async () => await send(basicLine('wrong')),
    },
    certificate: {
      permitted: async () => await send(undefined, certificate),
      refused: async () => await send(),
    },
    token: {
      permitted: async () => await send(await token(AUDIENCE)),
      refused: async () => await send(await token('another')),
    },
    'api-key': {
      permitted: async () => await send(['x-api-key', key()]),
      refused: async () => await send(['x-api-key', key().replace(/.{8}$/, 'AAAAAAAA')]),
    },
    login: {
      permitted: async () => await logIn(password()),
      refused: async () => await logIn('wrong'),
    },
    'command-line': {
      permitted: async () => await send(await commandLine()),
      refused: async () => {
        const [name, value] = await commandLine()
        return await send([name, `${value.slice(0, -8)}AAAAAAAA`])
      },
    },
  }
}

const basicLine = (password: string): HeaderLine => ['authorization', basic('alice', password)]
