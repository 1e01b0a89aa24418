// A small file that another program replaces from time to time, such as the token that Kubernetes mounts into a pod.
// It is read again at intervals, since its change is not a change of the configuration.

import { readFile } from 'node:fs/promises'
import type { Clock } from './clock.ts'

/** What a {@link ChangingFile} needs. */
export interface ChangingFileOptions {
  readonly path: string
  /** For so long what was read is taken to be what is there, in milliseconds. */
  readonly every: number
  readonly clock: Clock
}

/** One such file. */
export class ChangingFile {
  readonly #options: ChangingFileOptions
  #known: Buffer | undefined
  #readAt = Number.NEGATIVE_INFINITY

  constructor(options: ChangingFileOptions) {
    this.#options = options
  }

  /**
   * What it holds, or held when it could last be read: while it is being replaced, what it held is
   * still good.
   *
   * @throws what `readFile` throws, when it could never be read
   */
  async read(): Promise<Buffer> {
    const { path, every, clock } = this.#options
    if (this.#known !== undefined && clock.monotonic() - this.#readAt < every) return this.#known
    try {
      this.#known = await readFile(path)
    } catch (cause) {
      if (this.#known === undefined) throw cause
    }
    this.#readAt = clock.monotonic()
    return this.#known
  }

  /** The next time it is read anew: what it held is no longer good. */
  expire(): void {
    this.#readAt = Number.NEGATIVE_INFINITY
  }
}
