// Envoy's side of ext_authz: asks over a real connection, and reads the answer as Envoy does.

import assert from 'node:assert/strict'
import { Client, credentials, type ChannelCredentials } from '@grpc/grpc-js'
import type { CheckResponse__Output } from '../../src/proto/generated/envoy/service/auth/v3/CheckResponse.ts'
import type { HeaderValueOption__Output } from '../../src/proto/generated/envoy/config/core/v3/HeaderValueOption.ts'
import { formatAddress } from '../../src/config/values.ts'
import { authorizationService, healthService } from '../../src/proto/load.ts'
import type { ListenAddress } from '../../src/runtime/grpc/server.ts'
import { attributesOf, type RequestParts } from './envoy.ts'
import type { TemporaryFolder } from '../servers/temporary.ts'

/** What Envoy does with an answer. */
export type Outcome =
  | {
      readonly allow: true
      /** The decision id, for the caller. */
      readonly id: string
      /** `name: value`; several values are separated by commas. */
      readonly set: Readonly<Record<string, string>>
      readonly remove: readonly string[]
      /** The name of the client certificate for the upstream. */
      readonly secret?: string
    }
  | {
      readonly allow: false
      readonly id: string
      readonly status: string
      readonly headers: Readonly<Record<string, string>>
      readonly body: string
    }

/** A CheckRequest as Envoy sends it, with raw header lines. */
export const messageOf = (parts: RequestParts): Buffer => {
  const { headers, contextExtensions, ...http } = attributesOf(parts)
  return authorizationService.Check.requestSerialize({
    attributes: {
      source: {
        address: {
          socket_address: { address: http.sourceAddress, port_value: http.sourcePort },
        },
        certificate: http.peerCertificate,
      },
      request: {
        http: {
          method: http.method,
          path: http.path,
          host: http.host,
          header_map: {
            headers: headers.map(({ name, value }) => ({ key: name, raw_value: value })),
          },
        },
      },
      context_extensions: Object.fromEntries(contextExtensions),
      tls_session: { sni: http.serverName },
    },
  })
}

/** A call on its way. */
export interface Call {
  readonly outcome: Promise<Outcome>
  cancel(): void
}

/** One connection from Envoy. */
export class EnvoyClient implements Disposable {
  readonly #client: Client

  constructor(address: ListenAddress, channel: ChannelCredentials = credentials.createInsecure()) {
    this.#client = new Client(formatAddress(address), channel, {
      'grpc.use_local_subchannel_pool': 1, // a connection of its own
      'grpc.ssl_target_name_override': 'localhost',
    })
  }

  /** Asks about a request, or with a message that the test made. */
  call(request: RequestParts | Buffer, deadline = Date.now() + 20_000): Call {
    const { path, responseDeserialize } = authorizationService.Check
    const message = Buffer.isBuffer(request) ? request : messageOf(request)
    const { promise, resolve, reject } = Promise.withResolvers<CheckResponse__Output>()
    const call = this.#client.makeUnaryRequest(
      path,
      (bytes: Buffer) => bytes,
      responseDeserialize,
      message,
      { deadline },
      (error, response) => {
        if (error !== null) reject(error)
        else if (response !== undefined) resolve(response)
      },
    )
    return { outcome: promise.then(readOutcome), cancel: () => call.cancel() }
  }

  /** Asks and waits. */
  async check(request: RequestParts | Buffer): Promise<Outcome> {
    return await this.call(request).outcome
  }

  /** The answer of the health service. */
  async health(): Promise<string> {
    const { path, requestSerialize, responseDeserialize } = healthService.Check
    const { promise, resolve, reject } = Promise.withResolvers<string>()
    this.#client.makeUnaryRequest(
      path,
      requestSerialize,
      responseDeserialize,
      { service: '' },
      (error, response) => {
        if (error !== null) reject(error)
        else resolve(response?.status ?? '')
      },
    )
    return await promise
  }

  [Symbol.dispose](): void {
    this.#client.close()
  }
}

/** Refuses answers that could be read in two ways. */
export const readOutcome = (response: CheckResponse__Output): Outcome => {
  const { status, ok_response, denied_response, dynamic_metadata } = response
  if (status?.code === 0) {
    assert.ok(ok_response && !denied_response)
    const repeated = dynamic_metadata?.fields['headers']?.structValue?.fields ?? {}
    const secret = dynamic_metadata?.fields['upstream_secret']?.stringValue
    return {
      allow: true,
      id: joined(ok_response.response_headers_to_add)['x-countersign-decision'] ?? '',
      set: {
        ...joined(ok_response.headers),
        ...Object.fromEntries(
          Object.entries(repeated).map(([name, { listValue }]) => [
            name,
            (listValue?.values ?? []).map(({ stringValue }) => stringValue).join(','),
          ]),
        ),
      },
      remove: ok_response.headers_to_remove,
      ...(secret === undefined ? {} : { secret }),
    }
  }
  assert.ok(denied_response && !ok_response && !dynamic_metadata)
  const headers = joined(denied_response.headers)
  return {
    allow: false,
    id: headers['x-countersign-decision'] ?? '',
    status: denied_response.status?.code ?? '',
    headers,
    body: denied_response.body,
  }
}

const joined = (options: readonly HeaderValueOption__Output[]): Record<string, string> => {
  const lines: Record<string, string> = {}
  for (const { header } of options) {
    const { key = '', value = '' } = header ?? {}
    lines[key] = key in lines ? `${lines[key]},${value}` : value
  }
  return lines
}

/** A client of the authz that listens at `authz.sock` in a folder. */
export const clientIn = (folder: TemporaryFolder): EnvoyClient =>
  new EnvoyClient({ kind: 'unix', path: folder.file('authz.sock') })
