// What the command says of itself, and how it refuses what it does not know.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { countersign, countersignProcess } from './run.ts'

describe('--help', { concurrency: true }, () => {
  const COMMANDS: readonly { args: readonly string[]; says: readonly RegExp[] }[] = [
    {
      args: [],
      says: [/authz/, /signer/, /up/, /validate/, /envoy/, /keys/, /hash-password/, /health/],
    },
    {
      args: ['authz'],
      says: [/--config <file>/, /COUNTERSIGN_CONFIG/, /SIGHUP/, /SIGUSR2/, /SIGTERM/],
    },
    { args: ['signer'], says: [/--config <file>/, /COUNTERSIGN_SIGNER_CONFIG/, /SIGHUP/] },
    { args: ['up'], says: [/--config <file>/, /--envoy <program>/, /ENVOY_BIN/] },
    { args: ['validate'], says: [/--config <file>/, /--signer <file>/, /list all/] },
    { args: ['envoy'], says: [/generate/] },
    {
      args: ['envoy', 'istio'],
      says: [/--config <file>/, /--trusted-hops <number>/, /--signer <unix:path>/, /EnvoyFilter/],
    },
    { args: ['envoy', 'generate'], says: [/--config <file>/, /--output <file>/] },
    {
      args: ['ca'],
      says: [/create/, /server/, /client/, /csr/, /sign/, /show <file>/, /never replaced without/],
    },
    {
      args: ['ca', 'create'],
      says: [/--issuer <dir>/, /--key <kind>/, /--permit-dns <domain>/, /--force/, /mode 0600/],
    },
    {
      args: ['ca', 'sign'],
      says: [/--csr <file>/, /--profile <profile>/, /Extensions of the request are never copied/],
    },
    { args: ['keys'], says: [/grant/, /api/, /signing/] },
    {
      args: ['keys', 'api'],
      says: [/--user <name>/, /--groups/, /--expires/, /--id/, /--file/, /revoke a key/, /csk_/],
    },
    { args: ['keys', 'grant'], says: [/--add/, /--promote/, /--prune <count>/, /--mode <mode>/] },
    {
      args: ['login'],
      says: [/--issuer <url>/, /--device/, /--no-browser/, /mode 0600/, /Examples:/],
    },
    { args: ['logout'], says: [/--all/, /revoke/, /Examples:/] },
    {
      args: ['credential'],
      says: [
        /--token <kind>/,
        /client\.authentication\.k8s\.io\/v1/,
        /no user name and password/,
        /Examples:/,
      ],
    },
    {
      args: ['kubeconfig'],
      says: [/--auth-method <method>/, /--merge/, /--password-file <file>/, /0600/, /Examples:/],
    },
    {
      args: ['trace'],
      says: [/--audit <files...>/, /--issuance/, /--kube-audit/, /X509SHA256/, /Exit codes: 0 /],
    },
    { args: ['hash-password'], says: [/--algorithm <name>/, /--user <name>/, /standard input/] },
  ]
  for (const { args, says } of COMMANDS) {
    it(`describes the command ${['countersign', ...args].join(' ')}`, async () => {
      const { status, stdout, stderr } = await countersign([...args, '--help'])
      assert.equal(status, 0)
      assert.equal(stderr, '')
      assert.match(stdout, new RegExp(`^Usage: ${['countersign', ...args].join(' ')} `))
      const text = stdout.replaceAll(/\s+/g, ' ')
      for (const pattern of says) assert.match(text, pattern)
    })
  }
})

describe('a wrong command line', { concurrency: true }, () => {
  const CASES: readonly { name: string; args: readonly string[]; says: RegExp }[] = [
    { name: 'without a command', args: [], says: /^Usage: countersign / },
    {
      name: 'with an unknown option',
      args: ['validate', '--thoroughly'],
      says: /unknown option '--thoroughly'/,
    },
    {
      name: 'with a value that is not one of the choices',
      args: ['hash-password', '-a', 'md5'],
      says: /Allowed choices are argon2id, bcrypt/,
    },
  ]
  for (const { name, args, says } of CASES) {
    it(`${name} fails and lists what is possible`, async () => {
      const { status, stdout, stderr } = await countersign(args)
      assert.equal(status, 1)
      assert.equal(stdout, '')
      assert.match(stderr, says)
    })
  }
})

describe('the process of a command', { concurrency: true }, () => {
  const CASES: readonly { args: readonly string[]; input?: string; want: number; says: RegExp }[] =
    [
      { args: ['--version'], want: 0, says: /^\d+\.\d+\.\d+\n$/ },
      {
        args: ['hash-password', '-u', 'alice'],
        input: 'secret',
        want: 0,
        says: /^alice:\$argon2id\$/,
      },
      { args: ['validate', '--thoroughly'], want: 1, says: /^error: unknown option/ },
      { args: ['explain', '--thoroughly'], want: 2, says: /^error: unknown option/ },
    ]
  for (const { args, input, want, says } of CASES) {
    it(`${args.join(' ')}: ends with ${want}`, async () => {
      const { status, stdout, stderr } = await countersignProcess(args, input)
      assert.equal(status, want)
      assert.match(want === 0 ? stdout : stderr, says)
      assert.equal(want === 0 ? stderr : stdout, '')
    })
  }
})
