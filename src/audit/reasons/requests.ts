// Reasons of the phases before a credential is looked at: the request, its route, its target.

import type { RequestRefusal } from '../../request/request.ts'
import type { TargetRefusal } from '../../request/target.ts'
import type { ReasonExplanation } from './explanation.ts'

/** Requests that are not read, or that have two readings. */
export const REQUEST_REASONS = {
  'target-too-long': {
    cause: 'Path and query together are longer than `limits.targetBytes`.',
    remedy: 'Send a shorter request target, or raise the limit.',
  },
  'header-fields-too-large': {
    cause:
      'There are more header lines than `limits.headerLines`, or more bytes of header fields than `limits.headerBytes`.',
    remedy:
      'Delete cookies of the site, or send fewer headers. Raise the limits where a client needs it, and `max_request_headers_kb` and `max_headers_count` of Envoy with them.',
  },
  'too-many-parameters': {
    cause: 'The query has more parameters than `limits.parameters` permits.',
    remedy: 'Send fewer parameters, or raise the limit.',
  },
  'malformed-method': {
    cause: 'The method is not a token (RFC 9110 §9.1).',
    remedy: 'Correct the client. Ordinary clients do not send such methods: it may be a scan.',
  },
  'malformed-host': {
    cause: 'The `Host` header or `:authority` is missing, or is not a host with an optional port.',
    remedy: 'Correct the client.',
  },
  'malformed-path': {
    cause:
      'The request target has bytes outside visible ASCII, does not begin with a slash, or is percent-encoded wrongly: no UTF-8, or a control character.',
    remedy: 'Correct the client: it must percent-encode the UTF-8 of other characters (RFC 3986).',
  },
  'ambiguous-path': {
    cause:
      'Servers read the path in different ways: an encoded slash, dot segments, double encoding, or a path that some servers would treat as one of another route. Or the path does not distinguish operations of the OpenAPI document.',
    remedy:
      'Send the path in its normal form. `match.ambiguousPaths: allow` of the route accepts paths that differ only in capitals, a final slash, path parameters or Unicode form.',
  },
  'duplicate-credential': {
    cause: 'The request has more than one `Authorization` header.',
    remedy: 'Send it once. A proxy in front of Envoy may add a second one.',
  },
  'connection-nomination': {
    cause:
      'The `Connection` header names other headers, which a proxy would remove before the upstream sees them.',
    remedy: 'Send `Connection` with `close`, `keep-alive`, `upgrade` and `te` only.',
  },
  'ambiguous-query': {
    cause:
      'The API server could read the query of a list in two ways: it has a `;`, a stray `%`, control characters, one parameter with two meanings, or selectors for two names.',
    remedy: 'Send `fieldSelector` and `labelSelector` once, in the form that kubectl sends.',
  },
  'impersonation-malformed': {
    cause:
      'The `Impersonate-*` headers are malformed: groups or extra fields without a user, a user or uid given twice, an empty value, bytes that are not UTF-8, or a name that only resembles one of them.',
    remedy: 'Send exactly one `Impersonate-User` with them, or omit all of them.',
  },
  impersonation: {
    cause: 'The request has `Impersonate-*` headers, and no rule of the route permits them.',
    remedy:
      'Omit them (`kubectl --as`), or allow the impersonation by a rule with `impersonate` on a route of `kind: kubernetes`.',
  },
  'no-route': {
    cause:
      'No route has this host and path, or Envoy named a route that the configuration does not have.',
    remedy:
      'Compare `host` and `path` of the event with `routes[].match`. `countersign explain` shows why each route does not match.',
  },
} as const satisfies Readonly<
  Record<RequestRefusal | TargetRefusal | 'no-route', ReasonExplanation>
>
