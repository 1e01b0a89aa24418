// A real Chromium without a window, driven by playwright. It has a profile of its own that goes with it,
// and asks nobody on the internet for anything.

import { chromium, type Browser } from 'playwright-core'
import { findProgram } from '../../src/runtime/child.ts'

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
  // As root it does not start otherwise, and everything that it is shown here is ours.
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

/** Starts it. When it is disposed, every page closes; it ends with this process in any case. */
export const startChromium = async (further: readonly string[] = []): Promise<Browser> => {
  const executablePath = findChromium()
  if (executablePath === undefined) throw new Error(MISSING)
  return await chromium.launch({ executablePath, args: [...ARGUMENTS, ...further] })
}
