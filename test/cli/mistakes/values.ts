// Keys and values that the schema does not have.

import { ENVOY, type Mistake } from './site.ts'

/** The table. */
export const VALUE_MISTAKES: readonly Mistake[] = [
  {
    name: 'a misspelt key',
    edit: [['    authenticate:', '    authenticatr:']],
    want: [
      'countersign.yaml:9:5: routes[0].authenticatr: unknown key; did you mean "authenticate"?',
      '1 problem found.',
    ],
  },
  {
    name: 'a key of another spelling',
    edit: [['methods:', 'method:']],
    want: [
      'countersign.yaml:16:9: routes[0].authorize[2].method: unknown key; did you mean "methods"?',
      '1 problem found.',
    ],
  },
  {
    name: 'an unknown key',
    edit: [['version: 1', 'version: 1\nplugins: []']],
    want: ['countersign.yaml:2:1: plugins: unknown key', '1 problem found.'],
  },
  {
    name: 'a key of an earlier version',
    edit: [['verify: [', 'guard: {}, verify: [']],
    want: [
      'countersign.yaml:4:21: authenticators.staff.basic.guard: unknown key; it is called "bruteForceProtection" now',
      '1 problem found.',
    ],
  },
  {
    name: 'a required key that is missing',
    edit: [['    authenticate: [staff, cert]\n', '']],
    want: [
      'countersign.yaml:7:5: routes[0].authenticate: required, but missing',
      '1 problem found.',
    ],
  },
  {
    name: 'a text in the place of a list',
    edit: [['groups: [ops]', 'groups: ops']],
    want: [
      'countersign.yaml:14:9: routes[0].authorize[1].groups: must be a list, not a text',
      '1 problem found.',
    ],
  },
  {
    name: 'a number in the place of a text',
    edit: [['groups: [ops]', 'groups: [5]']],
    want: [
      'countersign.yaml:14:18: routes[0].authorize[1].groups[0]: must be a text, not a number',
      '1 problem found.',
    ],
  },
  {
    name: 'a list in the place of a mapping',
    edit: [['forward: { headers: kubernetes }', 'forward: [kubernetes]']],
    want: [
      'countersign.yaml:17:5: routes[0].forward: must be a mapping, not a list',
      '1 problem found.',
    ],
  },
  {
    name: 'a key without a value',
    edit: [['{ headers: kubernetes }', '']],
    want: [
      'countersign.yaml:17:5: routes[0].forward: must be a mapping, not empty',
      '1 problem found.',
    ],
  },
  {
    name: 'an option that does not exist',
    edit: [['headers: kubernetes', 'headers: kuberntes']],
    want: [
      'countersign.yaml:17:16: routes[0].forward.headers: must be one of "kubernetes", "impersonation", "certificate", "grafana", "headlamp"; did you mean "kubernetes"?',
      '1 problem found.',
    ],
  },
  {
    name: 'another version',
    edit: [['version: 1', 'version: 2']],
    want: [
      'countersign.yaml:1:1: version: must be 1, the version that this release of Countersign reads',
      '1 problem found.',
    ],
  },
  {
    name: 'an empty list',
    edit: [['authenticate: [staff, cert]', 'authenticate: []']],
    want: ['countersign.yaml:9:5: routes[0].authenticate: must not be empty', '1 problem found.'],
  },
  {
    name: 'an authenticator that does not exist',
    edit: [['[staff, cert]', '[staf, cert]']],
    want: [
      'countersign.yaml:9:20: routes[0].authenticate[0]: there is no authenticator "staf" (there are: staff, cert)',
      '1 problem found.',
    ],
  },
  {
    name: 'an authenticator of two kinds',
    edit: [['trust: ca.pem }', 'trust: ca.pem }, anonymous: {}']],
    want: [
      'countersign.yaml:5:3: authenticators.cert: must have exactly one of "basic", "bearer", "introspection", "tokenReview", "apiKey", "certificate", "session", "anonymous"',
      '1 problem found.',
    ],
  },
  {
    name: 'a host with a port',
    edit: [['[api.example.org]', "['api.example.org:443']"]],
    want: [
      'countersign.yaml:8:22: routes[0].match.hosts[0]: must be a lower-case host name without a port, optionally beginning with "*."',
      '1 problem found.',
    ],
  },
  {
    name: 'a host with capitals',
    edit: [['[api.example.org]', '[API.example.org]']],
    want: [
      'countersign.yaml:8:22: routes[0].match.hosts[0]: must be a lower-case host name without a port, optionally beginning with "*."',
      '1 problem found.',
    ],
  },
  {
    name: 'a path without a slash',
    edit: [["'/secrets/**'", "'secrets/**'"]],
    want: [
      'countersign.yaml:12:17: routes[0].authorize[0].paths[0]: must start with "/"',
      '1 problem found.',
    ],
  },
  {
    name: 'a method in lower case',
    edit: [['[GET]', '[get]']],
    want: [
      'countersign.yaml:16:19: routes[0].authorize[2].methods[0]: must be an upper-case HTTP method',
      '1 problem found.',
    ],
  },
  {
    name: 'a network that is none',
    edit: [['groups: [ops]', 'sources: [10.0.0.0/40]']],
    want: [
      'countersign.yaml:14:19: routes[0].authorize[1].sources[0]: must be an IP address or a network such as "10.0.0.0/8"',
      '1 problem found.',
    ],
  },
  {
    name: 'a time zone that does not exist',
    edit: [['groups: [ops]', "times: [{ from: '08:00', to: '18:00', timeZone: Europe/Wien }]"]],
    want: [
      'countersign.yaml:14:47: routes[0].authorize[1].times[0].timeZone: must be a time zone such as "Europe/Vienna"',
      '1 problem found.',
    ],
  },
  {
    name: 'a duration without a unit',
    edit: [['trust: ca.pem', 'trust: ca.pem, cacheTtl: 300']],
    want: [
      'countersign.yaml:5:41: authenticators.cert.certificate.cacheTtl: must be a duration such as "500ms", "30s", "5m", "1h" or "7d"',
      '1 problem found.',
    ],
  },
  {
    name: 'an address without a port',
    edit: [['unix:authz.sock', '127.0.0.1']],
    want: [
      'countersign.yaml:2:11: listen.authz: must be "unix:PATH" or "HOST:PORT"',
      '1 problem found.',
    ],
  },
  {
    name: 'a TCP address without TLS',
    edit: [['unix:authz.sock', '0.0.0.0:9191']],
    want: [
      'countersign.yaml:2:11: listen.authz: a TCP address that is not loopback needs "tls", or "plaintext: true" where a service mesh encrypts it',
      '1 problem found.',
    ],
  },
  {
    name: 'the path of a socket that is too long',
    edit: [['unix:authz.sock', `unix:/${'x'.repeat(110)}`]],
    want: [
      "countersign.yaml:2:11: listen.authz: a UNIX socket's absolute path has at most 107 bytes; choose a shorter folder, such as /run",
      '1 problem found.',
    ],
  },
  {
    name: 'a user name with capitals as the name of a route',
    edit: [['name: api', 'name: My API']],
    want: [
      'countersign.yaml:7:5: routes[0].name: must be 1 to 63 lower-case letters, digits, "-" or "_"',
      '1 problem found.',
    ],
  },
  {
    name: 'a certificate without grants',
    edit: [
      ['{ headers: kubernetes }', '{ certificate: { ca: kube, subject: { CN: identity.user } } }'],
    ],
    want: [
      'countersign.yaml:17:16: routes[0].forward.certificate: needs the keys that are shared with the signer: "certificateGrants"',
      '1 problem found.',
    ],
  },
  {
    name: 'a minted token without an issuer',
    edit: [['{ headers: kubernetes }', '{ bearer: { mint: { audience: kube } } }']],
    want: [
      'countersign.yaml:17:26: routes[0].forward.bearer.mint: needs "issuer", whose keys sign the token',
      '1 problem found.',
    ],
  },
  {
    name: 'a client certificate that Envoy does not request',
    edit: [['version: 1', `version: 1\n${ENVOY.replace(', clientCa: ca.pem', '')}`]],
    want: [
      'countersign.yaml:9:11: authenticators.cert.certificate: callers show no certificate: set "envoy.listener.clientCa" to request it',
      '1 problem found.',
    ],
  },
  {
    name: 'a route without an upstream',
    edit: [['version: 1', `version: 1\n${ENVOY.replace('{ api:', '{ ape:')}`]],
    want: [
      'countersign.yaml:11:5: routes[0].name: there is no "api" in envoy.upstreams',
      '1 problem found.',
    ],
  },
  {
    name: 'an upstream without TLS',
    edit: [
      [
        'version: 1',
        `version: 1\n${ENVOY.replace("127.0.0.1:6443', ca: ca.pem", "192.0.2.1:6443'")}`,
      ],
    ],
    want: [
      'countersign.yaml:4:16: envoy.upstreams.api: needs "ca", the CA of its server certificate. For HTTP without TLS, set "plaintext: true": then everyone on the way to it can read and forge credentials',
      '1 problem found.',
    ],
  },
  {
    name: 'a path for a secret',
    edit: [['version: 1', 'version: 1\ncertificateGrants: { keyring: grant.keys }']],
    want: [
      'countersign.yaml:2:22: certificateGrants.keyring: must be a reference, "file:PATH" or "env:NAME": write "file:grant.keys"',
      '1 problem found.',
    ],
  },
  {
    name: 'a secret in the configuration',
    edit: [['version: 1', 'version: 1\ncertificateGrants: { keyring: c2VjcmV0 }']],
    want: [
      'countersign.yaml:2:22: certificateGrants.keyring: must be a reference, "file:PATH" or "env:NAME": secrets must not be in the configuration',
      '1 problem found.',
    ],
  },
  {
    name: 'an environment variable that is not set',
    edit: [
      [
        'version: 1',
        "version: 1\nstate: { redis: { url: 'env:NO_SUCH_URL', secret: 'file:grant.keys' } }",
      ],
    ],
    want: [
      'countersign.yaml:2:19: state.redis.url: the environment variable NO_SUCH_URL is not set',
      '1 problem found.',
    ],
  },
]
