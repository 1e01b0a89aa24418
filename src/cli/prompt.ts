// Asks for a secret on a terminal, without showing it.

import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'

/** Shows the question and reads a line that is not echoed. */
export const promptSecret = async (question: string): Promise<string> => {
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() })
  using lines = createInterface({ input: process.stdin, output: silent, terminal: true })
  process.stderr.write(question)
  const answer = await lines.question('')
  process.stderr.write('\n')
  return answer
}
