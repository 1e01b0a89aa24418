// One stream of delta SDS, from the first request to its end: the names that Envoy subscribed to, and what it
// was sent. Envoy opens one for each secret, so its memory is the memory of the signer.

import { handleDigest } from '../grant/handle.ts'
import type { DeltaDiscoveryRequest__Output } from '../proto/generated/envoy/service/discovery/v3/DeltaDiscoveryRequest.ts'
import { GRPC_CODES, GRPC_OK } from '../runtime/grpc/framing.ts'
import type { MessageStream, StreamHandler } from '../runtime/grpc/message-stream.ts'
import type { Logger } from '../runtime/logger.ts'
import type { Issuances } from './issuances.ts'
import { decodeRequest, encodeRemoval, encodeSecret, SECRET_TYPE } from './messages.ts'
import type { Issuance, CertificateSource } from '../ca/issuer.ts'
import type { Counters } from './statistics.ts'

/** What all streams share. */
export interface StreamContext {
  readonly issuer: CertificateSource
  readonly issuances: Issuances
  readonly logger: Logger
  readonly counters: Counters
}

// Envoy subscribes to one name on each stream; other clients of delta SDS may subscribe to more.
const MAX_NAMES = 1_000

const TOO_MANY_NAMES = `more than ${MAX_NAMES} names on one stream`

const NONE: Readonly<Record<string, string>> = {}

interface Subscription {
  /** The answer is on its way. */
  awaited: boolean
  /** The nonce of the last answer, until Envoy has acknowledged or rejected it. */
  nonce: string | undefined
}

/** What serves a stream. */
export class SecretStream implements StreamHandler {
  readonly #stream: MessageStream
  readonly #context: StreamContext
  readonly #subscriptions = new Map<string, Subscription>()
  #begun = false
  #answers = 0

  constructor(stream: MessageStream, context: StreamContext) {
    this.#stream = stream
    this.#context = context
    context.counters.streams += 1
  }

  receive(bytes: Buffer): void {
    const request = decodeRequest(bytes)
    if (request === undefined) return this.#refuse('invalidArgument', 'malformed request')
    const { type_url: type } = request
    if (type !== SECRET_TYPE && !(this.#begun && type === '')) {
      return this.#refuse('invalidArgument', 'not a request for secrets')
    }
    const versions = this.#begun ? NONE : request.initial_resource_versions
    if (!this.#begun) this.#begin(request)
    if (request.response_nonce !== '') this.#acknowledge(request)
    // First what goes, so that a full stream can exchange its names in one request.
    for (const name of request.resource_names_unsubscribe) this.#unsubscribe(name)
    const names = new Set(request.resource_names_subscribe)
    if (names.size > MAX_NAMES) return this.#refuse('resourceExhausted', TOO_MANY_NAMES)
    this.#refuseMalformed(names)
    for (const name of names) {
      // A name may be `constructor`, too.
      const version = Object.hasOwn(versions, name) ? versions[name] : undefined
      if (!this.#subscribe(name, version)) {
        return this.#refuse('resourceExhausted', TOO_MANY_NAMES)
      }
    }
  }

  finished(): void {
    this.#stream.end(GRPC_OK)
  }

  closed(): void {
    this.#context.counters.streams -= 1
    for (const name of this.#subscriptions.keys()) this.#context.issuances.release(name)
    this.#subscriptions.clear()
  }

  #begin({ node }: DeltaDiscoveryRequest__Output): void {
    this.#begun = true
    this.#context.logger.debug(
      { node: bounded(node?.id ?? ''), cluster: bounded(node?.cluster ?? '') },
      'stream opened',
    )
  }

  /** Refuses the names that no certificate can have, such as the wildcard of xDS, and takes them out. */
  #refuseMalformed(names: Set<string>): void {
    const malformed: string[] = []
    const refusals: Promise<Issuance>[] = []
    for (const name of names) {
      const refusal = this.#context.issuer.refuseForm(name)
      if (refusal === undefined) continue
      malformed.push(name)
      refusals.push(refusal)
    }
    if (malformed.length === 0) return
    for (const name of malformed) names.delete(name)
    this.#context.counters.refused += malformed.length
    // As for every answer: the refusal is in the audit log before Envoy reads of it.
    void Promise.all(refusals).then(() =>
      this.#stream.send(encodeRemoval(this.#nextNonce(), ...malformed)),
    )
  }

