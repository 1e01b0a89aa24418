// A configuration, a log, and `countersign replay` between them.

import { writeFile } from 'node:fs/promises'
import type { EventFields } from '../../fakes/audit-lines.ts'
import type { TemporaryFolder } from '../../servers/temporary.ts'
import { countersign, type Result } from '../run.ts'

/** A configuration with one route. */
export const configuration = (rules: string, issuer = 'https://login.invalid'): string => `
version: 1
listen: { authz: unix:authz.sock }
authenticators: { staff: { bearer: { issuer: '${issuer}', audiences: [a] } } }
routes:
  - name: app
    authenticate: [staff]
    authorize: [${rules}]
`

/** The text of a log. */
export const logOf = (lines: readonly (EventFields | string)[]): string =>
  lines.map((line) => `${typeof line === 'string' ? line : JSON.stringify(line)}\n`).join('')

/** Runs it on a log, by these rules. */
export const replay = async (
  folder: TemporaryFolder,
  rules: string,
  lines: readonly (EventFields | string)[],
  options: readonly string[] = [],
): Promise<Result> => {
  await writeFile(folder.file('new.yaml'), configuration(rules))
  await writeFile(folder.file('audit.jsonl'), logOf(lines))
  const args = ['replay', folder.file('audit.jsonl'), '--config', folder.file('new.yaml')]
  const result = await countersign([...args, ...options])
  return { ...result, stdout: result.stdout.replaceAll(folder.path, '') }
}

/** What was printed, of JSON lines. */
export const jsonOf = ({ stdout }: Result): readonly EventFields[] =>
  stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
