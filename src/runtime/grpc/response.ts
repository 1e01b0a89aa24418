// The header blocks of answers, encoded once ("gRPC over HTTP2", Responses).

import { encodeFields } from '../http2/hpack/encoder.ts'
import { GRPC_CODES, trailersOf, type GrpcStatus } from './framing.ts'

const HEADERS = { ':status': '200', 'content-type': 'application/grpc' }

/** The headers before messages. */
export const RESPONSE_HEAD = encodeFields(HEADERS)

/** The trailers after a call that succeeded. */
export const OK_TRAILERS = encodeFields({ 'grpc-status': String(GRPC_CODES.ok) })

/** The trailers with a status. */
export const trailerBlock = (status: GrpcStatus): Buffer => encodeFields(trailersOf(status))

/** A response without messages ("Trailers-Only"). */
export const statusBlock = (status: GrpcStatus): Buffer =>
  encodeFields({ ...HEADERS, ...trailersOf(status), ...status.fields })

/** The answer to what is not gRPC: a status of HTTP alone. */
export const httpStatusBlock = (status: number, fields: Readonly<Record<string, string>> = {}) =>
  encodeFields({ ':status': String(status), ...fields })
