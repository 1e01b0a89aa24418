// The folder of tokens between commands.
//
// The state folder: caches may be cleared at any time, while a lost refresh token requires a new login;
// configuration is often under version control; and data may roam to other machines, while tokens must
// not. macOS and Windows have one folder for the local data of a program.

import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'

/** What determines the folder. */
export interface Surroundings {
  readonly platform: NodeJS.Platform
  readonly environment: NodeJS.ProcessEnv
  readonly home: string
}

/** Those of this process. */
export const surroundings = (environment: NodeJS.ProcessEnv): Surroundings => ({
  platform: process.platform,
  environment,
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
  // XDG Base Directory Specification: a relative path is ignored.
  if (isAbsolute(xdg)) return xdg
  if (platform === 'darwin') return join(home, 'Library', 'Application Support')
  // Not APPDATA, which roams to other machines.
  if (platform === 'win32') return local === '' ? join(home, 'AppData', 'Local') : local
  return join(home, '.local', 'state')
}
