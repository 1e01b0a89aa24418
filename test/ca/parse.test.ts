// The signer's configuration: what is taken, with its defaults, and every problem of what is not.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ConfigurationFiles } from '../../src/config/files.ts'
import { formatProblem } from '../../src/config/problem.ts'
import { parseSignerConfig, readSignerConfig } from '../../src/ca/parse.ts'
import type { SignerConfig } from '../../src/ca/schema.ts'
import { PURPOSES } from '../../src/x509/oid.ts'

const FILE = '/etc/countersign/signer.yaml'

const LEAST = {
  version: 'version: 1',
  listen: 'listen: unix:run/signer.sock',
  authorities: "authorities: { kube: { certificate: ca.pem, key: 'file:ca.key' } }",
  more: '',
}

const textOf = (changes: Partial<typeof LEAST>): string =>
  Object.values({ ...LEAST, ...changes }).join('\n')

const parse = (changes: Partial<typeof LEAST> = {}): SignerConfig => {
  const result = parseSignerConfig(FILE, textOf(changes))
  assert.ok(result.ok, result.ok ? '' : result.problems.map(formatProblem).join('\n'))
  return result.value
}

const problemsIn = (changes: Partial<typeof LEAST>): readonly string[] => {
  const result = parseSignerConfig(FILE, textOf(changes))
  return result.ok ? [] : result.problems.map(formatProblem)
}

const withLimits = (limits: string): Partial<typeof LEAST> => ({
  authorities: `authorities: { kube: { certificate: ca.pem, key: 'file:ca.key', limits: ${limits} } }`,
})

describe('a minimal configuration of a signer', () => {
  const config = parse()

  it('has defaults for all other keys', () => {
    assert.deepEqual(config, {
      version: 1,
      listen: { address: { kind: 'unix', path: '/etc/countersign/run/signer.sock' }, mode: '0660' },
      maxStreams: 5_000,
      keyring: { kind: 'file', path: '/etc/countersign/grant.keys' },
      authorities: {
        kube: {
          certificate: '/etc/countersign/ca.pem',
          key: { kind: 'file', path: '/etc/countersign/ca.key' },
          keys: 'p256',
          limits: {
            lifetime: 86_400_000,
            subject: { CN: ['*'], O: ['*'] },
            subjectAltName: { dns: [], uri: [], email: [], ip: [], upn: [] },
            reserved: [],
            keyUsage: ['digitalSignature', 'keyEncipherment'],
            extendedKeyUsage: [PURPOSES.clientAuth],
            policies: [],
            extensions: [],
            rate: { perSecond: 200, burst: 2_000 },
          },
        },
      },
      audit: { spool: { maxBytes: 1_073_741_824, whenFull: 'refuse' } },
      log: { level: 'info' },
    })
  })

  it('is deeply frozen', () => {
    assert.ok(Object.isFrozen(config.authorities['kube']?.limits.subject))
  })
})

describe('a complete configuration of a signer', () => {
  it('is accepted by the schema', () => {
    const config = parse({
      listen:
        "listen: { address: 'unix:/run/s.sock', mode: '0600', owner: 101, group: 4294967294 }",
      authorities: `
authorities:
  kube:
    certificate: ca.pem
    key: env:CA_KEY
    passphrase: file:ca.pass
    keys: rsa4096
    limits:
      lifetime: 90m
      subject: { CN: [a*], 2.5.4.11: ['*'], '*': [] }
      subjectAltName: { dns: ['*.a'], uri: ['spiffe://a/*'], email: ['*@a'], ip: [10.0.0.0/8, ::1], upn: ['*@a'] }
      reserved: ['system:nodes']
      keyUsage: [digitalSignature]
      extendedKeyUsage: [serverAuth, 1.3.6.1.4.1.311.20.2.2]
      policies: [1.2.3]
      extensions: [1.3.6.1.4.1.311.25.2]
      rate: { perSecond: 0.5, burst: 10 }`,
      more: 'keyring: env:GRANT_KEYS\naudit: { file: issued.jsonl }\nlog: { level: debug }',
    })
    const { listen, keyring, audit } = config
    assert.deepEqual(listen, {
      address: { kind: 'unix', path: '/run/s.sock' },
      mode: '0600',
      owner: 101,
      group: 4_294_967_294,
    })
    assert.deepEqual(keyring, { kind: 'environment', variable: 'GRANT_KEYS' })
    assert.equal(audit.file, '/etc/countersign/issued.jsonl')
    const { limits, passphrase } = config.authorities['kube'] ?? assert.fail()
    assert.equal(limits.lifetime, 5_400_000)
    assert.deepEqual(limits.extendedKeyUsage, [PURPOSES.serverAuth, PURPOSES.smartcardLogon])
    assert.deepEqual(passphrase, { kind: 'file', path: '/etc/countersign/ca.pass' })
  })
})

