// `countersign hash-password`: an entry for a users file. The password comes from standard input or
// a prompt, never from an argument, which every user of the machine could read.

import { text } from 'node:stream/consumers'
import { Command, Option } from 'commander'
import { createInterface } from 'node:readline/promises'
import { Writable, type Readable } from 'node:stream'
import { makeHash, type PasswordHash } from '../authenticate/password/hash.ts'
import { CountersignError } from '../runtime/errors.ts'
import type { CommandContext, CommandProcess } from './context.ts'
import { hasControlCharacter } from '../runtime/text.ts'

interface Options {
  readonly algorithm: PasswordHash['kind']
  readonly user?: string
}

// Nothing, a comment, a colon, control characters, and space that would be trimmed.
const UNFIT_FOR_HTPASSWD = /^$|^#|[:\p{Cc}]|^\s|\s$/u
// Of a longer password the beginning alone would do.
const BCRYPT_BYTES = 72

/** The command. */
export const hashPasswordCommand = ({ process, console }: CommandContext): Command =>
  new Command('hash-password')
    .description(
      'hash a password for a users file; reads it from standard input, or asks on a terminal',
    )
    .addOption(
      new Option('-a, --algorithm <name>', 'the kind of hash')
        .choices(['argon2id', 'bcrypt'])
        .default('argon2id'),
    )
    .option('-u, --user <name>', 'print a whole htpasswd line for this user')
    .action(async ({ algorithm, user }: Options) => {
      if (user !== undefined && UNFIT_FOR_HTPASSWD.test(user)) {
        throw new CountersignError('usage', 'a line of htpasswd cannot be for a user of that name')
      }
      const password = await readPassword(process)
      if (algorithm === 'bcrypt' && Buffer.byteLength(password) > BCRYPT_BYTES) {
        throw new CountersignError('usage', `bcrypt reads ${BCRYPT_BYTES} bytes only: use argon2id`)
      }
      const hash = await makeHash(algorithm, password)
      console.log(user === undefined ? hash : `${user}:${hash}`)
    })

const readPassword = async ({ stdin, stderr }: CommandProcess): Promise<string> => {
  const terminal = stdin.isTTY === true
  const given = terminal ? await promptSecret('Password: ', stdin, stderr) : await text(stdin)
  const password = given.replace(/\r?\n$/, '').normalize('NFC')
  if (password === '') throw new CountersignError('usage', 'the password is empty')
  if (hasControlCharacter(password)) {
    throw new CountersignError('usage', 'a password for HTTP Basic cannot hold control characters')
  }
  if (
    terminal &&
    (await promptSecret('Once more: ', stdin, stderr)).normalize('NFC') !== password
  ) {
    throw new CountersignError('usage', 'the two passwords differ')
  }
  return password
}

/** Shows the question and reads a line that is not echoed. */
const promptSecret = async (
  question: string,
  stdin: Readable,
  stderr: Writable,
): Promise<string> => {
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() })
  using lines = createInterface({ input: stdin, output: silent, terminal: true })
  stderr.write(question)
  const answer = await lines.question('')
  stderr.write('\n')
  return answer
}