  /** Gives false when there is no room for the name on this stream. */
  #subscribe(name: string, version: string | undefined): boolean {
    const { issuances, counters } = this.#context
    let subscription = this.#subscriptions.get(name)
    if (subscription === undefined) {
      if (this.#subscriptions.size === MAX_NAMES) return false
      if (!issuances.hold(name)) {
        counters.refused += 1
        this.#stream.send(encodeRemoval(this.#nextNonce(), name))
        return true
      }
      subscription = { awaited: false, nonce: undefined }
      this.#subscriptions.set(name, subscription)
      this.#stream.setInUse(true)
    }
    if (version !== undefined && issuances.isCurrent(name, version)) return true
    // A repeated subscription is answered again, but not twice while the certificate is being made.
    if (!subscription.awaited) void this.#answer(name, subscription)
    return true
  }

  #unsubscribe(name: string): void {
    if (!this.#subscriptions.delete(name)) return
    this.#context.issuances.release(name)
    if (this.#subscriptions.size === 0) this.#stream.setInUse(false)
  }

  async #answer(name: string, subscription: Subscription): Promise<void> {
    subscription.awaited = true
    const issuance = await this.#context.issuances.get(name)
    subscription.awaited = false
    // Meanwhile Envoy may have disconnected, or have dropped the name and subscribed again.
    if (this.#subscriptions.get(name) !== subscription) return
    const nonce = this.#nextNonce()
    subscription.nonce = nonce
    this.#stream.send(this.#encode(nonce, name, issuance))
    // Nothing follows a refusal until Envoy subscribes again, so nothing is kept of it.
    if (issuance.outcome === 'refused') this.#unsubscribe(name)
  }

  #encode(nonce: string, name: string, issuance: Issuance): Buffer {
    if (issuance.outcome === 'refused') return encodeRemoval(nonce, name)
    try {
      return encodeSecret(nonce, name, issuance)
    } catch (cause) {
      this.#context.counters.errors += 1
      this.#context.logger.error({ handle: handleDigest(name), err: cause }, 'secret not encoded')
      return encodeRemoval(nonce, name)
    }
  }

  #acknowledge({ response_nonce: nonce, error_detail: error }: DeltaDiscoveryRequest__Output) {
    const { logger, counters, issuances } = this.#context
    const found = this.#subscriptions.entries().find(([, { nonce: last }]) => last === nonce)
    if (found === undefined) return logger.debug('nonce unknown or of an answer before the last')
    const [name, subscription] = found
    subscription.nonce = undefined
    if (error === null) return
    counters.nacks += 1
    issuances.reject(name)
    const handle = handleDigest(name)
    // Envoy quotes the name.
    const reason = bounded(error.message.replaceAll(name, handle))
    logger.warn({ handle, code: error.code, reason }, 'secret rejected by Envoy')
    // Envoy would keep the name and wait for another secret, and so would every request, until the connect
    // timeout. The removal fails them now, and Envoy subscribes again for the next request. Whether it accepts
    // this answer does not matter.
    this.#stream.send(encodeRemoval(this.#nextNonce(), name))
  }

  #refuse(code: 'invalidArgument' | 'resourceExhausted', details: string): void {
    this.#context.counters.errors += 1
    this.#context.logger.warn({ reason: details }, 'stream refused')
    this.#stream.end({ code: GRPC_CODES[code], details })
  }

  #nextNonce(): string {
    this.#answers += 1
    return String(this.#answers)
  }
}

// What a peer sends must not fill our log.
const LONGEST_QUOTE = 500

const bounded = (text: string): string => text.slice(0, LONGEST_QUOTE)
