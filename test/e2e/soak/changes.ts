// What happens to authz and the signer meanwhile: everything that is rotated, changed and restarted in the
// life of an installation.

import assert from 'node:assert/strict'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { SIGNING_KEY_LIST } from '../../../src/keys/signing-key-folder.ts'
import { formatSigningKeys, parseSigningKeys } from '../../../src/keys/signing-keys.ts'
import { run } from '../../cli/login/running.ts'
import type { KubeSite } from '../kubernetes/kube-site.ts'
import { eventually } from '../site.ts'

/** A time in which requests may fail, in milliseconds since 1970. */
export interface Outage {
  readonly from: number
  readonly to: number
}

/** Something that is done at some time of a soak. */
export interface Change {
  readonly name: string
  /** A share of the whole time. */
  readonly at: number
  /** Does it, and waits until it is in force; the outage that it made, if any. */
  make(site: KubeSite): Promise<Outage | undefined>
}

/** How long after authz says that it listens requests may fail still: what was on its way to the last one. */
const RECOVERY = 1_000

const silent = (name: string, at: number, make: (site: KubeSite) => Promise<void>): Change => ({
  name,
  at,
  async make(site) {
    await make(site)
    return undefined
  },
})

const countersign = async (site: KubeSite, ...args: readonly string[]): Promise<void> => {
  const { status, stderr } = await run(args, { state: site.folder.path })
  assert.equal(status, 0, stderr)
}

const keyring =
  (...step: readonly string[]) =>
  async (site: KubeSite): Promise<void> =>
    await countersign(site, 'keys', 'grant', site.folder.file('grant.keys'), ...step)

const count = (text: string, part: string): number => text.split(part).length - 1

/** As careful editors and configuration management do it: never a half-written file. */
const edit = async (file: string, change: (text: string) => string): Promise<void> => {
  await writeFile(`${file}.new`, change(await readFile(file, 'utf8')))
  await rename(`${file}.new`, file)
}

/** Changes a configuration, and waits until the process says what it made of it. */
const configure =
  (name: 'authz' | 'signer', change: (text: string, site: KubeSite) => string, says: string) =>
  async (site: KubeSite): Promise<void> => {
    const file = site.folder.file(name === 'authz' ? 'countersign.yaml' : 'signer.yaml')
    const said = async () => count(site[name].log, says)
    const before = await said()
    await edit(file, (text) => change(text, site))
    await eventually(said, (now) => now > before)
  }

const LOADED = '"configuration loaded"'
const REJECTED = '"configuration rejected'

/** What no configuration may have; a process that reads it keeps its last configuration. */
const SURPRISE = '\nsurprise: true\n'

/** The rule that decides once the rules are replaced. */
export const NEW_RULE = 'rbac-decides-now'

const otherRules = (text: string): string => text.replaceAll('rbac-decides', NEW_RULE)

const newAuthority = (text: string, { minting: [old, next] }: KubeSite): string =>
  text.replace(old.ca, next.ca).replace(old.key, next.key)

/** What an hour does: the next key, which has been published for long enough, signs from now on. */
const signNow = async (site: KubeSite): Promise<void> => {
  const said = async () => count(site.authz.log, LOADED)
  const before = await said()
  await edit(join(site.folder.file('signing-keys'), SIGNING_KEY_LIST), (text) => {
    const { version, keys } = parseSigningKeys(SIGNING_KEY_LIST, text)
    assert.equal(keys.length, 2)
    const signsFrom = new Date().toISOString()
    const [signing, ...next] = keys
    assert.ok(signing !== undefined)
    return formatSigningKeys({
      version,
      keys: [signing, ...next.map((key) => ({ ...key, signsFrom }))],
    })
  })
  await eventually(said, (now) => now > before)
}

/** Ends a process and starts another. */
const restart =
  (name: 'authz' | 'signer', signal: NodeJS.Signals) =>
  async (site: KubeSite): Promise<Outage> => {
    const from = Date.now()
    await site[name].end(signal)
    await site[name].start()
    return { from, to: Date.now() + RECOVERY }
  }

/**
 * All of it, in order. Rotations come first, so that the processes that are started afterwards have only
 * what is new. Certificates and tokens of the soak live so short that what is old is no longer used when it
 * is removed.
 */
export const CHANGES: readonly Change[] = [
  silent('the next signing key is published', 0.02, (site) =>
    countersign(site, 'keys', 'signing', 'rotate', site.folder.file('signing-keys')),
  ),
  silent('a grant key is added', 0.05, keyring('--add')),
  silent('the new grant key seals', 0.1, keyring('--promote')),
  silent('the signer has another CA', 0.15, configure('signer', newAuthority, LOADED)),
  silent('other rules', 0.2, configure('authz', otherRules, LOADED)),
  silent(
    'a configuration that is refused',
    0.25,
    configure('authz', (text) => text + SURPRISE, REJECTED),
  ),
  silent(
    'that is mended',
    0.28,
    configure('authz', (text) => text.replace(SURPRISE, ''), LOADED),
  ),
  silent('the next key signs our tokens', 0.32, signNow),
  { name: 'authz is restarted', at: 0.4, make: restart('authz', 'SIGTERM') },
  { name: 'the signer is restarted', at: 0.45, make: restart('signer', 'SIGTERM') },
  { name: 'authz is killed', at: 0.5, make: restart('authz', 'SIGKILL') },
  { name: 'the signer is killed', at: 0.55, make: restart('signer', 'SIGKILL') },
  silent('the old grant key goes', 0.65, keyring('--prune', '1')),
]
