// Envoy as a child of `countersign up`: started with a bootstrap, and its log reduced to what an operator needs.

import { untilReady, configPath } from '../../envoy/admin.ts'
import { startFault } from '../../envoy/start-fault.ts'
import type { Address } from '../../config/values.ts'
import { formatAddress } from '../../config/values.ts'
import { Child } from '../../runtime/child.ts'
import { CountersignError } from '../../runtime/errors.ts'

/** How Envoy is started. */
export interface EnvoyProcessOptions {
  readonly program: string
  /** The path of the bootstrap. */
  readonly bootstrap: string
  /** Its administration interface, as in the bootstrap. */
  readonly admin: Address
  readonly logLevel: string
  /** How long it may take to end, in milliseconds. */
  readonly grace: number
  /** Receives the lines that are shown. */
  readonly print: (line: string) => void
}

const READY_MS = 30_000
// Of its access log; Envoy's own default is 10 s.
const FLUSH_MS = '1000'
// Of a start that fails without a reason that is known.
const SHOWN_LINES = 5

// With these, all that Envoy logs is shown.
const VERBOSE: ReadonlySet<string> = new Set(['trace', 'debug', 'info'])

// Envoy ends, by a signal of this process or of another.
const END_BEGINS = 'caught ENVOY_SIG'
// "caught ENVOY_SIGTERM", and "gRPC config stream closed" of every stream to the signer.
const HARMLESS_AT_END = /^\[[^\]]*\]\[\d+\]\[(?:info|warning)\]/

/** A running Envoy; disposing of it ends it. */
export class EnvoyProcess implements AsyncDisposable {
  readonly #options: EnvoyProcessOptions
  readonly #child: Child
  readonly #verbose: boolean
  /** Lines of the start, which are shown once it has succeeded. */
  #held: string[] | undefined = []
  #ending = false

  constructor(options: EnvoyProcessOptions) {
    const { program, bootstrap, logLevel, grace } = options
    this.#options = options
    this.#verbose = VERBOSE.has(logLevel)
    const output = ['--log-level', logLevel, '--file-flush-interval-msec', FLUSH_MS]
    this.#child = new Child({
      name: 'Envoy',
      command: program,
      args: ['--config-path', bootstrap, ...output, '--disable-hot-restart'],
      ipc: false,
      grace,
      onLine: (line) => this.#read(line),
    })
  }

  /** Resolves, never rejects, with a description of how it ended. */
  get ended(): Promise<string> {
    return this.#child.ended
  }

  /**
   * Resolves when this Envoy is ready, and not another one at the same administration interface.
   *
   * @throws CountersignError `child-exited` with the reason why it does not start
   */
  async ready(signal: AbortSignal): Promise<void> {
    const { admin, bootstrap } = this.#options
    const polling = AbortSignal.any([signal, AbortSignal.timeout(READY_MS)])
    const how = await Promise.race([this.ended, untilReady(admin, polling)])
    if (typeof how === 'string') throw this.#startFailure(how)
    if ((await configPath(admin)) !== bootstrap) {
      throw new CountersignError(
        'child-exited',
        `another Envoy answers at ${formatAddress(admin)}; change envoy.admin`,
      )
    }
    if (!this.#verbose) this.#held?.forEach((line) => this.#options.print(line))
    this.#held = undefined
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending = true
    await this.#child[Symbol.asyncDispose]()
  }

  #read(line: string): void {
    if (line.includes(END_BEGINS)) this.#ending = true
    if (this.#verbose) this.#options.print(line)
    if (this.#held !== undefined) this.#held.push(line)
    else if (!this.#verbose && !(this.#ending && HARMLESS_AT_END.test(line))) {
      this.#options.print(line)
    }
  }

  #startFailure(how: string): CountersignError {
    const lines = this.#held ?? []
    const fault = startFault(lines.join('\n'))
    const shown = fault ?? [how, ...lines.slice(-SHOWN_LINES)].join('\n')
    return new CountersignError('child-exited', `Envoy does not start: ${shown}`)
  }
}
