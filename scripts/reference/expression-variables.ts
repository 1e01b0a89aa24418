// What the variables of expressions are, with examples. The types name every field, so that a new one without a text
// does not compile; a test evaluates each example for the request and the caller that the page describes.

import { METHOD_AMR } from '../../src/identity/identity.ts'
import type { Subject, VARIABLES } from '../../src/expression/environments.ts'
import { codes } from './markdown.ts'

/** The meaning of a field, and a condition that is true for the caller and the request of the page. */
interface FieldText {
  readonly meaning: string
  readonly example: string
}

type Texts<Name extends keyof typeof VARIABLES> = Readonly<
  Record<keyof (typeof VARIABLES)[Name], FieldText>
>

const ACCOUNT: Texts<'account'> = {
  user: { meaning: 'The name of the user.', example: 'account.user == "alice"' },
  uid: {
    meaning: 'A stable identifier. Absent where the verifier has none.',
    example: 'has(account.uid)',
  },
  groups: { meaning: 'The groups, in order.', example: '"dev" in account.groups' },
  extra: {
    meaning: 'Further attributes, each with its values.',
    example: 'account.extra["team"] == ["blue"]',
  },
}

const IDENTITY: Texts<'identity'> = {
  user: { meaning: 'The name of the user, after mapping.', example: 'identity.user == "alice"' },
  uid: {
    meaning: 'A stable identifier. Absent where there is none.',
    example: 'has(identity.uid) && identity.uid == "1001"',
  },
  groups: { meaning: 'The groups, in order.', example: 'identity.groups.exists(g, g == "ops")' },
  extra: {
    meaning: 'Further attributes, each with its values.',
    example: '"blue" in identity.extra["team"]',
  },
  method: {
    meaning: `How the credential was verified: ${codes(Object.keys(METHOD_AMR))}.`,
    example: 'identity.method == "basic"',
  },
  authenticator: {
    meaning: 'The authenticator, by its name in the configuration.',
    example: 'identity.authenticator == "staff"',
  },
}

const CERTIFICATE: Texts<'certificate'> = {
  subject: {
    meaning: 'Attributes of the subject by short name or OID, each with its values.',
    example: 'certificate.subject.CN[0] == "alice"',
  },
  subjectName: {
    meaning: 'The subject as a text (RFC 4514).',
    example: 'certificate.subjectName == "O=dev,CN=alice"',
  },
  issuerName: {
    meaning: 'The issuer as a text (RFC 4514).',
    example: 'certificate.issuerName.endsWith("CN=Example CA")',
  },
  dns: { meaning: 'DNS names (subjectAltName).', example: 'certificate.dns.size() == 0' },
  uris: {
    meaning: 'URIs (subjectAltName), such as SPIFFE IDs.',
    example: 'certificate.uris.exists(u, u.startsWith("spiffe://example.org/"))',
  },
  emails: {
    meaning: 'Mailboxes (subjectAltName).',
    example: '"alice@example.org" in certificate.emails',
  },
  ips: { meaning: 'IP addresses (subjectAltName).', example: 'certificate.ips == []' },
  upns: {
    meaning: 'Microsoft user principal names (subjectAltName).',
    example: 'certificate.upns.size() == 0',
  },
  serial: {
    meaning: 'The serial number, in lower-case hexadecimal.',
    example: 'certificate.serial == "0a1b"',
  },
  fingerprint: {
    meaning: 'SHA-256 of the DER, in lower-case hexadecimal.',
    example: 'certificate.fingerprint.startsWith("9f86d0")',
  },
  purposes: {
    meaning: 'Extended key usages, as OIDs.',
    example: '"1.3.6.1.5.5.7.3.2" in certificate.purposes',
  },
  policies: {
    meaning: 'Certificate policies, as OIDs.',
    example: '!("1.2.3.4" in certificate.policies)',
  },
  extensions: {
    meaning: 'The value of each extension by OID: base64 of DER.',
    example: '"2.5.29.15" in certificate.extensions',
  },
}

const REQUEST: Texts<'request'> = {
  method: { meaning: 'The method.', example: 'request.method == "GET"' },
  host: {
    meaning: 'The host in lower case, without a port.',
    example: 'request.host == "kube.example.org"',
  },
  path: {
    meaning: 'The path, decoded once, without the query.',
    example: 'request.path.startsWith("/api/v1/")',
  },
  query: {
    meaning: 'The parameters of the query, each with its values.',
    example: 'request.query["limit"] == ["500"]',
  },
  headers: {
    meaning: 'The headers by lower-case name, with a text for each line.',
    example: 'request.headers["accept"][0].contains("json")',
  },
  source: {
    meaning: 'The address of the caller that Envoy trusts. Empty where it is not known.',
    example: 'request.source == "203.0.113.7"',
  },
  serverName: {
    meaning: 'The server name of the TLS handshake (SNI). Empty where there was none.',
    example: 'request.serverName == ""',
  },
  time: {
    meaning: 'The time of the request.',
    example: 'request.time.getDayOfWeek("Europe/Berlin") == 5',
  },
}

