// When the chain is signed, and by which key.

import type { Logger } from '../runtime/logger.ts'
import type { Chain, ChainHead } from './chain.ts'
import { readCheckpointKey, signCheckpoint, type CheckpointKey } from './checkpoint.ts'
import type { LogCheckpointEvent } from './events/log-schema.ts'
import type { CheckpointsConfig } from './file-schema.ts'

/** The signatures of one chain. */
export class Checkpoints {
  readonly #config: CheckpointsConfig
  readonly #logger: Logger
  #key: CheckpointKey
  #isDue = true // at the start: all records before are proven by it
  /** The sequence number of the last checkpoint. */
  #last = 0

  private constructor(config: CheckpointsConfig, key: CheckpointKey, logger: Logger) {
    this.#config = config
    this.#key = key
    this.#logger = logger
  }

  /**
   * Reads the key.
   *
   * @throws CountersignError `file-unreadable`, `file-exposed`, `audit-key-unusable`
   */
  static async open(config: CheckpointsConfig, logger: Logger): Promise<Checkpoints> {
    return new Checkpoints(config, await readCheckpointKey(config.key), logger)
  }

  /** Milliseconds between two. */
  get interval(): number {
    return this.#config.every
  }

  /** One is to be written after the next records, or now. */
  request(): void {
    this.#isDue = true
  }

  /** Whether there are records that no checkpoint has signed, and one was requested. */
  isDueAt(sequence: number): boolean {
    return this.#isDue && sequence > this.#last
  }

  /** Reads the key again; keeps the old one when that fails. Never rejects. */
  async renewKey(): Promise<void> {
    try {
      this.#key = await readCheckpointKey(this.#config.key)
    } catch (cause) {
      this.#logger.error(
        { err: cause },
        'key of audit checkpoints not read, the old one stays in use',
      )
    }
  }

  /** The event that signs a record. */
  event({ id: chain }: Chain, head: ChainHead): LogCheckpointEvent {
    const interval = this.#config.every
    return {
      event: 'log-checkpoint',
      signed: { seq: head.sequence, hash: head.hash },
      interval,
      key: this.#key.id,
      signature: signCheckpoint({ chain, ...head, interval }, this.#key),
    }
  }

  /** It was written as the last record. The log line leaves the machine where logs are collected. */
  written({ id: chain }: Chain, { signed, ...rest }: LogCheckpointEvent): void {
    this.#isDue = false
    this.#last = signed.seq + 1
    const { key, signature, interval } = rest
    this.#logger.info({ chain, signed, interval, key, signature }, 'audit checkpoint')
  }
}
