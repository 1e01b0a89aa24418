// The version of the program.

import packageJson from '../../package.json' with { type: 'json' }

/** The version of the program (SemVer), such as `0.2.0`. */
export const { version: VERSION } = packageJson
