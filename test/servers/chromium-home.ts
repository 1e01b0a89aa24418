// A home for a Chromium that has an installed client certificate: in the database of NSS, where Chromium on
// Linux looks for it.

import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { findProgram } from '../../src/runtime/child.ts'
import { runProgram } from './daemon.ts'
import type { KeyPair } from './pki.ts'
import { temporaryFolder } from './temporary.ts'

/** The home; it goes when it is disposed. */
export interface ChromiumHome extends AsyncDisposable {
  readonly profile: string
  readonly environment: Readonly<Record<string, string>>
}

const TOOLS = ['certutil', 'pk12util', 'openssl']

/** As `skipWithoutChromium`, for what fills the database. */
export const skipWithoutNss = (): string | false => {
  const missing = TOOLS.find((tool) => findProgram(tool) === undefined)
  if (missing === undefined) return false
  const reason = `no ${missing} on this machine: "sudo sh scripts/test-servers.sh" installs it`
  if (process.env['CI'] === 'true') throw new Error(reason)
  return reason
}

// Chromium asks which certificate to show; without a window there is no answer. What an administrator would
// set by the policy AutoSelectCertificateForUrls, it takes from its own preferences too.
const PREFERENCES = {
  profile: {
    managed_auto_select_certificate_for_urls: [
      JSON.stringify({ pattern: 'https://[*.]example.org', filter: {} }),
    ],
  },
}

/** Makes one for a Chromium that shows this certificate to every server below example.org that asks. */
export const chromiumHomeWith = async ({ certificate, key }: KeyPair): Promise<ChromiumHome> => {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await temporaryFolder())
  const database = folder.file('.pki/nssdb')
  const bundle = folder.file('client.p12')
  const profile = folder.file('profile')
  await mkdir(database, { recursive: true })
  await mkdir(join(profile, 'Default'), { recursive: true })
  await writeFile(join(profile, 'Default', 'Preferences'), JSON.stringify(PREFERENCES))
  const input = ['-in', certificate, '-inkey', key]
  await runProgram('openssl', ['pkcs12', '-export', ...input, '-out', bundle, '-passout', 'pass:'])
  await runProgram('certutil', ['-N', '-d', `sql:${database}`, '--empty-password'])
  await runProgram('pk12util', ['-i', bundle, '-d', `sql:${database}`, '-W', ''])
  const owned = stack.move()
  return {
    profile,
    environment: { PATH: process.env['PATH'] ?? '', HOME: folder.path },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}
