// Loads `proto/` at start and hands out the gRPC service definitions, typed by `generated/`.
//
// The types are written by a tool that cannot see these options, so this is the one place where a
// loaded definition is asserted to have its generated type; test/proto/ proves that it does.

import { join } from 'node:path'

import { loadSync, type MessageTypeDefinition, type Options } from '@grpc/proto-loader'

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

/** The folder of our subset of Envoy's messages. */
export const protoFolder = join(import.meta.dirname, '..', '..', 'proto')

/** The files that declare the services; their imports are loaded with them. */
export const protoFiles = [
  'countersign/grant/v1/grant.proto',
  'envoy/service/auth/v3/external_auth.proto',
  'envoy/service/secret/v3/sds.proto',
  'envoy/extensions/transport_sockets/tls/v3/secret.proto', // imported by none: it travels in an Any
  'grpc/health/v1/health.proto',
] as const

/**
 * How messages look in JavaScript. The generated types hold only under exactly these options;
 * test/proto/generated.test.ts derives the generator's flags from them and compares.
 */
export const loadOptions = {
  keepCase: true, // the names in Envoy's documentation
  longs: String,
  enums: String,
  defaults: true,
  oneofs: true,
  includeDirs: [protoFolder],
} satisfies Options

const definitions = loadSync([...protoFiles], loadOptions)

function definition(name: string): unknown {
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
