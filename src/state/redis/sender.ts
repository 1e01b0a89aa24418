// Commands and scripts to a Redis server, and the meaning of its errors. It repeats nothing, except a script that the
// server did not know and so has not run.

import { createHash } from 'node:crypto'
import { CountersignError } from '../../runtime/errors.ts'
import type { StateStatistics } from '../statistics.ts'
import type { Reply } from './client.ts'

/** Whether a command changes what is stored, reads it, or asks something else. */
export type CommandUse = 'writes' | 'reads' | 'asks'

/** A Lua script, which is atomic. */
export interface Script {
  readonly text: string
  readonly use: CommandUse
  /** By which the server identifies it. */
  readonly sha1: string
}

/** A script from its text. */
export const scriptOf = (text: string, use: CommandUse = 'writes'): Script => ({
  text,
  use,
  sha1: createHash('sha1').update(text).digest('hex'),
})

/** The options of a sender. */
export interface SenderOptions {
  /** The server, for messages. */
  readonly name: string
  readonly statistics: StateStatistics
  /** Rejects when there is no reply. */
  readonly reply: (command: readonly string[], use: CommandUse) => Promise<Reply>
}

/** Sends to one server. */
export class Sender {
  readonly #options: SenderOptions

  constructor(options: SenderOptions) {
    this.#options = options
  }

  /** Sends a command that may be refused, without counting it. */
  async ask(command: readonly string[]): Promise<Reply> {
    return await this.#options.reply(command, 'asks')
  }

  /**
   * Runs a script.
   *
   * @param operation its name in metrics
   * @throws CountersignError `unavailable`, or `overloaded` where the server has no memory left
   */
  async run(
    operation: string,
    script: Script,
    keys: readonly string[],
    args: readonly (string | number)[] = [],
  ): Promise<unknown> {
    return await this.#options.statistics.measure(operation, async () =>
      this.#valueOf(await this.tryToRun(script, keys, args)),
    )
  }

  /** Runs a script that may be refused, without counting it. */
  async tryToRun(
    { text, sha1, use }: Script,
    keys: readonly string[],
    args: readonly (string | number)[] = [],
  ): Promise<Reply> {
    const rest = [String(keys.length), ...keys, ...args.map(String)]
    const reply = await this.#options.reply(['EVALSHA', sha1, ...rest], use)
    if (reply.outcome === 'done' || !reply.message.startsWith('NOSCRIPT')) return reply
    return await this.#options.reply(['EVAL', text, ...rest], use)
  }

  #valueOf(reply: Reply): unknown {
    if (reply.outcome === 'done') return reply.value
    const { name } = this.#options
    // Older servers put the code of a script's error after its message.
    if (/\bOOM\b/.test(reply.message)) {
      throw new CountersignError('overloaded', `${name} is full (maxmemory): ${reply.message}`)
    }
    throw new CountersignError('unavailable', `${name} refuses: ${reply.message}`)
  }
}
