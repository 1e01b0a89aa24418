// A folder with a configuration that is valid, and its files; each mistake changes one thing in it.

import type { KeyObject } from 'node:crypto'
import { chmod, rm, writeFile } from 'node:fs/promises'
import { newGrantKeyLine } from '../../../src/keys/grant-keys.ts'
import { makeCa, type TestCa } from '../../ca/authorities.ts'
import { cheapHash } from '../../fakes/hashes.ts'
import { temporaryFolder, type TemporaryFolder } from '../../servers/temporary.ts'
import { x509 } from '../../servers/x509.ts'
import { countersign } from '../run.ts'

/** A mistake of a configuration, and what `countersign validate` says about it. */
export interface Mistake {
  readonly name: string
  /** What replaces what in {@link BASE}; a text alone is the whole configuration. */
  readonly edit: readonly (readonly [before: string, after: string])[] | string
  /** Files with other contents than in {@link makeSite}. */
  readonly files?: Readonly<Record<string, string>>
  /** Files with another mode. */
  readonly modes?: Readonly<Record<string, number>>
  /** The configuration of the signer; absent: it is not checked. */
  readonly signer?: string
  /** Default: `countersign.yaml`. */
  readonly config?: string
  /** The lines of standard error, without the folder. Empty: nothing is said. */
  readonly want: readonly string[]
  /** Whether the command ends with 0: there are warnings alone. */
  readonly valid?: boolean
}

/** A valid configuration. */
export const BASE = `version: 1
listen: { authz: unix:authz.sock }
authenticators:
  staff: { basic: { verify: [{ users: { file: users.yaml } }] } }
  cert: { certificate: { trust: ca.pem } }
routes:
  - name: api
    match: { hosts: [api.example.org] }
    authenticate: [staff, cert]
    authorize:
      - deny: no-secrets
        paths: ['/secrets/**']
      - allow: operators
        groups: [ops]
      - allow: readers
        methods: [GET]
    forward: { headers: kubernetes }
`

/** A section for Envoy, to be appended. */
export const ENVOY = `envoy:
  listener: { address: '127.0.0.1:8443', certificate: server.pem, key: server.key, clientCa: ca.pem }
  upstreams: { api: { address: '127.0.0.1:6443', ca: ca.pem } }
`

/** A TCP listener with TLS, in the place of the socket. */
export const TLS =
  "listen: { authz: { address: '127.0.0.1:0', tls: { certificate: server.pem, key: 'file:server.key', clientCa: ca.pem } } }"

/** A valid configuration of the signer. */
export const SIGNER = `version: 1
listen: unix:signer.sock
authorities: { kube: { certificate: ca.pem, key: 'file:ca.key' } }
`

const DAY = 86_400_000

/** A folder in which mistakes are made. */
export interface Site extends AsyncDisposable {
  /** What the command says about one. */
  judge(mistake: Mistake): Promise<{ readonly status: number | null; readonly lines: string[] }>
}

/** Makes the folder. */
export const makeSite = async (): Promise<Site> => {
  const folder = await temporaryFolder()
  const files = await filesOf()
  const write = async (name: string, text: string): Promise<void> => {
    await writeFile(folder.file(name), text)
    await chmod(folder.file(name), /\.keys?$/.test(name) ? 0o600 : 0o644)
  }
  for (const [name, text] of Object.entries(files)) await write(name, text)
  return {
    judge: async (mistake) => {
      for (const [name, text] of Object.entries(mistake.files ?? {})) await write(name, text)
      for (const [name, mode] of Object.entries(mistake.modes ?? {}))
        await chmod(folder.file(name), mode)
      const result = await run(folder, mistake)
      const changed = [mistake.files, mistake.modes].flatMap((part) => Object.keys(part ?? {}))
      for (const name of changed) {
        const text = files[name]
        await (text === undefined ? rm(folder.file(name)) : write(name, text))
      }
      return result
    },
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  }
}

const run = async (
  folder: TemporaryFolder,
  { edit, signer, config = 'countersign.yaml' }: Mistake,
): Promise<{ readonly status: number | null; readonly lines: string[] }> => {
  const text = typeof edit === 'string' ? edit : edited(edit)
  await writeFile(folder.file('countersign.yaml'), text)
  if (signer !== undefined) await writeFile(folder.file('signer.yaml'), signer)
  const more = signer === undefined ? [] : ['--signer', folder.file('signer.yaml')]
  const { status, stderr } = await countersign(['validate', '-c', folder.file(config), ...more])
  const lines = stderr
    .replaceAll(`${folder.path}/`, '')
    .replaceAll(folder.path, 'FOLDER')
    .split('\n')
    .slice(0, -1)
  return { status, lines: lines.map(withoutTimes) }
}

const edited = (edits: readonly (readonly [string, string])[]): string =>
  edits.reduce((text, [before, after]) => {
    if (!text.includes(before)) throw new Error(`${before} is not in the configuration`)
    return text.replace(before, () => after)
  }, BASE)

const withoutTimes = (line: string): string =>
  line.replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g, 'TIME')

const filesOf = async (): Promise<Readonly<Record<string, string>>> => {
  const now = Date.now()
  const at = (from: number, to: number) => ({
    notBefore: new Date(now + from * DAY),
    notAfter: new Date(now + to * DAY),
  })
  const ca = await makeCa()
  const leaf = {
    issuer: ca,
    subject: 'CN=server',
    extensions: [new x509.BasicConstraintsExtension(false)],
  }
  const server = await makeCa(leaf)
  const other = await makeCa(leaf)
  const certificates = {
    'ca.pem': ca,
    'expired-ca.pem': await makeCa(at(-20, -1)),
    'future-ca.pem': await makeCa(at(1, 20)),
    'soon-ca.pem': await makeCa(at(-20, 1 / 24)),
    'server.pem': server,
    'expired.pem': await makeCa({ ...leaf, ...at(-20, -1) }),
    'soon.pem': await makeCa({ ...leaf, ...at(-20, 1) }),
  }
  const keys = {
    'ca.key': ca,
    'server.key': server,
    'other.key': other,
    'expired.key': certificates['expired.pem'],
    'soon.key': certificates['soon.pem'],
  }
  return {
    'users.yaml': `users: { alice: { password: '${await cheapHash('secret')}', groups: [ops] } }\n`,
    'grant.keys': `${newGrantKeyLine()}\n`,
    ...mapped(certificates, ({ certificate }) => certificate),
    'bundle.pem': ca.certificate + certificates['expired-ca.pem'].certificate,
    ...mapped(keys, ({ key }) => pemOf(key)),
  }
}

const mapped = (
  entries: Readonly<Record<string, TestCa>>,
  text: (ca: TestCa) => string,
): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(entries).map(([name, ca]) => [name, text(ca)]))

const pemOf = (key: KeyObject): string => String(key.export({ type: 'pkcs8', format: 'pem' }))
