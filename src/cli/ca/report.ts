// What the commands for certificates print on standard error once files are written.

import { readFile } from 'node:fs/promises'
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

/** Prints where the private key is. */
export const reportKey = (console: CommandConsole, path: string): void => {
  console.error(`${path}\n  private key, for its owner alone (mode 0600)`)
}
