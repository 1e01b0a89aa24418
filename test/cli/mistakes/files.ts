// Files that are missing, of another kind, or in folders that are.

import { BASE, ENVOY, SIGNER, TLS, type Mistake } from './site.ts'

const JWKS_AUTHENTICATOR =
  '  tok: { bearer: { issuer: https://id.example.org, audiences: [api], keys: { file: jwks.json } } }\nroutes:'
const TOKENS = [
  ['routes:', JWKS_AUTHENTICATOR],
  ['[staff, cert]', '[staff, tok, cert]'],
] as const

/** The table. */
export const FILE_MISTAKES: readonly Mistake[] = [
  {
    name: 'no configuration',
    edit: BASE,
    config: 'nope.yaml',
    want: ['countersign: nope.yaml does not exist'],
  },
  {
    name: 'a folder as configuration',
    edit: BASE,
    config: '.',
    want: ['countersign: FOLDER is a folder, not a file'],
  },
  {
    name: 'no users file',
    edit: [['users.yaml', 'nope.yaml']],
    want: [
      'countersign.yaml:4:41: authenticators.staff.basic.verify[0].users.file: nope.yaml does not exist',
      '1 problem found.',
    ],
  },
  {
    name: 'PEM as users file',
    edit: [['users.yaml', 'ca.pem']],
    want: ['ca.pem: holds PEM ("CERTIFICATE"), where a users file belongs', '1 problem found.'],
  },
  {
    name: 'PEM as configuration',
    edit: BASE,
    config: 'ca.pem',
    want: ['ca.pem: holds PEM ("CERTIFICATE"), where YAML belongs', '1 problem found.'],
  },
  {
    name: 'a users file in YAML with the name of another kind',
    edit: [['users.yaml', 'users']],
    files: { users: 'users:\n  alice: { password: x }\n' },
    want: [
      'users: has "users:" in it as YAML has: its name must end with ".yaml", or it is read as htpasswd',
      '1 problem found.',
    ],
  },
  {
    name: 'a users file with a plain password',
    edit: BASE,
    files: { 'users.yaml': 'users: { alice: { password: wonderland } }' },
    want: [
      'users.yaml:1:19: users.alice.password: is a plain or DES-crypt password, not a hash: make a new entry with "countersign hash-password"',
      '1 problem found.',
    ],
  },
  {
    name: 'a users file with the dots of the documentation',
    edit: BASE,
    files: { 'users.yaml': 'users: { alice: { password: "$argon2id$v=19$m=19456,t=2,p=1$…" } }' },
    want: [
      'users.yaml:1:19: users.alice.password: is not an argon2id or bcrypt hash: make a new entry with "countersign hash-password"',
      '1 problem found.',
    ],
  },
  {
    name: 'a users file without users',
    edit: BASE,
    files: { 'users.yaml': 'users: {}' },
    want: ['users.yaml: holds no users', '1 problem found.'],
  },
  {
    name: 'htpasswd with a line without a hash',
    edit: [['users.yaml', 'htpasswd']],
    files: { htpasswd: 'alice\nbob\ncarol\ndave\nerin\nfrank\n' },
    want: ['htpasswd:1:1: must be "user:hash", as must 5 lines after it', '1 problem found.'],
  },
  {
    name: 'the configuration as users file',
    edit: [['users.yaml', 'countersign.yaml']],
    want: [
      'countersign.yaml:1:1: this is the configuration of authz (countersign.yaml): it has "authenticators"',
      '1 problem found.',
    ],
  },
  {
    name: 'signer.yaml in the place of countersign.yaml',
    edit: SIGNER,
    want: [
      'countersign.yaml:1:1: this is the configuration of the signer (signer.yaml), which "countersign signer" and "validate --signer" read: it has "authorities"',
      '1 problem found.',
    ],
  },
  {
    name: 'countersign.yaml in the place of signer.yaml',
    edit: BASE,
    signer: BASE,
    want: [
      'signer.yaml:1:1: this is the configuration of authz (countersign.yaml): it has "authenticators"',
      '1 problem found.',
    ],
  },
  {
    name: 'a configuration of Envoy',
    edit: 'static_resources: { listeners: [] }',
    want: [
      'countersign.yaml:1:1: this is a configuration of Envoy, which "countersign envoy lint" reads: it has "static_resources"',
      '1 problem found.',
    ],
  },
  {
    name: 'a Kubernetes manifest',
    edit: 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: x }',
    want: [
      'countersign.yaml:1:1: this is a Kubernetes manifest: it has "apiVersion" and "kind"',
      '1 problem found.',
    ],
  },
  {
    name: 'a JWKS that is not JSON',
    edit: TOKENS,
    files: { 'jwks.json': 'keys' },
    want: [
      'countersign.yaml:6:10: authenticators.tok.bearer: jwks.json is not a JSON Web Key Set: {"keys": [...]}',
      '1 problem found.',
    ],
  },
  {
    name: 'a JWKS without keys',
    edit: TOKENS,
    files: { 'jwks.json': '{ "keys": [] }' },
    want: [
      'countersign.yaml:6:10: authenticators.tok.bearer: jwks.json holds no key that can verify a token',
      '1 problem found.',
    ],
  },
  {
    name: 'no JWKS',
    edit: TOKENS,
    want: [
      'countersign.yaml:6:10: authenticators.tok.bearer: jwks.json does not exist',
      '1 problem found.',
    ],
  },
  {
    name: 'an audit file in a folder that does not exist',
    edit: [['version: 1', 'version: 1\naudit: { file: log/audit.jsonl }']],
    want: [
      'countersign.yaml:2:10: audit.file: the folder log does not exist: make it',
      '1 problem found.',
    ],
  },
  {
    name: 'a folder as audit file',
    edit: [['version: 1', 'version: 1\naudit: { file: . }']],
    want: ['countersign.yaml:2:10: audit.file: FOLDER is a folder, not a file', '1 problem found.'],
  },
  {
    name: 'a database below a file',
    edit: [['version: 1', 'version: 1\nstate: { sqlite: users.yaml/state.db }']],
    want: [
      'countersign.yaml:2:10: state.sqlite: users.yaml is a file, not a folder',
      '1 problem found.',
    ],
  },
  {
    name: 'a users file that everyone may change',
    edit: BASE,
    modes: { 'users.yaml': 0o777 },
    want: [
      'countersign.yaml:4:41: authenticators.staff.basic.verify[0].users.file: users.yaml has mode 0777: every user of this machine can change it (chmod o-w)',
      '1 problem found.',
    ],
  },
  {
    name: 'a keyring that everyone may read',
    edit: [['version: 1', "version: 1\ncertificateGrants: { keyring: 'file:grant.keys' }"]],
    modes: { 'grant.keys': 0o644 },
    want: [
      'countersign.yaml:2:22: certificateGrants.keyring: grant.keys has mode 0644: the keyring of certificate grants is for its owner, and at most for its group to read (chmod 0600; of a Kubernetes secret "defaultMode: 0400", or 0440 with fsGroup)',
      '1 problem found.',
    ],
  },
  {
    name: 'the key of a server that everyone may read',
    edit: [['version: 1', `version: 1\n${ENVOY}`]],
    modes: { 'server.key': 0o644 },
    valid: true,
    want: [
      'countersign.yaml:3:67: warning: envoy.listener.key: server.key has mode 0644: every user of this machine can read the secret (chmod 0600)',
    ],
  },
  {
    name: 'the key of a CA that everyone may read',
    edit: BASE,
    signer: SIGNER,
    modes: { 'ca.key': 0o644 },
    want: [
      'signer.yaml:3:45: authorities.kube.key: ca.key has mode 0644: the key of a CA is for its owner, and at most for its group to read (chmod 0600; of a Kubernetes secret "defaultMode: 0400", or 0440 with fsGroup)',
      '1 problem found.',
    ],
  },
  {
    name: 'a keyring that is none',
    edit: [['version: 1', "version: 1\ncertificateGrants: { keyring: 'file:grant.keys' }"]],
    files: { 'grant.keys': 'secret' },
    want: [
      'countersign.yaml:2:22: certificateGrants.keyring: grant.keys:1 is not a key: 43 characters of base64url (32 bytes)',
      '1 problem found.',
    ],
  },
  {
    name: 'no certificate of Envoy',
    edit: [['version: 1', `version: 1\n${ENVOY.replace('server.pem', 'nope.pem')}`]],
    want: [
      'countersign.yaml:3:42: envoy.listener.certificate: nope.pem does not exist',
      '1 problem found.',
    ],
  },
  {
    name: 'no certificate of authz',
    edit: [['listen: { authz: unix:authz.sock }', TLS.replace('server.pem', 'nope.pem')]],
    want: [
      'countersign.yaml:2:51: listen.authz.tls.certificate: nope.pem does not exist',
      '1 problem found.',
    ],
  },
]
