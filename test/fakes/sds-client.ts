// Envoy's side of delta SDS: opens streams over a real connection and reads what comes on them.

import { Client, credentials, type ClientDuplexStream, type StatusObject } from '@grpc/grpc-js'
import type { DeltaDiscoveryRequest } from '../../src/proto/generated/envoy/service/discovery/v3/DeltaDiscoveryRequest.ts'
import type { DeltaDiscoveryResponse__Output } from '../../src/proto/generated/envoy/service/discovery/v3/DeltaDiscoveryResponse.ts'
import { secretDiscoveryService, secretMessage } from '../../src/proto/load.ts'
import { targetOf, type ListenAddress } from '../../src/runtime/listen.ts'

/** The type of resource that the service has. */
export const SECRET_TYPE = 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret'

/** A secret as Envoy reads it. */
interface ReceivedSecret {
  readonly name: string
  readonly version: string
  readonly certificate: string
  readonly key: string
  /** Milliseconds. */
  readonly ttl: number
}

/** An answer as Envoy reads it. */
export interface SdsAnswer {
  readonly nonce: string
  readonly secrets: readonly ReceivedSecret[]
  readonly removed: readonly string[]
}

/** One connection. */
export class SdsClient implements Disposable {
  readonly #client: Client

  constructor(address: ListenAddress) {
    this.#client = new Client(targetOf(address), credentials.createInsecure(), {
      'grpc.use_local_subchannel_pool': 1, // a connection of its own
      'grpc.enable_retries': 0,
    })
  }

  /** Opens a stream of DeltaSecrets, or of the method at `path`. */
  open(path = secretDiscoveryService.DeltaSecrets.path): SdsStream {
    const { requestSerialize, responseDeserialize } = secretDiscoveryService.DeltaSecrets
    const serialize = (request: DeltaDiscoveryRequest | Buffer): Buffer =>
      Buffer.isBuffer(request) ? request : requestSerialize(request)
    return new SdsStream(this.#client.makeBidiStreamRequest(path, serialize, responseDeserialize))
  }

  [Symbol.dispose](): void {
    this.#client.close()
  }
}

/** One stream. */
export class SdsStream {
  /** How it ended. */
  readonly ended: Promise<Pick<StatusObject, 'code' | 'details'>>
  readonly #call: ClientDuplexStream<DeltaDiscoveryRequest | Buffer, DeltaDiscoveryResponse__Output>
  readonly #answers: AsyncIterator<DeltaDiscoveryResponse__Output>

  constructor(
    call: ClientDuplexStream<DeltaDiscoveryRequest | Buffer, DeltaDiscoveryResponse__Output>,
  ) {
    const { promise, resolve } = Promise.withResolvers<Pick<StatusObject, 'code' | 'details'>>()
    this.ended = promise
    this.#call = call
    call.on('error', () => {}) // `status` tells it, too
    call.on('status', ({ code, details }) => resolve({ code, details }))
    this.#answers = call[Symbol.asyncIterator]()
  }

  /** Sends a request, or bytes that the test made. */
  send(request: DeltaDiscoveryRequest | Buffer): void {
    this.#call.write(request)
  }

  /** Asks for names. */
  subscribe(...names: readonly string[]): void {
    this.send({ type_url: SECRET_TYPE, resource_names_subscribe: [...names] })
  }

  /** Drops names. */
  unsubscribe(...names: readonly string[]): void {
    this.send({ type_url: SECRET_TYPE, resource_names_unsubscribe: [...names] })
  }

  /** Accepts an answer. */
  acknowledge({ nonce }: SdsAnswer): void {
    this.send({ type_url: SECRET_TYPE, response_nonce: nonce })
  }

  /** Rejects an answer. */
  reject({ nonce }: SdsAnswer, message: string): void {
    this.send({ type_url: SECRET_TYPE, response_nonce: nonce, error_detail: { code: 13, message } })
  }

  /** The next answer. */
  async next(): Promise<SdsAnswer> {
    const { value, done } = await this.#answers.next()
    if (done === true) throw new Error('the stream has ended')
    return read(value)
  }

  /** Reads answers until none is left. */
  async drain(): Promise<void> {
    try {
      for (;;) {
        await this.next()
      }
    } catch {
      // `ended` says how
    }
  }

  /** Whether nothing was sent before what is requested now. */
  async isQuiet(): Promise<boolean> {
    const marker = `marker-${Math.random()}`
    this.subscribe(marker)
    const { secrets, removed } = await this.next()
    const quiet = secrets[0]?.name === marker || removed[0] === marker
    this.unsubscribe(marker)
    return quiet
  }

  /** Ends the stream as Envoy does: with RST_STREAM. */
  cancel(): void {
    this.#call.cancel()
  }

  /** Says that no further requests follow. */
  finish(): void {
    this.#call.end()
  }
}

const read = (response: DeltaDiscoveryResponse__Output): SdsAnswer => {
  if (response.type_url !== SECRET_TYPE) throw new Error(`an answer of type ${response.type_url}`)
  return {
    nonce: response.nonce,
    removed: response.removed_resources,
    secrets: response.resources.map(({ name, version, resource, ttl }) => {
      if (resource?.type_url !== SECRET_TYPE) throw new Error(`a ${resource?.type_url}`)
      const secret = secretMessage.deserialize(Buffer.from(resource.value))
      if (secret.name !== name) throw new Error(`${secret.name} under the name ${name}`)
      return {
        name,
        version,
        certificate: text(secret.tls_certificate?.certificate_chain?.inline_bytes),
        key: text(secret.tls_certificate?.private_key?.inline_bytes),
        ttl: Number(ttl?.seconds ?? Number.NaN) * 1_000 + (ttl?.nanos ?? 0) / 1_000_000,
      }
    }),
  }
}

const text = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString()
