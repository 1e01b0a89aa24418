// A folder with all that a signer needs, and grants for it as authz would seal them now.

import { writeFile } from 'node:fs/promises'
import type { Grant } from '../../src/grant/grant.ts'
import { newGrantKeyLine, parseGrantKeys, type GrantKey } from '../../src/keys/grant-keys.ts'
import { makeCa, type TestCa } from '../ca/authorities.ts'
import { temporaryFolder } from '../servers/temporary.ts'
import { grantOf, sealed } from './grant.ts'

/** The files of a signer. */
export interface SignerSite extends AsyncDisposable {
  readonly folder: string
  /** `signer.yaml`. */
  readonly config: string
  readonly ca: TestCa
  /** The path of a file in the folder. */
  file(name: string): string
  /** Writes `signer.yaml`, with more keys. */
  configure(more?: string): Promise<void>
  /** Writes the CA's files. */
  writeCa(ca: TestCa): Promise<void>
  /** Writes a keyring and gives its keys. */
  writeKeyring(...lines: readonly string[]): Promise<readonly GrantKey[]>
  /** A handle of the keyring's first key. */
  handle(changes?: Partial<Grant>): string
}

/** What `signer.yaml` says. */
const BASE = `
version: 1
listen: unix:run/signer.sock
authorities: { kube: { certificate: ca.pem, key: 'file:ca.key' } }
audit: { file: issued.jsonl }
`

const PRIVATE = { mode: 0o600 }

/** Makes the files. */
export const signerSite = async (): Promise<SignerSite> => {
  const folder = await temporaryFolder()
  const ca = await makeCa()
  let keys: readonly GrantKey[] = []
  const site: SignerSite = {
    folder: folder.path,
    config: folder.file('signer.yaml'),
    ca,
    file: (name) => folder.file(name),
    configure: async (more = 'log: { level: error }') =>
      await writeFile(folder.file('signer.yaml'), BASE + more),
    async writeCa({ certificate, key }) {
      await writeFile(folder.file('ca.pem'), certificate)
      await writeFile(folder.file('ca.key'), key.export({ type: 'pkcs8', format: 'pem' }), PRIVATE)
    },
    async writeKeyring(...lines) {
      await writeFile(folder.file('grant.keys'), lines.join('\n'), PRIVATE)
      keys = parseGrantKeys('test', lines.join('\n'))
      return keys
    },
    handle: (changes = {}) => sealed(currentGrant(changes), ...keys),
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  }
  await site.writeCa(ca)
  await site.writeKeyring(newGrantKeyLine())
  await site.configure()
  return site
}

const currentGrant = (changes: Partial<Grant>): Grant => {
  const now = Math.floor(Date.now() / 1_000)
  return grantOf({ notBefore: now - 300, notAfter: now + 3_600, renewAt: now + 1_800, ...changes })
}
