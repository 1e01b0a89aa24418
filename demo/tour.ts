// The tour: what the demo shows, as data. Printed as curl commands for users, and run and compared by
// `--check`.

/** One stop of the tour. */
export interface Stop {
  readonly title: string
  readonly request: {
    readonly user?: string
    readonly method?: string
    readonly path: string
    readonly host?: string
    readonly headers?: readonly (readonly [name: string, value: string])[]
  }
  readonly want: {
    readonly status: number
    /** What a reader should look for in the answer. */
    readonly look: string
    /** The subject of the client certificate that the upstream must have been shown. */
    readonly upstreamSeesSubject?: string
    /** Claims of the bearer token that the upstream must have received; its signature is verified. */
    readonly upstreamSeesToken?: Readonly<Record<string, unknown>>
    /** Header lines that the upstream must have received, each exactly once, in this order. */
    readonly upstreamSees?: readonly string[]
    /** Beginnings of header lines that the upstream must not have received. */
    readonly upstreamLacks?: readonly string[]
    /** Header lines of the answer. */
    readonly answerHas?: readonly string[]
    /** Beginnings of such. */
    readonly answerBegins?: readonly string[]
    /** A part of its body. */
    readonly bodyHas?: string
  }
}

/** The host whose upstream receives headers. */
export const HOST = 'api.example.org'

/** The host whose upstream requires a client certificate for every identity. */
export const CERTIFICATE_HOST = 'ledger.example.org'

/** The host of a route with `kind: kubernetes`. */
export const KUBERNETES_HOST = 'kube.example.org'

/** The host whose upstream receives a token of Countersign's issuer. */
export const TOKEN_HOST = 'reports.example.org'

// Browsers find names below localhost on this machine, without a DNS server (RFC 6761 §6.3).

/** The host of the issuer: its discovery document and key set, and the login page. */
export const ISSUER_HOST = 'id.localhost'

/** The host that redirects to the login page. */
export const APP_HOST = 'app.localhost'

/** Users of the demo, with their passwords. */
export const USERS = {
  alice: { password: 'wonderland', uid: '1001', groups: ['dev', 'ops'], team: ['blue', 'red'] },
  bob: { password: 'builder', uid: '1002', groups: ['dev'], team: ['blue'] },
} as const

const CHALLENGE = 'www-authenticate: Basic realm="Demo", charset="UTF-8"'

/** The stops that need nothing but passwords, in order. */
export const TOUR: readonly Stop[] = [
  {
    title: 'no credential: 401, with a challenge',
    request: { path: '/hello' },
    want: { status: 401, look: 'www-authenticate and the decision id', answerHas: [CHALLENGE] },
  },
  {
    title: 'a wrong password: 401, the same as for an unknown user',
    request: { user: 'alice:guess', path: '/hello' },
    want: { status: 401, look: 'no hint whether the user exists', answerHas: [CHALLENGE] },
  },
  {
    title: 'a password in, identity headers out',
    request: { user: `alice:${USERS.alice.password}`, path: '/hello' },
    want: {
      status: 200,
      look: 'x-remote-user, one x-remote-group line per group, and no authorization',
      upstreamSees: [
        'x-remote-user: alice',
        'x-remote-uid: 1001',
        'x-remote-group: dev',
        'x-remote-group: ops',
        'x-remote-extra-example.org%2fteam: blue',
        'x-remote-extra-example.org%2fteam: red',
      ],
      upstreamLacks: ['authorization:'],
    },
  },
  {
    title: 'forged identity headers are removed',
    request: {
      user: `bob:${USERS.bob.password}`,
      path: '/hello',
      headers: [
        ['X-Remote-User', 'root'],
        ['X-Remote-Group', 'system:masters'],
        ['X-Remote-Extra-Anything', 'forged'],
      ],
    },
    want: {
      status: 200,
      look: 'x-remote-user: bob, and not root',
      upstreamSees: ['x-remote-user: bob', 'x-remote-group: dev'],
      upstreamLacks: ['x-remote-user: root', 'x-remote-group: system', 'x-remote-extra-anything'],
    },
  },
  {
    title: 'a password in, a client certificate out, minted for alice',
    request: {
      user: `alice:${USERS.alice.password}`,
      path: '/hello',
      host: CERTIFICATE_HOST,
    },
    want: {
      status: 200,
      look: 'subject: the certificate that the upstream received in the TLS handshake',
      upstreamSeesSubject: 'CN=alice, O=dev, O=ops',
      upstreamLacks: ['authorization:', 'x-remote-user:'],
    },
  },
  {
    title: 'another user has another certificate, on another connection',
    request: { user: `bob:${USERS.bob.password}`, path: '/hello', host: CERTIFICATE_HOST },
    want: {
      status: 200,
      look: 'subject and connection',
      upstreamSeesSubject: 'CN=bob, O=dev',
      upstreamLacks: ['authorization:'],
    },
  },
  {
    title: 'a rule denies: 403, with the rule and the decision id',
    request: { user: `alice:${USERS.alice.password}`, path: '/secrets/1' },
    want: { status: 403, look: 'the decision id, which the audit event has, too' },
  },
  {
    title: 'no rule allows bob to write: 403',
    request: { user: `bob:${USERS.bob.password}`, method: 'POST', path: '/hello' },
    want: { status: 403, look: 'the reason: no rule' },
  },
  {
    title: 'a host without a route: 403',
    request: { user: `alice:${USERS.alice.password}`, path: '/', host: 'other.example.org' },
    want: { status: 403, look: 'the decision id' },
  },
]

