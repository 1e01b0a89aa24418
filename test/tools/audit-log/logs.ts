// Audit logs as the writer makes them, for tests that tamper with them.

import { readFile, rename } from 'node:fs/promises'
import { Readable } from 'node:stream'
import type { AuditEvent } from '../../../src/audit/event.ts'
import { JsonLinesSink } from '../../../src/audit/sink.ts'
import { verifyLog, type Verification } from '../../../src/tools/audit-log/verify.ts'
import { temporaryFolder } from '../../servers/temporary.ts'

/** An event with a number. */
export const loaded = (generation: number): AuditEvent => ({
  event: 'configuration-loaded',
  generation,
  file: 'countersign.yaml',
})

/** The files of a chain, each of so many events besides its `log-opened`, oldest first; without their line feeds. */
export const makeLog = async (
  ...files: readonly number[]
): Promise<readonly (readonly string[])[]> => {
  await using folder = await temporaryFolder()
  const path = folder.file('audit.jsonl')
  using sink = new JsonLinesSink(path)
  const texts: string[][] = []
  let generation = 0
  for (const events of files) {
    if (texts.length > 0) sink.reopen()
    for (let event = 0; event < events; event++) await sink.write(loaded((generation += 1)))
    texts.push((await readFile(path, 'utf8')).trimEnd().split('\n'))
    await rename(path, folder.file(`audit.jsonl.${texts.length}`))
  }
  return texts
}

/** Verifies files of these lines, which are named a, b and so on. */
export const verifyLines = async (
  ...files: readonly (readonly string[])[]
): Promise<Verification> =>
  await verifyTexts(...files.map((lines) => lines.map((line) => `${line}\n`).join('')))

/** Verifies files of these texts, which are named a, b and so on. */
export const verifyTexts = async (...files: readonly string[]): Promise<Verification> => {
  const texts = new Map(files.map((text, index) => [String.fromCodePoint(97 + index), text]))
  return await verifyLog([...texts.keys()], (file) =>
    Readable.from([Buffer.from(texts.get(file) ?? '')]),
  )
}

/** The findings in short: `changed a:3`. */
export const findingsOf = ({ findings }: Verification): readonly string[] =>
  findings.map(({ kind, file, line }) => `${kind} ${file}:${line}`)
