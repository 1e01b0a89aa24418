// `src/proto/descriptor.json`: what `proto/` declares, as protobufjs writes it, so that no process parses .proto files.

import { join } from 'node:path'
import type { Options } from '@grpc/proto-loader'
import protobuf from 'protobufjs'
import { conversions } from '../src/proto/load.ts'

/** The folder of our subset of Envoy's messages. */
export const protoFolder = join(import.meta.dirname, '..', 'proto')

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
  ...conversions,
  includeDirs: [protoFolder],
} satisfies Options

/** The text of the file. */
export const protoDescriptor = (): string => {
  const root = new protobuf.Root()
  root.resolvePath = (_, target) => join(protoFolder, target)
  root.loadSync([...protoFiles], { keepCase: loadOptions.keepCase })
  root.resolveAll()
  return `${JSON.stringify(root.toJSON(), undefined, 1)}\n`
}
