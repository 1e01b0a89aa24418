// Run under a limit on file sizes. Writes audit events until one fails, makes room, writes one more; or,
// with the argument `together`, writes many in one turn and counts the outcomes.

import { readFileSync, writeFileSync } from 'node:fs'
import { JsonLinesSink } from '../../src/audit/sink.ts'

const [path = '', how] = process.argv.slice(2)
using sink = new JsonLinesSink(path)

const write = async (generation: number): Promise<void> =>
  await sink.write({ event: 'configuration-loaded', generation, file: 'x'.repeat(100) })

const oneByOne = async (): Promise<object> => {
  let failure: unknown
  for (let generation = 1; failure === undefined; generation++) {
    failure = await write(generation).then(
      () => undefined,
      (cause: unknown) => cause,
    )
  }
  // As rotation with "copytruncate" does: what is left is the line that was cut short.
  const written = readFileSync(path, 'utf8')
  const rest = written.slice(written.lastIndexOf('\n') + 1)
  writeFileSync(path, rest)
  await write(0)
  const code = failure instanceof Error && 'code' in failure ? failure.code : undefined
  return { code, rest }
}

const together = async (): Promise<object> => {
  const results = await Promise.allSettled(Array.from({ length: 50 }, (_, index) => write(index)))
  const resolved = results.filter(({ status }) => status === 'fulfilled').length
  return { resolved, rejected: results.length - resolved }
}

console.log(JSON.stringify(await (how === 'together' ? together() : oneByOne())))
