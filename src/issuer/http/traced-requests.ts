// The span of a request to the issuer: login page, token endpoint, documents.

import type { Application } from '../../runtime/http/server.ts'
import { within, type Tracer } from '../../runtime/tracing/span.ts'

/**
 * The same application, traced. The parent is Envoy's span, which its request names. The name has no path but that of an
 * endpoint: paths of interactions and callbacks hold ids.
 */
export const tracedRequests =
  (tracer: Tracer, application: Application): Application =>
  async (path, request, response) => {
    const { traceparent } = request.headers
    const method = request.method ?? ''
    const name = `${method} ${endpointOf(path)}`
    const parent = typeof traceparent === 'string' ? traceparent : undefined
    const span = tracer.begin(name, parent, {
      'http.request.method': method,
      'url.path': endpointOf(path),
    })
    if (span === undefined) return await application(path, request, response)
    response.once('close', () => {
      span.set({ 'http.response.status_code': response.statusCode })
      if (response.statusCode >= 500) span.fail(String(response.statusCode))
      span.end()
    })
    await within(span, () => application(path, request, response))
  }

/** The first part of the path: `/token`, `/login`; never what comes after it. */
const endpointOf = (path: string): string => /^\/[\w.-]{0,40}/.exec(path)?.[0] ?? '/'
