// A real Chromium without a window, driven by playwright. It has a profile of its own that is deleted with
// it, and sends no requests to the internet.

import { createHash, X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { chromium, type Browser } from 'playwright-core'
import { findProgram } from '../../src/runtime/child.ts'
import type { ChromiumHome } from './chromium-home.ts'

/** Under which names distributions have it. */
const NAMES = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome']

const findChromium = (): string | undefined =>
  NAMES.map(findProgram).find((path) => path !== undefined)

const MISSING = 'no chromium on this machine: "sudo sh scripts/test-servers.sh" installs it'

/**
 * For `skip` of node:test: the reason to skip tests that need a browser, or `false` where there is one.
 * Throws where `CI` is `true`: there a missing browser is a fault and not a reason.
 */
export const skipWithoutChromium = (): string | false => {
  if (findChromium() !== undefined) return false
  if (process.env['CI'] === 'true') throw new Error(MISSING)
  return MISSING
}

const ARGUMENTS = [
  // As root it does not start otherwise, and it is shown only pages of these tests.
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  // /dev/shm of a container is too small for it.
  '--disable-dev-shm-usage',
]

/**
 * Starts it. When it is closed, every page is; it ends with this process in any case.
 *
 * @param home where its client certificate is; it has to be there for longer than the browser
 */
export const startChromium = async (
  further: readonly string[] = [],
  home?: ChromiumHome,
): Promise<Browser> => {
  const executablePath = findChromium()
  if (executablePath === undefined) throw new Error(MISSING)
  const args = [...ARGUMENTS, ...further]
  if (home === undefined) return await chromium.launch({ executablePath, args })
  const { profile, environment: env } = home
  const context = await chromium.launchPersistentContext(profile, { executablePath, args, env })
  const browser = context.browser()
  if (browser === null) throw new Error('a context without a browser')
  return browser
}

/**
 * The argument by which it takes these server certificates, and only these, as if a CA of the machine had
 * issued them.
 *
 * @param files PEM
 */
export const trusting = async (files: readonly string[]): Promise<string> => {
  const pins = await Promise.all(files.map(pinOf))
  return `--ignore-certificate-errors-spki-list=${pins.join(',')}`
}

/** RFC 7469 §2.4. */
const pinOf = async (file: string): Promise<string> => {
  const { publicKey } = new X509Certificate(await readFile(file))
  const der = publicKey.export({ type: 'spki', format: 'der' })
  return createHash('sha256').update(der).digest('base64')
}
