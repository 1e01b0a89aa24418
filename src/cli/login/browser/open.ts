// Whether this machine has a browser with a display, and opening a page in it.

import { spawn } from 'node:child_process'
import type { Surroundings } from '../cache/place.ts'

/** Whether a browser can be expected. */
export const hasBrowser = ({
  platform,
  environment,
}: Pick<Surroundings, 'platform' | 'environment'>): boolean => {
  const { DISPLAY = '', WAYLAND_DISPLAY = '', SSH_CONNECTION = '' } = environment
  // Over SSH the screen is elsewhere; a forwarded X display is taken for one that is meant.
  if (platform === 'darwin' || platform === 'win32') return SSH_CONNECTION === ''
  return DISPLAY !== '' || WAYLAND_DISPLAY !== ''
}

/** What opens a page, as program and arguments. None of them is a shell, which would read the URL. */
export const openerOf = (platform: NodeJS.Platform, url: URL): readonly [string, ...string[]] => {
  if (platform === 'darwin') return ['open', url.href]
  // `start` belongs to the shell of Windows, for which `&` ends a command.
  if (platform === 'win32') return ['rundll32', 'url.dll,FileProtocolHandler', url.href]
  return ['xdg-open', url.href]
}

/** Opens a page, and does not wait for it. Says whether that could be tried. */
export const openBrowser = async (url: URL, env: NodeJS.ProcessEnv): Promise<boolean> => {
  const [program, ...args] = openerOf(process.platform, url)
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const child = spawn(program, args, { env, stdio: 'ignore', detached: true })
  child.once('spawn', () => resolve(true))
  child.once('error', () => resolve(false))
  child.unref()
  return await promise
}
