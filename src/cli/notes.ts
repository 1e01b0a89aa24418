// Examples and exit codes of each command: what its help and docs/reference/cli.md end with. A command whose own help
// has examples has none here.

import type { Command } from 'commander'

/** What a command's help ends with. */
export interface CommandNotes {
  /** Lines of a shell. */
  readonly examples?: readonly string[]
  /** What each exit code means. Where there is a 2, invalid options end with it, else with 1. */
  readonly exitCodes: Readonly<Record<number, string>>
}

const WRITTEN = { 0: 'it was written', 1: 'it was not written, or the options are invalid' }
const SERVICE = { 0: 'ended by a signal', 1: 'the configuration has problems, or it cannot listen' }
const KEYS = { 0: 'done', 1: 'nothing was changed, or the options are invalid' }
const INVALID = 'the options are invalid'
const SHARED_CONFIG = '--config countersign.yaml'

/** The notes by the words of the command. */
export const NOTES: Readonly<Record<string, CommandNotes>> = {
  authz: { examples: [`countersign authz ${SHARED_CONFIG}`], exitCodes: SERVICE },
  signer: { examples: ['countersign signer --config signer.yaml'], exitCodes: SERVICE },
  metrics: {
    examples: [
      'countersign metrics --listen 0.0.0.0:9091 --signer unix:/run/countersign/signer-admin.sock --envoy unix:/run/countersign/envoy-admin.sock',
      'countersign metrics --listen 0.0.0.0:9091 --signer unix:/run/countersign/signer-admin.sock --traces http://127.0.0.1:4318/v1/traces',
    ],
    exitCodes: { 0: 'ended by a signal', 1: 'it cannot listen, or the options are invalid' },
  },
  up: {
    examples: [`countersign up ${SHARED_CONFIG}`],
    exitCodes: { 0: 'ended by a signal', 1: 'a process could not start, or ended by itself' },
  },
  init: { exitCodes: { 0: 'everything was written', 1: 'something was not written' } },
  validate: {
    examples: [
      `countersign validate ${SHARED_CONFIG}`,
      `countersign validate ${SHARED_CONFIG} --signer signer.yaml --strict`,
    ],
    exitCodes: { 0: 'valid', 1: 'there are problems; with --strict, or warnings' },
  },
  doctor: {
    examples: [`countersign doctor ${SHARED_CONFIG}`],
    exitCodes: { 0: 'no errors', 1: 'there are errors; with --strict, or warnings' },
  },
  schema: { exitCodes: WRITTEN },
  test: {
    examples: [`countersign test ${SHARED_CONFIG} --strict`],
    exitCodes: {
      0: 'all pass',
      1: 'one fails; with --strict, or there are warnings or rules that no test covers',
      2: `the configuration cannot be used, or ${INVALID}`,
    },
  },
  'openapi list': {
    examples: ['countersign openapi list api.yaml'],
    exitCodes: { 0: 'listed', 2: `the description cannot be read, or ${INVALID}` },
  },
  'openapi diff': {
    examples: [`countersign openapi diff old.yaml new.yaml ${SHARED_CONFIG}`],
    exitCodes: {
      0: 'every rule matches as many operations as it needs',
      1: 'a rule would no longer match any operation',
      2: `a file cannot be read, or ${INVALID}`,
    },
  },
  replay: {
    examples: [
      `countersign replay ${SHARED_CONFIG} audit.jsonl*`,
      'countersign replay --config next.yaml --route kubernetes audit-*.jsonl.gz',
    ],
    exitCodes: {
      0: 'no decision changes',
      1: 'a decision changes; with --strict, or is undetermined, or a line cannot be read',
      2: `the configuration cannot be used, the files have no decision, or ${INVALID}`,
    },
  },
  debug: {
    examples: [
      'countersign debug --user alice --for 10m',
      'countersign debug --route kubernetes --source 10.0.0.0/8 --json',
    ],
    exitCodes: {
      0: 'the time is over',
      1: `the socket cannot be used, authz closed the connection, or ${INVALID}`,
    },
  },
  'audit list': {
    examples: [
      'countersign audit list --user alice --decision deny audit*.jsonl*',
      'countersign audit list --follow audit.jsonl',
    ],
    exitCodes: {
      0: 'events were found',
      1: 'no event was found',
      2: `a file cannot be read, or ${INVALID}`,
    },
  },
  'audit verify': {
    examples: ['countersign audit verify --key audit.pub audit*.jsonl*'],
    exitCodes: {
      0: 'the log is intact',
      1: 'something is wrong with it',
      2: `a file cannot be read, or ${INVALID}`,
    },
  },
  'audit public-key': {
    examples: ['countersign audit public-key audit.key > audit.pub'],
    exitCodes: { 0: 'printed', 1: 'the key cannot be read or used' },
  },
  'audit forward': {
    examples: ['countersign audit forward --config signer.yaml --admin unix:forward.sock'],
    exitCodes: {
      0: 'a signal ended it',
      1: 'the configuration or a file that it names cannot be used, or another process forwards',
    },
  },
  trace: {
    exitCodes: {
      0: 'events were found, and agree',
      1: 'no event was found',
      2: `a file cannot be read, or ${INVALID}`,
      3: 'events contradict each other',
    },
  },
  reason: { exitCodes: { 0: 'printed', 1: 'there is no such code' } },
  explain: {
    examples: [
      `countersign explain ${SHARED_CONFIG} -- curl -u alice: https://kube.example.org/api/v1/pods`,
      `countersign explain ${SHARED_CONFIG} --user alice --group dev --host kube.example.org --path /api/v1/pods`,
      `countersign explain ${SHARED_CONFIG} --decision 0b2c6b1e-0000-4000-8000-000000000001`,
    ],
    exitCodes: {
      0: 'the request is allowed',
      1: 'the request is refused',
      2: `the decision is undetermined, the configuration cannot be used, or ${INVALID}`,
    },
  },
  'envoy generate': {
    examples: [`countersign envoy generate ${SHARED_CONFIG} --output envoy.yaml`],
    exitCodes: WRITTEN,
  },
  'envoy snippet': { exitCodes: WRITTEN },
  'envoy istio': {
    examples: [
      `countersign envoy istio ${SHARED_CONFIG} --namespace istio-ingress --output envoyfilter.yaml`,
    ],
    exitCodes: WRITTEN,
  },
  'envoy lint': {
    exitCodes: {
      0: 'no errors',
      1: 'a setting is missing or dangerous; with --strict, or there are warnings',
      2: `the configuration cannot be read, or ${INVALID}`,
    },
  },
  'hash-password': {
    examples: [
      'countersign hash-password',
      'countersign hash-password --user alice >> users.htpasswd',
    ],
    exitCodes: { 0: 'printed', 1: 'there is no password, or the options are invalid' },
  },
  'ca create': { exitCodes: WRITTEN },
  'ca server': {
    examples: ['countersign ca server --ca ca --dns app.example.org --ip 10.0.0.7 --out tls'],
    exitCodes: WRITTEN,
  },
  'ca client': {
    examples: ['countersign ca client --ca ca --user alice --group dev --out alice'],
    exitCodes: WRITTEN,
  },
  'ca csr': {
    examples: ['countersign ca csr --dns app.example.org --out tls'],
    exitCodes: WRITTEN,
  },
  'ca sign': {
    examples: [
      'countersign ca sign --ca ca --csr request.csr --profile server --dns app.example.org --output app.pem',
    ],
    exitCodes: WRITTEN,
  },
  'ca show': {
    examples: ['countersign ca show tls/server.pem'],
    exitCodes: { 0: 'printed', 1: 'the file cannot be read' },
  },
  'keys grant': { examples: ['countersign keys grant grant.keys'], exitCodes: KEYS },
  'keys api': {
    examples: ['countersign keys api --user ci --groups deploy --expires 90d --file api-keys.yaml'],
    exitCodes: KEYS,
  },
  'keys signing create': {
    examples: ['countersign keys signing create signing-keys'],
    exitCodes: KEYS,
  },
  'keys signing show': {
    examples: ['countersign keys signing show signing-keys'],
    exitCodes: { 0: 'authz accepts the folder', 1: 'authz would refuse the folder' },
  },
  'keys signing rotate': {
    examples: ['countersign keys signing rotate signing-keys'],
    exitCodes: KEYS,
  },
  'keys signing revoke': {
    examples: ['countersign keys signing revoke signing-keys KID'],
    exitCodes: KEYS,
  },
  'keys signing prune': {
    examples: ['countersign keys signing prune signing-keys'],
    exitCodes: KEYS,
  },
  login: { exitCodes: { 0: 'logged in', 1: 'the login failed', 2: INVALID } },
  logout: {
    exitCodes: { 0: 'logged out', 1: 'a token could not be revoked', 2: INVALID },
  },
  credential: {
    exitCodes: { 0: 'a token was printed', 1: 'a login is required first', 2: INVALID },
  },
  kubeconfig: { exitCodes: { 0: 'written', 1: 'a file cannot be used', 2: INVALID } },
  'sessions list': {
    examples: [`countersign sessions list ${SHARED_CONFIG} --user alice`],
    exitCodes: { 0: 'listed', 1: 'the state cannot be used' },
  },
  'sessions end': {
    examples: [`countersign sessions end ${SHARED_CONFIG} --user alice`],
    exitCodes: { 0: 'ended', 1: 'no such login, or the state cannot be used' },
  },
  'state backup': {
    examples: [`countersign state backup ${SHARED_CONFIG} --output state-backup.db`],
    exitCodes: { 0: 'the copy is complete', 1: 'nothing was written' },
  },
  health: {
    examples: ['countersign health --address unix:run/authz.sock'],
    exitCodes: { 0: 'it serves', 1: 'it does not serve, or does not answer' },
  },
  completion: { exitCodes: { 0: 'printed', 1: 'there is no such shell' } },
}

/** The exit code of invalid options: of the command that a command line names. */
export const usageExitCode = (words: readonly string[]): number => {
  const named = [3, 2, 1].map((count) => NOTES[words.slice(0, count).join(' ')])
  return named.find((notes) => notes !== undefined)?.exitCodes[2] === undefined ? 1 : 2
}

/** Ends the help of a command, and of those below it, with examples and exit codes. */
export const addNotes = (command: Command, above: readonly string[] = []): void => {
  const words = [...above, command.name()]
  const notes = NOTES[words.join(' ')]
  if (notes !== undefined) command.addHelpText('after', notesText(notes))
  for (const part of command.commands) addNotes(part, words)
}

/** The notes as the help has them. */
export const notesText = ({ examples = [], exitCodes }: CommandNotes): string =>
  [
    ...(examples.length === 0 ? [] : ['', 'Examples:', ...examples.map((line) => `  ${line}`)]),
    '',
    'Exit codes:',
    ...Object.entries(exitCodes).map(([code, meaning]) => `  ${code}  ${meaning}`),
  ].join('\n')
