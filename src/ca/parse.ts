// Text → `SignerConfig`, or every problem with it. Parsing reads no file and has no side effect.

import { parseYaml, type DocumentResult, type Locate } from '../config/document.ts'
import type { ConfigurationFiles } from '../config/files.ts'
import { ConfigurationError } from '../config/problem.ts'
import type { RenamedKey } from '../config/renamed-key.ts'
import { signerSchema, type SignerConfig } from './schema.ts'

const RENAMED_KEYS: readonly RenamedKey[] = [{ from: 'streams', to: 'maxStreams', under: /^$/ }]

/**
 * Parses a signer's configuration.
 *
 * @param file its absolute path: named in problems, and where relative paths start
 */
export const parseSignerConfig = (file: string, text: string): DocumentResult<SignerConfig> =>
  parseYaml(file, text, signerSchema, RENAMED_KEYS)

/**
 * Reads and parses a signer's configuration file.
 *
 * @throws ConfigurationError with every problem; CountersignError `file-unreadable`
 */
export const readSignerConfig = async (
  file: string,
  files: ConfigurationFiles,
): Promise<{ readonly config: SignerConfig; readonly locate: Locate }> => {
  const parsed = parseSignerConfig(file, await files.readText(file))
  if (!parsed.ok) throw new ConfigurationError(parsed.problems)
  return { config: parsed.value, locate: parsed.locate }
}
