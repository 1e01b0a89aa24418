// Takes the spans of the signer from its admin socket, and sends them to a collector: the signer has no network. Nothing of a
// collector's reply reaches the signer.

import { describeError } from '../runtime/errors.ts'
import type { Logger } from '../runtime/logger.ts'
import { counting, exporterFor, type CollectorOptions } from '../runtime/tracing/exporter.ts'
import { relayTo, type SpanRelay } from '../runtime/tracing/relayed-spans.ts'
import { SPANS_PATH } from '../runtime/tracing/spans-page.ts'
import { VERSION } from '../runtime/version.ts'
import { readSpansPage } from './spans-page-schema.ts'
import { readSocketPage } from './socket-page.ts'

/** Where spans come from and go to. */
export interface SignerSpansOptions {
  /** The path of the signer's admin socket. */
  readonly signer: string
  readonly collector: CollectorOptions
  readonly logger: Logger
}

// The signer makes spans for half a minute after it was read, and keeps some hundred issuances.
const READ_EVERY_MS = 1_000

/** Begins to send spans, until the result is disposed of. A signer that is away is waited for. */
export const sendSignerSpans = async ({
  signer,
  collector,
  logger,
}: SignerSpansOptions): Promise<AsyncDisposable> => {
  const exporter = counting(await exporterFor(collector), { sent: 0, lost: 0 }, logger)
  const resource = { 'service.name': 'countersign-signer', 'service.version': VERSION }
  const reader = new SignerSpans(signer, relayTo(exporter, resource), logger)
  await reader.hasRead // from then on the signer makes spans
  return {
    async [Symbol.asyncDispose]() {
      await reader[Symbol.asyncDispose]()
      await exporter.shutdown().catch(() => undefined) // a collector that is away loses the last spans
    },
  }
}

class SignerSpans implements AsyncDisposable {
  readonly #signer: string
  readonly #relay: SpanRelay
  readonly #logger: Logger
  #process = ''
  #last = 0
  #isFailing = false
  #timer: NodeJS.Timeout | undefined
  #reading: Promise<void>
  /** The first reading, successful or not. */
  readonly hasRead: Promise<void>
  #ended = false

  constructor(signer: string, relay: SpanRelay, logger: Logger) {
    this.#signer = signer
    this.#relay = relay
    this.#logger = logger
    this.#reading = this.#read()
    this.hasRead = this.#reading
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended = true
    clearTimeout(this.#timer)
    await this.#reading
  }

  /** Reads once, and again after a while. Never rejects. */
  async #read(): Promise<void> {
    try {
      const query = `process=${this.#process}&after=${this.#last}`
      const { body } = await readSocketPage(this.#signer, `${SPANS_PATH}?${query}`)
      const { process, last, spans } = readSpansPage(body)
      // What the collector does not take is lost. It must not come back each second.
      this.#process = process
      this.#last = last
      await this.#relay(spans)
      if (this.#isFailing) this.#logger.info('spans of the signer are read again')
      this.#isFailing = false
    } catch (cause) {
      const reason = describeError(cause)
      if (!this.#isFailing) this.#logger.warn({ reason }, 'spans of the signer cannot be read')
      this.#isFailing = true
    }
    if (this.#ended) return
    this.#timer = setTimeout(() => {
      this.#reading = this.#read()
    }, READ_EVERY_MS)
  }
}
