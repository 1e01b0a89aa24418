// The configurations that `countersign init` writes, as commented text.

import { stringify } from 'yaml'
import {
  hasIssuer,
  hasLogins,
  hasPasswords,
  issuerUrlOf,
  routeUrlOf,
  type Answers,
  type WayIn,
} from './answers.ts'

/** Where the JSON Schemas are, from the folder of the configuration. */
export const SCHEMA_FOLDER = '.countersign'

const modeline = (name: string): string =>
  `# yaml-language-server: $schema=${SCHEMA_FOLDER}/${name}.schema.json`

/** A value on one line, quoted where YAML needs that. */
const quoted = (value: string): string => stringify(value, { lineWidth: 0 }).trim()

/** countersign.yaml. */
export const configurationText = (answers: Answers): string =>
  [
    modeline('countersign'),
    '# Made by `countersign init`. Start: countersign up. Check: countersign validate. Why refused: countersign explain.',
    'version: 1',
    '',
    ...listenLines(answers),
    '',
    '# What callers prove their identity with.',
    'authenticators:',
    ...authenticatorLines(answers),
    '',
    ...routeLines(answers),
    '',
    '# A line for each decision. Without a line, a request is refused.',
    'audit: { file: audit.jsonl }',
    '',
    ...envoyLines(answers),
    '',
  ].join('\n')

const listenLines = (answers: Answers): readonly string[] => [
  'listen:',
  '  authz: unix:run/authz.sock # Envoy sends its checks here',
  ...(hasIssuer(answers) ? issuerLines(answers) : []),
  ...(answers.wayOut === 'certificate'
    ? [
        '',
        '# Shared with the signer (signer.yaml).',
        'certificateGrants: { keyring: file:grant.keys }',
      ]
    : []),
]

const issuerLines = (answers: Answers): readonly string[] => {
  const logins = hasLogins(answers)
  return [
    '  issuer: unix:run/issuer.sock # Envoy publishes it at issuer.url',
    ...(logins
      ? ['', '# Logins. To end them: countersign sessions end.', 'state: { sqlite: state.db }']
      : []),
    '',
    `# Discovery document and key set${logins ? ', login page' : ''}.`,
    'issuer:',
    `  url: ${issuerUrlOf(answers)}`,
    '  keys: signing-keys # countersign keys signing rotate signing-keys',
    ...(logins ? ['  login: { authenticators: [password] }'] : []),
    ...(answers.waysIn.includes('command-line') ? commandLineClient(routeUrlOf(answers)) : []),
  ]
}

/** The client of `countersign login` (RFC 8252), and the audience of its tokens. */
const commandLineClient = (resource: string): readonly string[] => [
  '  clients:',
  '    countersign-cli:',
  '      name: Command line',
  '      grantTypes: [authorization_code, refresh_token, device_code]',
  '      redirectUris: [http://127.0.0.1/callback] # with any port',
  `      resources: [${resource}]`,
  '  resources:',
  `    ${resource}: {}`,
]

const authenticatorLines = (answers: Answers): readonly string[] => [
  ...(hasPasswords(answers)
    ? [
        '  password:',
        '    basic:',
        '      realm: Countersign',
        '      verify: [{ users: { file: users.yaml } }] # or ldap, radius',
      ]
    : []),
  ...answers.waysIn.flatMap((way) => AUTHENTICATORS[way](answers)),
]

const AUTHENTICATORS: Readonly<Record<WayIn, (answers: Answers) => readonly string[]>> = {
  password: () => [],
  certificate: () => [
    '  certificate:',
    '    certificate: { trust: ca/ca.pem } # countersign ca client --ca ca --user NAME --out tls --as NAME',
  ],
  token: ({ issuer = '', audience = '' }) => [
    '  token:',
    '    # identity: { user: claims.email } # default: the issuer, "#" and "sub"',
    '    bearer:',
    `      issuer: ${quoted(issuer)} # its keys are found by discovery`,
    `      audiences: [${quoted(audience)}]`,
  ],
  'api-key': () => [
    '  api-key:',
    '    apiKey: { file: api-keys.yaml } # countersign keys api --file api-keys.yaml --user NAME',
  ],
  login: () => ['  login:', '    session: {} # after a login at the page of the issuer'],
  'command-line': (answers) => [
    '  command-line: # tokens of `countersign login`, which kubectl gets by `countersign credential`',
    `    bearer: { issuer: ${issuerUrlOf(answers)}, audiences: [${routeUrlOf(answers)}] }`,
    '    identity:',
    '      user: claims.sub',
    '      groups: claims.?groups.orValue([])',
  ],
}

