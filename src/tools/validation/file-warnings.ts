// What `validate` finds of files, in the log of a process that starts or reloads all the same: an expired certificate
// can be renewed while it runs.

import { ConfigurationFiles } from '../../config/files.ts'
import type { ReloadReports } from '../../config/reload.ts'
import { formatPath } from '../../config/yaml-position.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { Logger } from '../../runtime/logger.ts'
import type { Reading } from './certificates.ts'
import type { Finding } from './finding.ts'

/** What the warnings need. */
export interface FileWarningsParts<T> {
  /** Finds what is wrong with the files of a configuration. */
  readonly find: (config: T, reading: Reading) => Promise<readonly Finding[]>
  readonly clock: Clock
  readonly logger: Logger
}

/** The warnings of one process. */
export class FileWarnings<T> {
  readonly #parts: FileWarningsParts<T>
  #known: ReadonlySet<string> = new Set()

  private constructor(parts: FileWarningsParts<T>) {
    this.#parts = parts
  }

  /** Logs what is wrong with the files of the configuration of the start. Never rejects. */
  static async start<T>(config: T, parts: FileWarningsParts<T>): Promise<FileWarnings<T>> {
    const warnings = new FileWarnings(parts)
    await warnings.#log(config)
    return warnings
  }

  /** Adds what is wrong after a reload, and was not before, to its reports. */
  following<S extends { readonly config: T }>(reports: ReloadReports<S>): ReloadReports<S> {
    return {
      onLoaded: (next, previous) => {
        reports.onLoaded(next, previous)
        void this.#log(next.value.config)
      },
      onRejected: (cause, kept) => reports.onRejected(cause, kept),
    }
  }

  async #log(config: T): Promise<void> {
    const { find, clock, logger } = this.#parts
    try {
      const reading = { files: new ConfigurationFiles(), now: clock.now() }
      const findings = await find(config, reading)
      for (const { path, message } of findings) {
        if (this.#known.has(message)) continue
        logger.warn({ key: formatPath(path), problem: message }, 'file needs attention')
      }
      this.#known = new Set(findings.map(({ message }) => message))
    } catch (cause) {
      logger.error({ err: cause }, 'files of the configuration cannot be examined')
    }
  }
}
