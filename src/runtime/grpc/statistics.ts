// Calls that a gRPC server has ended, by method and status code. A call costs one addition: no label is looked up.

import { counter, type Metric, type Sample } from '../metrics/metric.ts'
import { GRPC_CODES } from './framing.ts'

// By code, as gRPC's libraries for Go and Go's metrics write them.
const CODE_NAMES = [
  'OK',
  'Canceled',
  'Unknown',
  'InvalidArgument',
  'DeadlineExceeded',
  'NotFound',
  'AlreadyExists',
  'PermissionDenied',
  'ResourceExhausted',
  'FailedPrecondition',
  'Aborted',
  'OutOfRange',
  'Unimplemented',
  'Internal',
  'Unavailable',
  'DataLoss',
  'Unauthenticated',
] as const

/** The calls of one method that have ended, or of all methods that the server does not have. */
export class MethodCalls {
  readonly #counts = new Float64Array(CODE_NAMES.length)

  /** Counts one call, by its status code. */
  ended(code: number): void {
    const known = code < CODE_NAMES.length ? code : GRPC_CODES.unknown
    this.#counts[known] = (this.#counts[known] ?? 0) + 1
  }

  /** By status code. */
  get counts(): readonly number[] {
    return [...this.#counts]
  }
}

/** All calls of a server since the start. */
export class GrpcStatistics {
  readonly #methods = new Map<string, MethodCalls>()
  /** Calls of methods that the server does not have: one series, since their names are the client's. */
  readonly unknown = new MethodCalls()

  /**
   * The counts of a method. Called when the server starts.
   *
   * @param path `/package.Service/Method`
   */
  of(path: string): MethodCalls {
    const known = this.#methods.get(path)
    if (known !== undefined) return known
    const calls = new MethodCalls()
    this.#methods.set(path, calls)
    return calls
  }

  /** The metric. A series begins with its first call, those of `OK` with the start. */
  get metric(): Metric {
    return counter(
      'grpc_server_handled_total',
      'Calls of gRPC that have ended, by method and status code. The name and the labels are those of gRPC libraries for Go.',
      () => [
        ...[...this.#methods].flatMap(([path, calls]) => samplesOf(path, calls)),
        ...samplesOf('/unknown/unknown', this.unknown),
      ],
      {
        grpc_service: 'the services of the process, or `unknown`',
        grpc_method: 'the methods of these services, or `unknown`',
        grpc_code: CODE_NAMES,
      },
    )
  }
}

const samplesOf = (path: string, calls: MethodCalls): readonly Sample<number>[] => {
  const [, grpc_service = '', grpc_method = ''] = path.split('/')
  return calls.counts.flatMap((value, code) => {
    const grpc_code = CODE_NAMES[code] ?? 'Unknown'
    return value > 0 || (code === GRPC_CODES.ok && grpc_service !== 'unknown')
      ? [{ labels: { grpc_service, grpc_method, grpc_code }, value }]
      : []
  })
}