/** Made for each demo. */
export interface DemoCredentials {
  /** carol's, signed by the demo's issuer. */
  readonly token: string
  /** That of the program `ci`. */
  readonly apiKey: string
  /** The URL of Countersign's issuer. */
  readonly issuer: string
}

/** The stops of the demo: those of {@link TOUR}, and other kinds of credential. */
export const tourWith = ({ token, apiKey, issuer }: DemoCredentials): readonly Stop[] => [
  ...TOUR,
  {
    title: 'a token in, headers out: the mapping keeps some groups of the claim',
    request: { path: '/hello', headers: [['Authorization', `Bearer ${token}`]] },
    want: {
      status: 200,
      look: 'x-remote-user and x-remote-group with a prefix, and no authorization',
      upstreamSees: ['x-remote-user: oidc:carol@example.org', 'x-remote-group: oidc:k8s-dev'],
      upstreamLacks: ['authorization:', 'x-remote-group: oidc:hr'],
    },
  },
  {
    title: 'a password in, an ID token out, minted by Countersign',
    request: { user: `bob:${USERS.bob.password}`, path: '/hello', host: TOKEN_HOST },
    want: {
      status: 200,
      look: `authorization: Bearer …; its keys are at ${issuer}/.well-known/openid-configuration`,
      upstreamSeesToken: {
        iss: issuer,
        aud: 'reports',
        sub: 'bob',
        groups: ['dev'],
        amr: ['pwd'],
        team: 'blue',
      },
      upstreamLacks: ['authorization: Basic', 'x-remote-user:'],
    },
  },
  {
    title: 'a token of another issuer in, a minted token out',
    request: {
      path: '/hello',
      host: TOKEN_HOST,
      headers: [['Authorization', `Bearer ${token}`]],
    },
    want: {
      status: 200,
      look: 'issuer, audience, and the mapped user',
      upstreamSeesToken: { iss: issuer, sub: 'oidc:carol@example.org' },
    },
  },
  {
    title: 'an API key in, a client certificate out',
    request: { path: '/hello', host: CERTIFICATE_HOST, headers: [['X-Api-Key', apiKey]] },
    want: {
      status: 200,
      look: 'subject, and no x-api-key',
      upstreamSeesSubject: 'CN=ci, O=deploy',
      upstreamLacks: ['x-api-key:'],
    },
  },
  {
    title: 'two credentials: ambiguous, 400',
    request: {
      user: `alice:${USERS.alice.password}`,
      path: '/hello',
      host: CERTIFICATE_HOST,
      headers: [['X-Api-Key', apiKey]],
    },
    want: { status: 400, look: 'the reason' },
  },
  {
    title: 'a Kubernetes API with a rule against secrets: pods are allowed',
    request: {
      user: `bob:${USERS.bob.password}`,
      path: '/api/v1/namespaces/default/pods',
      host: KUBERNETES_HOST,
    },
    want: { status: 200, look: 'x-remote-user', upstreamSees: ['x-remote-user: bob'] },
  },
  {
    title: 'secrets are refused in every spelling; kubectl prints the message',
    request: {
      user: `bob:${USERS.bob.password}`,
      path: '/api/v1/watch/namespaces/default/%73ecrets',
      host: KUBERNETES_HOST,
    },
    want: {
      status: 403,
      look: 'the Status object, with the rule and the decision id',
      bodyHas: 'secrets is forbidden: User \\"bob\\" cannot watch resource \\"secrets\\"',
    },
  },
  {
    title: 'a browser without a session is redirected to the login page',
    request: { path: '/hello', host: APP_HOST, headers: [['Accept', 'text/html']] },
    want: {
      status: 302,
      look: 'location: the login page',
      answerBegins: [`location: ${issuer}/authorize?`],
    },
  },
  {
    title: 'a script of a page gets 401: it cannot log in',
    request: { path: '/hello', host: APP_HOST, headers: [['Sec-Fetch-Mode', 'cors']] },
    want: { status: 401, look: 'no location header' },
  },
]

/** What is done with a browser, behind the stops. */
export const VISIT = {
  title: 'a user logs in, reaches the upstream, and logs out',
  path: '/hello',
  user: 'alice',
  textFor: (port: number, ca: string): readonly string[] => [
    `Open https://${APP_HOST}:${port}/hello in a browser; the user is alice, the password ${USERS.alice.password}.`,
    `The browser warns about the certificates of ${APP_HOST} and ${ISSUER_HOST}: ${ca} was made for this demo.`,
    '→ 200; look for x-remote-user, and no cookie',
    `Your logins: https://${ISSUER_HOST}:${port}/account`,
    `Log out: https://${APP_HOST}:${port}/.countersign/logout\n`,
  ],
} as const

/** The curl command for a stop. */
export const curlFor = ({ request }: Stop, port: number, ca: string): string => {
  const host = request.host ?? HOST
  return [
    'curl -i',
    `--cacert ${ca}`,
    `--resolve ${host}:${port}:127.0.0.1`,
    ...(request.user === undefined ? [] : [`-u ${request.user}`]),
    ...(request.method === undefined ? [] : [`-X ${request.method}`]),
    ...(request.headers ?? []).map(([name, value]) => `-H '${name}: ${value}'`),
    `https://${host}:${port}${request.path}`,
  ].join(' ')
}
