// Header names as upstreams may read them.

/**
 * A header name as an upstream may read it: lower case, with `-` for every character that is neither letter nor
 * digit. CGI (RFC 3875 §4.1.18), FastCGI, WSGI and PHP read `X_Remote_User` and `X.Remote~User` as `X-Remote-User`.
 */
export const canonicalName = (name: string): string =>
  // Envoy hands over lower-case names, and most hold nothing else: the copy is the exception.
  ORDINARY.test(name) ? name : name.toLowerCase().replaceAll(/[^a-z\d]/g, '-')

// Pseudo-headers (RFC 9113 §8.3) are in every request, and no upstream takes them for a header.
const ORDINARY = /^:?[a-z\d-]*$/
