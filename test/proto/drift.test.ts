// proto/ is an excerpt of the messages of other projects, except for countersign/. It may leave things out,
// but what it has must be what the originals have: names, numbers, types, labels, maps, oneofs, enum values.

import assert from 'node:assert/strict'
import { existsSync, globSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'

import protobuf from 'protobufjs'

import { protoFolder } from '../../scripts/proto-descriptor.ts'

const shipped = dirname(fileURLToPath(import.meta.resolve('@grpc/grpc-js-xds/package.json')))
const originals = ['envoy-api', 'googleapis', 'protoc-gen-validate', 'xds'].map((name) =>
  join(shipped, 'deps', name),
)
const bundled = dirname(fileURLToPath(import.meta.resolve('protobufjs')))

/**
 * Files whose original the package does not ship, with what the original says, taken from
 * the published specification.
 */
const UNSHIPPED: Readonly<Record<string, Declarations>> = {
  // https://github.com/grpc/grpc/blob/master/doc/health-checking.md, "Service Definition"
  'grpc/health/v1/health.proto': new Map([
    ['grpc.health.v1.HealthCheckRequest', 'message'],
    ['grpc.health.v1.HealthCheckRequest.service', 'string = 1'],
    ['grpc.health.v1.HealthCheckResponse', 'message'],
    ['grpc.health.v1.HealthCheckResponse.ServingStatus', 'enum'],
    ['grpc.health.v1.HealthCheckResponse.ServingStatus.UNKNOWN', '0'],
    ['grpc.health.v1.HealthCheckResponse.ServingStatus.SERVING', '1'],
    ['grpc.health.v1.HealthCheckResponse.ServingStatus.NOT_SERVING', '2'],
    ['grpc.health.v1.HealthCheckResponse.ServingStatus.SERVICE_UNKNOWN', '3'],
    [
      'grpc.health.v1.HealthCheckResponse.status',
      'grpc.health.v1.HealthCheckResponse.ServingStatus = 1',
    ],
    ['grpc.health.v1.Health', 'service'],
    [
      'grpc.health.v1.Health.Check',
      'grpc.health.v1.HealthCheckRequest → grpc.health.v1.HealthCheckResponse',
    ],
    [
      'grpc.health.v1.Health.Watch',
      'grpc.health.v1.HealthCheckRequest → stream grpc.health.v1.HealthCheckResponse',
    ],
  ]),
}

/** What a .proto file says, one entry for each thing in it: full name → declaration. */
type Declarations = ReadonlyMap<string, string>

const nameOf = (object: protobuf.ReflectionObject): string => object.fullName.slice(1)

const declarationOf = (field: protobuf.Field): string => {
  const type = field.resolvedType === null ? field.type : nameOf(field.resolvedType)
  const key = field instanceof protobuf.MapField ? `map by ${field.keyType} of ` : ''
  const label = field.repeated ? 'repeated ' : field.required ? 'required ' : ''
  const oneof = field.partOf === null ? '' : ` in oneof ${field.partOf.name}`
  return `${key}${label}${type} = ${field.id}${oneof}`
}

function* declarationsIn(
  object: protobuf.ReflectionObject,
): Generator<[name: string, declaration: string]> {
  const name = nameOf(object)
  if (object instanceof protobuf.Type) {
    yield [name, 'message']
    for (const field of object.fieldsArray) yield [`${name}.${field.name}`, declarationOf(field)]
  } else if (object instanceof protobuf.Enum) {
    yield [name, 'enum']
    for (const [value, number] of Object.entries(object.values)) {
      yield [`${name}.${value}`, String(number)]
    }
  } else if (object instanceof protobuf.Service) {
    yield [name, 'service']
    for (const method of object.methodsArray) {
      const request = `${method.requestStream ? 'stream ' : ''}${typeName(method.resolvedRequestType)}`
      const reply = `${method.responseStream ? 'stream ' : ''}${typeName(method.resolvedResponseType)}`
      yield [`${name}.${method.name}`, `${request} → ${reply}`]
    }
  }
  if (object instanceof protobuf.Namespace) {
    for (const nested of object.nestedArray) yield* declarationsIn(nested)
  }
}

const typeName = (type: protobuf.Type | null): string => (type === null ? '' : nameOf(type))

/** What is declared in one file, found under `folders`; what it imports is loaded, but left out. */
const readDeclarations = (file: string, folders: readonly string[]): Declarations => {
  const root = new protobuf.Root()
  const find = (target: string) =>
    [...folders, bundled].map((folder) => join(folder, target)).find((path) => existsSync(path))
  root.resolvePath = (_origin, target) => find(target) ?? target
  root.loadSync(file, { keepCase: true }).resolveAll()
  const path = find(file)
  const found = new Map<string, string>()
  for (const top of declaredIn(root, path))
    for (const [name, declaration] of declarationsIn(top)) found.set(name, declaration)
  return found
}

function* declaredIn(
  namespace: protobuf.NamespaceBase,
  path: string | undefined,
): Generator<protobuf.ReflectionObject> {
  for (const object of namespace.nestedArray) {
    if (object.filename === path) yield object
    else if (object instanceof protobuf.Namespace) yield* declaredIn(object, path)
  }
}

/** Everything in `own` that `original` does not say in the same words. */
const drift = (own: Declarations, original: Declarations): string[] =>
  [...own]
    .filter(([name, declaration]) => original.get(name) !== declaration)
    .map(
      ([name, declaration]) =>
        `${name}: ${declaration}, but there: ${original.get(name) ?? 'nothing'}`,
    )

describe('proto/ agrees with the originals', () => {
  const files = globSync('**/*.proto', { cwd: protoFolder, exclude: ['countersign/**'] })
  for (const file of files) {
    it(`agrees with the original of ${file}`, () => {
      const own = readDeclarations(file, [protoFolder])
      assert.ok(own.size > 0)
      assert.deepEqual(drift(own, UNSHIPPED[file] ?? readDeclarations(file, originals)), [])
    })
  }

  it('lists no file as unshipped that is shipped or that proto/ does not have', () => {
    for (const file of Object.keys(UNSHIPPED)) {
      assert.ok(existsSync(join(protoFolder, file)))
      assert.ok(originals.every((folder) => !existsSync(join(folder, file))))
    }
  })
})

describe('the comparison of proto/ finds a difference', () => {
  const original = parse(`
    message Inner {}
    message Outer {
      string name = 1;
      repeated string names = 2;
      map<string, Inner> inners = 3;
      oneof choice { Inner inner = 4; }
      Kind kind = 5;
      enum Kind { A = 0; B = 1; }
    }
    service Calls { rpc Call(Inner) returns (stream Outer); }`)

  const cases = [
    { name: 'in a name', own: 'message Outer { string nom = 1; }' },
    { name: 'in a number', own: 'message Outer { string name = 2; }' },
    { name: 'in a scalar type', own: 'message Outer { bytes name = 1; }' },
    { name: 'in a message type', own: 'message Outer { map<string, Outer> inners = 3; }' },
    { name: 'in a label', own: 'message Outer { string names = 2; }' },
    {
      name: 'in a map key',
      own: 'message Inner {} message Outer { map<int32, Inner> inners = 3; }',
    },
    { name: 'in a map', own: 'message Inner {} message Outer { repeated Inner inners = 3; }' },
    { name: 'in a oneof', own: 'message Inner {} message Outer { Inner inner = 4; }' },
    { name: 'in an enum value', own: 'message Outer { enum Kind { A = 0; B = 2; } }' },
    { name: 'in the enclosing message', own: 'enum Kind { A = 0; }' },
    { name: 'in the kind of a declaration', own: 'enum Inner { A = 0; }' },
    {
      name: 'in a request type',
      own: 'message Outer {} service Calls { rpc Call(Outer) returns (stream Outer); }',
    },
    {
      name: 'in streaming',
      own: 'message Inner {} message Outer {} service Calls { rpc Call(Inner) returns (Outer); }',
    },
  ]
  for (const { name, own } of cases) {
    it(`finds a difference ${name}`, () => {
      assert.notDeepEqual(drift(parse(own), original), [])
    })
  }

  it('reports no difference in a declaration that is left out', () => {
    assert.deepEqual(drift(parse('message Outer { string name = 1; }'), original), [])
  })
})

function parse(source: string): Declarations {
  const { root } = protobuf.parse(`syntax = "proto3";${source}`, { keepCase: true })
  return new Map(declarationsIn(root.resolveAll()))
}
