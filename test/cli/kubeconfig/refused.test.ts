// What `countersign kubeconfig` refuses: options that are missing, do not belong together or cannot be used.

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { createPki, type Pki } from '../../servers/pki.ts'
import { temporaryFolder } from '../../servers/temporary.ts'
import { words, write } from './writing.ts'

describe('the options of countersign kubeconfig', { concurrency: 2 }, () => {
  const owned = new AsyncDisposableStack()
  let pki: Pki
  before(async () => {
    pki = owned.use(await createPki())
  })
  after(() => owned.disposeAsync())

  const MISUNDERSTOOD: readonly { name: string; args: () => readonly string[]; says: RegExp }[] = [
    {
      name: 'the former name of --auth-method',
      args: () => ['--way', 'exec'],
      says: /option '--way' is now '--auth-method'/,
    },
    {
      name: 'a missing --auth-method',
      args: () => [],
      says: /required option '--auth-method <method>'/,
    },
    {
      name: 'an unknown --auth-method',
      args: () => ['--auth-method', 'cookie'],
      says: /Allowed choices are password/,
    },
    {
      name: 'a server without TLS',
      args: () => ['--auth-method', 'exec', '--server', 'http://kube'],
      says: /must be an https URL/,
    },
    {
      name: 'a missing issuer',
      args: () => ['--auth-method', 'exec'],
      says: /--auth-method exec needs --issuer/,
    },
    {
      name: 'a missing certificate',
      args: () => ['--auth-method', 'certificate'],
      says: /needs --client-certificate/,
    },
    { name: 'a missing token', args: () => ['--auth-method', 'token'], says: /needs --token-file/ },
    {
      name: 'the key of another certificate',
      args: () => [
        ...words('--auth-method', 'certificate', '--client-certificate', pki.alice.certificate),
        ...words('--client-key', pki.edge.key),
      ],
      says: /edge\.key is not the key of \S+alice\.pem/,
    },
    {
      name: 'a malformed certificate',
      args: () => [
        ...words('--auth-method', 'certificate', '--client-certificate', pki.alice.key),
        ...words('--client-key', pki.alice.key),
      ],
      says: /alice\.key contains no certificate/,
    },
    {
      name: 'a malformed key',
      args: () => [
        ...words('--auth-method', 'certificate', '--client-certificate', pki.alice.certificate),
        ...words('--client-key', pki.ca),
      ],
      says: /contains no private key/,
    },
    {
      name: 'a malformed CA',
      args: () => ['--auth-method', 'password', '--ca', pki.alice.key],
      says: /contains no certificate/,
    },
    {
      name: 'a CA file that does not exist',
      args: () => ['--auth-method', 'password', '--ca', '/nowhere'],
      says: /\/nowhere cannot be read/,
    },
    {
      name: 'a password without a user',
      args: () => ['--auth-method', 'password', '--password-file', pki.ca],
      says: /requires --user/,
    },
    {
      name: 'a password of several lines',
      args: () => ['--auth-method', 'password', '--user', 'a', '--password-file', pki.ca],
      says: /must contain one line with the password/,
    },
    {
      name: 'a user with a colon',
      args: () => ['--auth-method', 'password', '--user', 'a:b', '--password-file', pki.ca],
      says: /must not contain a colon/,
    },
    {
      name: 'options of another --auth-method',
      args: () => ['--auth-method', 'password', '--issuer', 'https://id.example.org'],
      says: /--issuer has no effect with --auth-method password/,
    },
    {
      name: 'a merge into standard output',
      args: () => ['--auth-method', 'password', '--merge', '-o', '-'],
      says: /the file is written to standard output/,
    },
  ]
  for (const { name, args, says } of MISUNDERSTOOD) {
    it(`ends with 2 for ${name}`, async () => {
      await using folder = await temporaryFolder()
      const { status, stdout, stderr } = await write(folder, args())
      assert.deepEqual([status, stdout], [2, ''])
      assert.match(stderr, says)
    })
  }
})