describe('a problem of a signer’s configuration', () => {
  const CASES: readonly {
    readonly name: string
    readonly text: Partial<typeof LEAST>
    readonly want: RegExp
  }[] = [
    {
      name: 'an unknown key',
      text: { more: 'more: 1' },
      want: /signer\.yaml:4:1: more: unknown key/,
    },
    { name: 'an unknown version', text: { version: 'version: 2' }, want: /:1:1: version: / },
    {
      name: 'a TCP address',
      text: { listen: 'listen: 127.0.0.1:80' },
      want: /:2:1: listen: must be "unix:PATH"/,
    },
    {
      name: 'a TCP address, written out',
      text: { listen: "listen: { address: 'a:80' }" },
      want: /listen\.address: must be "unix:PATH"/,
    },
    {
      name: 'a mode with permissions for other users',
      text: { listen: "listen: { address: 'unix:s', mode: '0666' }" },
      want: /listen\.mode: must be an octal file mode .* without permissions/,
    },
    {
      name: 'a mode that lets other users read',
      text: { listen: "listen: { address: 'unix:s', mode: '0664' }" },
      want: /listen\.mode/,
    },
    {
      name: 'a mode that is a number',
      text: { listen: "listen: { address: 'unix:s', mode: 0660 }" },
      want: /listen\.mode/,
    },
    {
      name: 'a group by name',
      text: { listen: "listen: { address: 'unix:s', group: envoy }" },
      want: /listen\.group/,
    },
    {
      name: 'the group id 4294967295, which means none',
      text: { listen: "listen: { address: 'unix:s', group: 4294967295 }" },
      want: /listen\.group/,
    },
    {
      name: 'a key in the configuration',
      text: { authorities: 'authorities: { kube: { certificate: c, key: MIIabc } }' },
      want: /authorities\.kube\.key: must be a reference/,
    },
    {
      name: 'a signer without a CA',
      text: { authorities: 'authorities: {}' },
      want: /authorities: must name at least one CA/,
    },
    {
      name: 'an empty list of authorities',
      text: { authorities: '' },
      want: /authorities: required, but missing/,
    },
    {
      name: 'an invalid name of a CA',
      text: { authorities: "authorities: { Kube: { certificate: c, key: 'file:k' } }" },
      want: /authorities\.Kube: must be 1 to 63 lower-case/,
    },
    {
      name: 'an unknown kind of key',
      text: {
        authorities: "authorities: { kube: { certificate: c, key: 'file:k', keys: rsa1024 } }",
      },
      want: /authorities\.kube\.keys/,
    },
    {
      name: 'an unknown attribute',
      text: withLimits('{ subject: { XX: [a] } }'),
      want: /limits\.subject\.XX: must be one of CN, SN, .* OID, or "\*"/,
    },
    {
      name: 'an attribute named like a property of Object',
      text: withLimits('{ subject: { constructor: [a] } }'),
      want: /limits\.subject\.constructor/,
    },
    {
      name: 'an empty pattern',
      text: withLimits("{ subject: { CN: [''] } }"),
      want: /limits\.subject\.CN\[0\]/,
    },
    {
      name: 'an invalid network',
      text: withLimits('{ subjectAltName: { ip: [10.0.0.0/33] } }'),
      want: /limits\.subjectAltName\.ip\[0\]: must be an IP address or a network/,
    },
    {
      name: 'an invalid IPv6 network',
      text: withLimits("{ subjectAltName: { ip: ['::/129'] } }"),
      want: /limits\.subjectAltName\.ip\[0\]/,
    },
    {
      name: 'an invalid address',
      text: withLimits('{ subjectAltName: { ip: [10.0.0] } }'),
      want: /limits\.subjectAltName\.ip\[0\]/,
    },
    {
      name: 'an alternative name of an unknown kind',
      text: withLimits('{ subjectAltName: { directory: [a] } }'),
      want: /limits\.subjectAltName\.directory: unknown key/,
    },
    {
      name: 'a name in allowReserved that is not reserved',
      text: withLimits('{ reserved: [masters] }'),
      want: /limits\.reserved\[0\]: must begin with "system:"/,
    },
    {
      name: 'a pattern in allowReserved',
      text: withLimits("{ reserved: ['system:*'] }"),
      want: /limits\.reserved\[0\]: must .* written out/,
    },
    {
      name: 'keyCertSign',
      text: withLimits('{ keyUsage: [keyCertSign] }'),
      want: /limits\.keyUsage\[0\]/,
    },
    {
      name: 'cRLSign',
      text: withLimits('{ keyUsage: [digitalSignature, cRLSign] }'),
      want: /limits\.keyUsage\[1\]/,
    },
    { name: 'no key usages', text: withLimits('{ keyUsage: [] }'), want: /limits\.keyUsage/ },
    {
      name: 'no extended key usage',
      text: withLimits('{ extendedKeyUsage: [] }'),
      want: /limits\.extendedKeyUsage/,
    },
    {
      name: 'an unknown purpose',
      text: withLimits('{ extendedKeyUsage: [client] }'),
      want: /limits\.extendedKeyUsage\[0\]: must be one of any, serverAuth/,
    },
    {
      name: 'a policy that is not an OID',
      text: withLimits('{ policies: [strict] }'),
      want: /limits\.policies\[0\]: must be an OID/,
    },
    {
      name: 'an extension with a limit of its own',
      text: withLimits('{ extensions: [2.5.29.17] }'),
      want: /limits\.extensions\[0\]: has a limit of its own/,
    },
    {
      name: 'an extension of CAs',
      text: withLimits('{ extensions: [2.5.29.30] }'),
      want: /limits\.extensions\[0\]: belongs to a CA and is never issued/,
    },
    {
      name: 'a rate of 0',
      text: withLimits('{ rate: { perSecond: 0 } }'),
      want: /limits\.rate\.perSecond/,
    },
    {
      name: 'a burst of 0',
      text: withLimits('{ rate: { burst: 0 } }'),
      want: /limits\.rate\.burst/,
    },
    {
      name: 'a lifetime without a unit',
      text: withLimits('{ lifetime: 3600 }'),
      want: /limits\.lifetime/,
    },
  ]
  for (const { name, text, want } of CASES) {
    it(`reports a problem: ${name}`, () => {
      const problems = problemsIn(text)
      assert.equal(problems.length, 1, problems.join('\n'))
      assert.match(problems[0] ?? '', want)
    })
  }

  it('is reported together with all other problems', () => {
    const problems = problemsIn({
      version: 'version: 3',
      listen: 'listen: nonsense',
      ...withLimits('{ reserved: [x], policies: [y], z: 1 }'),
    })
    assert.equal(problems.length, 5, problems.join('\n'))
  })
})

describe('a signer’s configuration file', () => {
  it('is read from disk', async () => {
    await assert.rejects(readSignerConfig('/nonexistent/signer.yaml', new ConfigurationFiles()), {
      code: 'file-unreadable',
    })
  })
})