const routeLines = (answers: Answers): readonly string[] => [
  'routes:',
  '  - name: app',
  `    match: { hosts: [${quoted(answers.host)}] }`,
  ...(answers.kind === 'kubernetes'
    ? [
        '    kind: kubernetes # rules with verbs and resources; kubectl prints the reason of a refusal',
      ]
    : []),
  `    authenticate: [${answers.waysIn.join(', ')}]`,
  '    authorize: # the first rule that matches decides; without one, the request is refused',
  ...RULES[answers.kind],
  ...FORWARD[answers.wayOut],
]

const RULES: Readonly<Record<Answers['kind'], readonly string[]>> = {
  http: [
    '      # - deny: no-admin',
    "      #   paths: ['/admin/**']",
    '      - allow: everyone # everyone who is authenticated',
  ],
  kubernetes: [
    '      # - deny: no-secrets',
    '      #   resources: [secrets]',
    '      - allow: rbac-decides # everyone who is authenticated; then the RBAC of the API server decides',
  ],
}

const FORWARD: Readonly<Record<Answers['wayOut'], readonly string[]>> = {
  headers: ['    forward: { headers: kubernetes } # X-Remote-User, X-Remote-Group, …'],
  token: [
    '    forward:',
    '      bearer: { mint: { audience: app } } # Authorization: Bearer, an ID token for "app"',
  ],
  certificate: [
    '    forward:',
    '      certificate: # in the TLS handshake, minted by the signer for this identity',
    '        ca: app',
    '        subject: { CN: identity.user, O: identity.groups }',
  ],
}

const envoyLines = (answers: Answers): readonly string[] => {
  const { upstream, upstreamCa, waysIn, wayOut, port } = answers
  const file = (path: string): string => quoted(path)
  return [
    '# From this, `countersign up` and `countersign envoy generate` write the configuration of Envoy.',
    'envoy:',
    '  listener:',
    `    address: 127.0.0.1:${port} # 0.0.0.0:${port} for other machines`,
    '    certificate: tls/edge.pem',
    '    key: tls/edge.key',
    ...(waysIn.includes('certificate') ? ['    clientCa: ca/ca.pem'] : []),
    '    # redirect: { address: 127.0.0.1:8080 } # from HTTP',
    ...(wayOut === 'certificate' ? ['  signerAddress: unix:run/signer.sock'] : []),
    '  upstreams:',
    '    app:',
    `      address: ${file(upstream.address)}${upstream.tls ? '' : ' # HTTP without TLS'}`,
    ...(upstreamCa === undefined ? [] : [`      ca: ${file(upstreamCa)}`]),
    ...(upstream.plaintext ? ['      plaintext: true # a mesh or tunnel must encrypt it'] : []),
  ]
}

/** signer.yaml, where a route forwards certificates. */
export const signerText = (): string =>
  [
    modeline('signer'),
    '# The signer mints the client certificates that Envoy presents. The upstream must trust signer-ca/ca.pem.',
    'version: 1',
    'listen: unix:run/signer.sock',
    'keyring: file:grant.keys',
    'authorities:',
    '  app: { certificate: signer-ca/ca.pem, key: file:signer-ca/ca.key }',
    'audit: { file: issued.jsonl }',
    '',
  ].join('\n')

/** users.yaml, with one user. */
export const usersText = (user: string, hash: string): string =>
  [
    modeline('users'),
    '# Another user: countersign hash-password makes the hash.',
    stringify({ users: { [user]: { password: hash, groups: ['dev'] } } }, { lineWidth: 0 }),
  ].join('\n')
