// A recipe of deploy/recipes, run unchanged, except for its addresses, its folders and what no test can
// have (a name in public DNS, a public certificate).

import { readFile, writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { DecisionEvent } from '../../../src/audit/event.ts'
import { ConfigurationFiles } from '../../../src/config/files.ts'
import { readConfig } from '../../../src/configuration/parse.ts'
import { renderBootstrap } from '../../../src/envoy/bootstrap.ts'
import type { MadeKey } from '../../fakes/signing-keys.ts'
import { http1, type Answer, type HeaderLine, type Target } from '../../servers/client.ts'
import { startEnvoy } from '../../servers/envoy.ts'
import type { KeyPair, Pki } from '../../servers/pki.ts'
import { writeSigningKeys } from '../../servers/signing-keys.ts'
import { temporaryFolder } from '../../servers/temporary.ts'
import { CountersignProcess } from '../process.ts'
import { usersFile } from '../site.ts'

const FOLDER = resolve(import.meta.dirname, '../../../deploy/recipes')

/** The text of a file in the folder of the recipes. */
export const recipeFile = async (name: string): Promise<string> =>
  await readFile(resolve(FOLDER, name), 'utf8')

/** An upstream as a recipe names it. */
interface UpstreamPlace {
  /** `HOST:PORT`. */
  readonly address: string
  readonly ca: string
}

/** What a recipe is run with. */
export interface RecipeOptions {
  readonly pki: Pki
  /** Address in the recipe → the upstream that is there. */
  readonly upstreams: Readonly<Record<string, UpstreamPlace>>
  /** The CA of clients, where the recipe asks for certificates. */
  readonly clientCa?: string
  /** The front-proxy certificate. Default: the PKI's. */
  readonly frontProxy?: KeyPair
  readonly signingKeys?: readonly MadeKey[]
  /** Texts of the recipe → their replacements. */
  readonly changes?: Readonly<Record<string, string>>
  /** Secrets by file name. */
  readonly secrets?: Readonly<Record<string, string>>
  /** Envoy's port. Default: the system's choice. */
  readonly port?: number
}

/** A running recipe. */
export interface Running extends AsyncDisposable {
  /** Sends a request over HTTP/1.1, as the user of the headers or of the client certificate. */
  ask(host: string, options: AskOptions): Promise<Answer>
  /** The last decision. */
  lastEvent(): Promise<DecisionEvent>
  /** The last decision about a path of a host. Browsers send requests of their own as well. */
  lastEventOn(host: string, path: string): Promise<DecisionEvent | undefined>
  readonly authz: CountersignProcess
  readonly envoyPort: number
  /** The folder of the signing keys. */
  readonly keys: string
}

/** The request, and its caller. */
export interface AskOptions {
  readonly path?: string
  readonly method?: string
  readonly body?: string
  readonly headers?: readonly HeaderLine[]
  readonly client?: KeyPair
}

/** Starts authz and a real Envoy by a recipe. */
export const runRecipe = async (name: string, options: RecipeOptions): Promise<Running> => {
  await using stack = new AsyncDisposableStack()
  const { pki, signingKeys, secrets = {}, port = 0 } = options
  const folder = stack.use(await temporaryFolder())
  const config = folder.file('countersign.yaml')
  const keys = folder.file('signing-keys')
  await writeFile(folder.file('users.yaml'), await usersFile())
  if (signingKeys !== undefined) await writeSigningKeys(keys, signingKeys)
  for (const [file, text] of Object.entries(secrets)) {
    await writeFile(folder.file(file), text, { mode: 0o600 })
  }
  const text = adapted(await recipeFile(`${name}.countersign.yaml`), folder.path, options, port)
  await writeFile(config, text)
  const authz = stack.use(new CountersignProcess('authz', config))
  await authz.start()
  const { config: parsed } = await readConfig(config, new ConfigurationFiles())
  const envoy = stack.use(await startEnvoy({ bootstrap: renderBootstrap(parsed) }))
  const envoyPort = await envoy.port()
  const audit = folder.file('audit.jsonl')
  const owned = stack.move()
  return {
    authz,
    envoyPort,
    keys,
    async ask(host, { client, ...request }) {
      const target: Target = {
        port: envoyPort,
        serverName: host,
        ca: pki.ca,
        ...(client === undefined ? {} : { client }),
      }
      return await http1(target, { host, ...request })
    },
    async lastEvent() {
      const lines = (await readFile(audit, 'utf8')).trimEnd().split('\n')
      return JSON.parse(lines.at(-1) ?? '')
    },
    async lastEventOn(at, asked) {
      const lines = (await readFile(audit, 'utf8')).trimEnd().split('\n')
      return lines
        .map((line): { event: string } & DecisionEvent => JSON.parse(line))
        .filter(({ event, host }) => event === 'decision' && host === at)
        .findLast(({ path }) => path?.split('?')[0] === asked)
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

/** Every change that is made to the text, in the order of the file. */
const adapted = (
  text: string,
  folder: string,
  { pki, upstreams, clientCa, frontProxy = pki.frontProxy, changes = {} }: RecipeOptions,
  port: number,
): string => {
  const files: Readonly<Record<string, string>> = {
    '/etc/countersign/edge.pem': pki.edge.certificate,
    '/etc/countersign/edge.key': pki.edge.key,
    '/etc/countersign/front-proxy.pem': frontProxy.certificate,
    '/etc/countersign/front-proxy.key': frontProxy.key,
    '/etc/countersign/client-ca.pem': clientCa ?? pki.ca,
    '0.0.0.0:8443': `127.0.0.1:${port}`,
    ...changes,
  }
  const places = Object.entries(upstreams).flatMap(([address, place]) => {
    const authority = new RegExp(`(address: )${address.replaceAll('.', '\\.')}(\\s+ca: )\\S+`, 'g')
    if (!authority.test(text)) throw new Error(`the recipe has no upstream at ${address}`)
    return [{ authority, place }]
  })
  const placed = places.reduce(
    (all, { authority, place }) => all.replace(authority, `$1${place.address}$2${place.ca}`),
    text,
  )
  const changed = Object.entries(files).reduce(
    (all, [old, next]) => all.replaceAll(old, next),
    placed,
  )
  return [
    '/etc/countersign',
    '/run/countersign',
    '/var/lib/countersign',
    '/var/log/countersign',
  ].reduce((all, old) => all.replaceAll(`${old}/`, `${folder}/`), changed)
}
