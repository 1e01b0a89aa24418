// The messages of delta SDS: requests decoded, answers encoded.

import type { DeltaDiscoveryRequest__Output } from '../proto/generated/envoy/service/discovery/v3/DeltaDiscoveryRequest.ts'
import { secretDiscoveryService, secretMessage } from '../proto/load.ts'
import type { Issued } from '../ca/issuer.ts'

/** The only type of resource that we have. */
export const SECRET_TYPE = 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret'

const { requestDeserialize, responseSerialize } = secretDiscoveryService.DeltaSecrets

/** The request, or `undefined` when the bytes cannot be decoded. */
export const decodeRequest = (bytes: Buffer): DeltaDiscoveryRequest__Output | undefined => {
  try {
    return requestDeserialize(bytes)
  } catch {
    return undefined
  }
}

/** An answer that hands out a secret, for as long as its `ttl` says. */
export const encodeSecret = (nonce: string, name: string, issued: Issued): Buffer => {
  const { certificateChain, privateKey, version, ttl } = issued
  const secret = secretMessage.serialize({
    name,
    tls_certificate: {
      certificate_chain: { inline_bytes: certificateChain },
      private_key: { inline_bytes: privateKey },
    },
  })
  return responseSerialize({
    type_url: SECRET_TYPE,
    nonce,
    system_version_info: version,
    resources: [
      { name, version, resource: { type_url: SECRET_TYPE, value: secret }, ttl: durationOf(ttl) },
    ],
  })
}

/** An answer with removed resources, which fails Envoy's handshake at once. */
export const encodeRemoval = (nonce: string, ...names: readonly string[]): Buffer =>
  responseSerialize({ type_url: SECRET_TYPE, nonce, removed_resources: [...names] })

const durationOf = (milliseconds: number): { seconds: number; nanos: number } => {
  const whole = Math.floor(milliseconds)
  return { seconds: Math.floor(whole / 1_000), nanos: (whole % 1_000) * 1_000_000 }
}
