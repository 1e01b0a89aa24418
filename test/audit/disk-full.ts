// Run under a limit on file sizes: writes audit events until one fails, makes room, writes one more.

import { readFileSync, writeFileSync } from 'node:fs'
import { JsonLinesSink } from '../../src/audit/sink.ts'

const path = process.argv[2] ?? ''
using sink = new JsonLinesSink(path)

const write = (generation: number): void =>
  sink.write({ event: 'configuration-loaded', generation, file: 'x'.repeat(100) })

let failure: unknown
for (let generation = 1; failure === undefined; generation++) {
  try {
    write(generation)
  } catch (cause) {
    failure = cause
  }
}

// As rotation with "copytruncate" does: what is left is the line that was cut short.
const written = readFileSync(path, 'utf8')
const rest = written.slice(written.lastIndexOf('\n') + 1)
writeFileSync(path, rest)
write(0)

const code = failure instanceof Error && 'code' in failure ? failure.code : undefined
console.log(JSON.stringify({ code, rest }))
