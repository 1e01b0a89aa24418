// The messages and gRPC services of `proto/`, typed by `generated/`, from `descriptor.json`, which `npm run generate`
// writes. Reading the .proto files by @grpc/proto-loader takes 50 ms of CPU at each start.
//
// The types are written by a tool that cannot see these options, so this is the one place where a
// loaded definition is asserted to have its generated type; test/proto/ proves that it does.

import protobuf from 'protobufjs/light.js'
import descriptor from './descriptor.json' with { type: 'json' }
import type {
  Grant as GrantMessage,
  Grant__Output as GrantMessageOutput,
} from './generated/countersign/grant/v1/Grant.ts'
import type {
  Secret,
  Secret__Output,
} from './generated/envoy/extensions/transport_sockets/tls/v3/Secret.ts'
import type { AuthorizationDefinition } from './generated/envoy/service/auth/v3/Authorization.ts'
import type { SecretDiscoveryServiceDefinition } from './generated/envoy/service/secret/v3/SecretDiscoveryService.ts'
import type { HealthDefinition } from './generated/grpc/health/v1/Health.ts'

/** The bytes of one type of message, and what they mean. */
export interface MessageCodec<Input, Output> {
  readonly serialize: (message: Input) => Buffer
  /** @throws Error when the bytes are not such a message */
  readonly deserialize: (bytes: Buffer) => Output
}

/** How messages look in JavaScript, by the names of protobufjs. */
export const conversions = {
  longs: String,
  enums: String,
  defaults: true,
  oneofs: true,
} as const satisfies protobuf.IConversionOptions

// The compiler cannot tell namespaces and types of a JSON file apart.
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by Root.toJSON
const root = protobuf.Root.fromJSON(descriptor as protobuf.INamespace)

const codecOf = (type: protobuf.Type): MessageCodec<object, unknown> => ({
  serialize: (message) => asBuffer(type.encode(type.fromObject(message)).finish()),
  deserialize: (bytes) => type.toObject(type.decode(bytes), conversions),
})

const asBuffer = (bytes: Uint8Array): Buffer =>
  Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)

const message = (name: string): unknown => codecOf(root.lookupType(name))

/** A service as @grpc/grpc-js takes it: `ServiceDefinition`. */
const service = (name: string): unknown => {
  const declared = root.lookupService(name)
  return Object.fromEntries(
    declared.methodsArray.map((method) => {
      const request = codecOf(declared.lookupType(method.requestType))
      const response = codecOf(declared.lookupType(method.responseType))
      return [
        method.name,
        {
          path: `/${name}/${method.name}`,
          requestStream: method.requestStream === true,
          responseStream: method.responseStream === true,
          requestSerialize: request.serialize,
          requestDeserialize: request.deserialize,
          responseSerialize: response.serialize,
          responseDeserialize: response.deserialize,
          originalName: method.name.charAt(0).toLowerCase() + method.name.slice(1),
        },
      ]
    }),
  )
}

/* oxlint-disable typescript/no-unsafe-type-assertion -- see the top of this file */

/** `envoy.service.auth.v3.Authorization`: one unary method, Check. */
export const authorizationService = service(
  'envoy.service.auth.v3.Authorization',
) as AuthorizationDefinition

/** `grpc.health.v1.Health`: Check and Watch. */
export const healthService = service('grpc.health.v1.Health') as HealthDefinition

/** `countersign.grant.v1.Grant`, written in the order of the field numbers. */
export const grantMessage = message('countersign.grant.v1.Grant') as MessageCodec<
  GrantMessage,
  GrantMessageOutput
>

/** `envoy.service.secret.v3.SecretDiscoveryService`: DeltaSecrets, a stream both ways. */
export const secretDiscoveryService = service(
  'envoy.service.secret.v3.SecretDiscoveryService',
) as SecretDiscoveryServiceDefinition

/** A secret, which travels packed into a `google.protobuf.Any`. */
export const secretMessage = message(
  'envoy.extensions.transport_sockets.tls.v3.Secret',
) as MessageCodec<Secret, Secret__Output>
