// Where tokens are kept between commands.
//
// Among the state of programs, not in a cache, which is emptied at any time, while a lost refresh token
// takes a person to get back; not in the configuration, which people put under version control; and not
// in data that travels with them: tokens stay on the machine that got them. macOS and Windows have one
// place for what a program keeps on this machine.

import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'

/** What says where. */
export interface Surroundings {
  readonly platform: NodeJS.Platform
  readonly environment: NodeJS.ProcessEnv
  readonly home: string
}

/** The machine's own. */
export const surroundings = (): Surroundings => ({
  platform: process.platform,
  environment: process.env,
  home: homedir(),
})

/** The folder of the tokens. */
export const tokenFolder = ({ platform, environment, home }: Surroundings): string =>
  join(stateFolder(platform, environment, home), 'countersign', 'tokens')

const stateFolder = (
  platform: NodeJS.Platform,
  { XDG_STATE_HOME: xdg = '', LOCALAPPDATA: local = '' }: NodeJS.ProcessEnv,
  home: string,
): string => {
  // XDG Base Directory Specification: a path that is relative is as if it were not there.
  if (isAbsolute(xdg)) return xdg
  if (platform === 'darwin') return join(home, 'Library', 'Application Support')
  // Not APPDATA, which follows its user to other machines.
  if (platform === 'win32') return local === '' ? join(home, 'AppData', 'Local') : local
  return join(home, '.local', 'state')
}
