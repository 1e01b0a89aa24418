// `countersign authz` and `countersign signer`, started as `countersign up` starts them.

import { createInterface } from 'node:readline'
import { pathToFileURL } from 'node:url'
import { z } from 'zod'
import { programOfRun } from './program.ts'
import { processScript, Worker } from './worker.ts'

/** How to start it. */
export interface ServiceOptions {
  readonly command: 'authz' | 'signer'
  /** The path of its configuration. */
  readonly config: string
  readonly nodeOptions?: readonly string[]
  /** In addition to that of the program. */
  readonly environment?: NodeJS.ProcessEnv
  /** Whether it answers `collect` and the questions of a profile: with a module more, so not where its memory counts. */
  readonly inside?: boolean
}

const readySchema = z.object({ ready: z.string() })
// What we read of a line of the operational log (pino).
const lineSchema = z.object({ level: z.string(), msg: z.string() })
// The end of a reload.
const LOADED = 'configuration loaded'
const REJECTED = /^configuration rejected/

/** A running service. Disposing it sends SIGTERM and waits. */
export class Service extends Worker {
  #reloaded: PromiseWithResolvers<void> = Promise.withResolvers<void>()

  private constructor(options: ServiceOptions) {
    const { command, config, nodeOptions = [], inside = false } = options
    const program = programOfRun()
    const module = pathToFileURL(processScript('inside')).href
    super(command, [...nodeOptions, ...(inside ? ['--import', module] : [])], {
      script: program.script,
      args: [command, '--config', config],
      env: { ...process.env, ...program.environment, ...options.environment },
      stderr: 'pipe',
    })
    if (this.child.stderr === null) throw new Error('a pipe is missing')
    createInterface({ input: this.child.stderr }).on('line', (line) => this.#read(line))
  }

  /** Starts it; it is ready then. */
  static async start(options: ServiceOptions): Promise<Service> {
    const service = new Service(options)
    readySchema.parse(await service.message())
    return service
  }

  /**
   * Sends SIGHUP; the milliseconds until the new configuration is in force. The configuration must have `log.level: info`.
   *
   * @throws Error where the configuration is rejected
   */
  async reload(): Promise<number> {
    const started = performance.now()
    const reloaded = Promise.withResolvers<void>()
    const onEnd = (): void => reloaded.reject(new Error('it ended during a reload'))
    this.#reloaded = reloaded
    this.child.once('exit', onEnd)
    this.child.kill('SIGHUP')
    try {
      await reloaded.promise
    } finally {
      this.child.off('exit', onEnd)
    }
    return performance.now() - started
  }

  /** Passes on what warns, and output that did not come from the logger. */
  #read(line: string): void {
    const { level, msg } = parseLine(line)
    if (level !== 'info') process.stderr.write(`${line}\n`)
    if (msg === LOADED) this.#reloaded.resolve()
    if (REJECTED.test(msg)) this.#reloaded.reject(new Error(line))
  }
}

const parseLine = (line: string): z.output<typeof lineSchema> => {
  try {
    return lineSchema.parse(JSON.parse(line))
  } catch {
    return { level: 'unknown', msg: line }
  }
}
