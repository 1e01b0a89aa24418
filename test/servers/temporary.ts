// Folders for the sockets, keys and logs of one test server.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A folder that is removed, with everything in it, when disposed. */
export interface TemporaryFolder extends AsyncDisposable {
  readonly path: string
  /** The path of a file of that name in the folder. */
  file(name: string): string
}

// Not os.tmpdir() where /tmp exists: on macOS it is some 50 characters long, and the path of a
// UNIX socket has at most 107 bytes on Linux and 103 on macOS (unix(7), sys/un.h).
const PARENT = process.platform === 'win32' ? tmpdir() : '/tmp'

/** Makes a folder with a short path, readable by this user only. */
export const temporaryFolder = async (): Promise<TemporaryFolder> => {
  const path = await mkdtemp(join(PARENT, 'cs-'))
  return {
    path,
    file: (name) => join(path, name),
    async [Symbol.asyncDispose]() {
      await rm(path, { recursive: true, force: true })
    },
  }
}
