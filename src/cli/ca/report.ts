// What the commands for certificates print on standard error once files are written.

import { readFile, stat } from 'node:fs/promises'
import type { CommandConsole } from '../context.ts'
import { certificateSummary } from './summary.ts'
import { x509 } from './x509.ts'

/** Prints the contents of the first certificate of a file, as written. */
export const reportCertificate = async (console: CommandConsole, path: string): Promise<void> => {
  const [der] = x509.PemConverter.decode(await readFile(path, 'utf8'))
  if (der === undefined) throw new TypeError(`${path} holds no certificate`)
  console.error(
    `${path}\n${certificateSummary(new x509.X509Certificate(der), Date.now()).trimEnd()}`,
  )
}

/** Prints where the private key is, and who can read it. */
export const reportKey = async (console: CommandConsole, path: string): Promise<void> => {
  const mode = (await stat(path)).mode % 0o1000
  const readers = mode % 0o100 === 0 ? 'its owner alone' : 'its owner and its group'
  console.error(`${path}\n  private key, for ${readers} (mode 0${mode.toString(8)})`)
}
