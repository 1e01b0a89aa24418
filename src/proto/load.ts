// The messages and gRPC services of `proto/`, typed by `generated/`, from `descriptor.json`, which `npm run generate`
// writes. Reading the .proto files takes 25 ms of CPU more at each start.
//
// The types are written by a tool that cannot see these options, so this is the one place where a
// loaded definition is asserted to have its generated type; test/proto/ proves that it does.

import { fromJSON, type MessageTypeDefinition, type Options } from '@grpc/proto-loader'
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

/** How messages look in JavaScript; names are those of Envoy's documentation, since the descriptor has them. */
export const conversions = {
  longs: String,
  enums: String,
  defaults: true,
  oneofs: true,
} as const satisfies Options

// The compiler cannot tell namespaces and types of a JSON file apart.
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by Root.toJSON
const definitions = fromJSON(descriptor as Parameters<typeof fromJSON>[0], conversions)

const definition = (name: string): unknown => {
  if (definitions[name] === undefined) throw new Error(`proto/ declares no ${name}`)
  return definitions[name]
}

/* oxlint-disable typescript/no-unsafe-type-assertion -- see the top of this file */

/** `envoy.service.auth.v3.Authorization`: one unary method, Check. */
export const authorizationService = definition(
  'envoy.service.auth.v3.Authorization',
) as AuthorizationDefinition

/** `grpc.health.v1.Health`: Check and Watch. */
export const healthService = definition('grpc.health.v1.Health') as HealthDefinition

/** `countersign.grant.v1.Grant`, written in the order of the field numbers. */
export const grantMessage = definition('countersign.grant.v1.Grant') as MessageTypeDefinition<
  GrantMessage,
  GrantMessageOutput
>

/** `envoy.service.secret.v3.SecretDiscoveryService`: DeltaSecrets, a stream both ways. */
export const secretDiscoveryService = definition(
  'envoy.service.secret.v3.SecretDiscoveryService',
) as SecretDiscoveryServiceDefinition

/** A secret, which travels packed into a `google.protobuf.Any`. */
export const secretMessage = definition(
  'envoy.extensions.transport_sockets.tls.v3.Secret',
) as MessageTypeDefinition<Secret, Secret__Output>