const KUBERNETES: Texts<'kubernetes'> = {
  isResource: {
    meaning:
      'Whether the request is for a resource; otherwise it is for a path, such as `/healthz`.',
    example: 'kubernetes.isResource',
  },
  verb: {
    meaning: 'The verb, as RBAC names it; for paths the method in lower case.',
    example: 'kubernetes.verb == "list"',
  },
  apiGroup: {
    meaning: 'The API group. Empty for the core group.',
    example: 'kubernetes.apiGroup == ""',
  },
  apiVersion: { meaning: 'The version of the API.', example: 'kubernetes.apiVersion == "v1"' },
  namespace: {
    meaning: 'The namespace. Empty for requests without one.',
    example: 'kubernetes.namespace.startsWith("team-")',
  },
  resource: { meaning: 'The resource, in the plural.', example: 'kubernetes.resource == "pods"' },
  subresource: {
    meaning: 'The subresource, such as `exec`.',
    example: 'kubernetes.subresource == ""',
  },
  name: { meaning: 'The name of the object. Empty for lists.', example: 'kubernetes.name == ""' },
  fieldSelector: {
    meaning: 'The field selector, as sent.',
    example: 'kubernetes.fieldSelector == ""',
  },
  labelSelector: {
    meaning: 'The label selector, as sent.',
    example: 'kubernetes.labelSelector == "app=web"',
  },
  impersonates: {
    meaning: 'Whether the request has `Impersonate-*` headers.',
    example: '!kubernetes.impersonates',
  },
  impersonation: {
    meaning: 'The requested identity: `user`, `uid`, `groups`, `extra`. Empty without one.',
    example: 'kubernetes.impersonation.user == ""',
  },
}

const OPERATION: Texts<'operation'> = {
  id: {
    meaning: 'The `operationId`. Empty where the document has no such operation.',
    example: 'operation.id == "getOrder"',
  },
  method: { meaning: 'The method of the operation.', example: 'operation.method == "GET"' },
  template: {
    meaning: 'The path template of the document.',
    example: 'operation.template == "/orders/{id}"',
  },
  tags: { meaning: 'The tags of the operation.', example: '"orders" in operation.tags' },
  parameters: {
    meaning: 'The parameters of the path, decoded.',
    example: 'operation.parameters.id == "7"',
  },
}

/** A variable. */
export interface VariableText {
  readonly meaning: string
  readonly fields: Readonly<Record<string, FieldText>>
}

/** The variables, in the order of the page. */
export const VARIABLE_TEXTS: Readonly<Record<keyof typeof VARIABLES, VariableText>> = {
  identity: { meaning: 'The caller, after mapping.', fields: IDENTITY },
  account: {
    meaning: 'The user as the verifier of a password, an API key or a TokenReview knows it.',
    fields: ACCOUNT,
  },
  certificate: {
    meaning: 'The verified client certificate. Every field is empty for a caller without one.',
    fields: CERTIFICATE,
  },
  request: { meaning: 'The request.', fields: REQUEST },
  kubernetes: {
    meaning: 'The request as a Kubernetes API server reads it, on routes of `kind: kubernetes`.',
    fields: KUBERNETES,
  },
  operation: {
    meaning: 'The operation of the OpenAPI document, on routes with `openapi`.',
    fields: OPERATION,
  },
}

/** The keys whose expressions have each environment; `rule` is that of `when`. */
export const ENVIRONMENT_KEYS: Readonly<Record<Subject | 'rule', readonly string[]>> = {
  rule: ['routes[].authorize[].when'],
  caller: [
    'routes[].forward.set',
    'routes[].forward.assertion',
    'routes[].forward.bearer.mint',
    'issuer.login',
    'issuer.resources',
  ],
  identity: ['routes[].forward.certificate'],
  account: ['authenticators.NAME.identity (basic, apiKey, tokenReview)'],
  claims: [
    'authenticators.NAME.identity (bearer, introspection)',
    'authenticators.NAME.bearer.require',
    'authenticators.NAME.introspection.require',
    'issuer.login.providers.NAME.identity',
  ],
  certificate: ['authenticators.NAME.identity (certificate)'],
}
