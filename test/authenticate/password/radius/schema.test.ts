// The `radius` section: each problem at the field that it is in, of the text and of the files that it names.

import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { temporaryFolder } from '../../../servers/temporary.ts'
import { checkAll, type Sections } from '../../../configuration/sections.ts'
import { buildFrom } from '../../building.ts'

const SERVER = { host: 'radius.example.org', secret: 'env:RADIUS_SECRET' }

const radius = (section: Readonly<Record<string, unknown>>): Sections => {
  const verify = [{ radius: { servers: [SERVER], ...section } }]
  return { authenticators: `authenticators: ${JSON.stringify({ staff: { basic: { verify } } })}` }
}

const at = (field: string, message: string): RegExp =>
  new RegExp(`^${RegExp.escape(`authenticators.staff.basic.verify[0].radius${field}: ${message}`)}`)

describe('the `radius` section', () => {
  checkAll([
    { name: 'is accepted with a server and its secret', input: radius({}), want: [] },
    {
      name: 'is accepted with an IPv6 address and a port',
      input: radius({ servers: [{ ...SERVER, host: '[2001:db8::1]:1645' }] }),
      want: [],
    },
    {
      name: 'is refused with a host that is a URL, and a port beyond 65535',
      input: radius({
        servers: [
          { ...SERVER, host: 'radius://a' },
          { ...SERVER, host: 'a:65536' },
        ],
      }),
      want: [
        at('.servers[0].host', 'must be HOST or HOST:PORT'),
        at('.servers[1].host', 'the port must be 0 to 65535'),
      ],
    },
    {
      name: 'is refused with a server that has neither a secret nor TLS',
      input: radius({ servers: [SERVER, { host: 'a' }] }),
      want: [at('.servers[1]', 'needs a "secret", or "tls"')],
    },
    {
      name: 'is refused with a NAS-Identifier that an attribute cannot carry',
      input: radius({ nasIdentifier: 'ä'.repeat(127) }),
      want: [at('.nasIdentifier', 'must have at most 253 bytes')],
    },
    {
      name: 'is refused with a pattern that is not a regular expression',
      input: radius({ groups: [{ attribute: 'Class' }, { attribute: 'Class', pattern: '(' }] }),
      want: [at('.groups[1].pattern', 'must be a regular expression')],
    },
  ])
})

describe('the files of the `radius` section', () => {
  it('are problems at their fields where they cannot be read or used', async () => {
    await using folder = await temporaryFolder()
    await writeFile(folder.file('empty'), '\n')
    await writeFile(folder.file('text'), 'text')
    const problemsOf = async (servers: readonly unknown[]): Promise<readonly string[]> => {
      const section = { basic: { verify: [{ radius: { servers } }] } }
      await using built = await buildFrom(folder.file('countersign.yaml'), JSON.stringify(section))
      return built.located
    }
    const missing = await problemsOf([
      { host: 'a', secret: 'file:empty' },
      { host: 'b', secret: 'file:none' },
      { host: 'c', tls: { ca: 'no-ca', client: { certificate: 'text', key: 'file:no-key' } } },
    ])
    const unusable = await problemsOf([
      { host: 'a', secret: 'file:empty' },
      { host: 'b', tls: { ca: 'text' } },
    ])
    const field = 'authenticators\\.staff\\.basic\\.verify\\[0\\]\\.radius\\.servers'
    const want = [
      new RegExp(`:\\d+:\\d+: ${field}\\[1\\]\\.secret: .*/none does not exist$`),
      new RegExp(`:\\d+:\\d+: ${field}\\[2\\]\\.tls\\.ca: .*/no-ca does not exist$`),
      new RegExp(`:\\d+:\\d+: ${field}\\[2\\]\\.tls\\.client\\.key: .*/no-key does not exist$`),
      new RegExp(`:\\d+:\\d+: ${field}\\[0\\]: the secret for a:1812 is empty`),
      new RegExp(`:\\d+:\\d+: ${field}\\[1\\]\\.tls\\.ca: .*/text holds no certificate in PEM$`),
    ]
    const found = [...missing, ...unusable]
    assert.equal(found.length, want.length, found.join('\n'))
    for (const [index, pattern] of want.entries()) assert.match(found[index] ?? '', pattern)
  })
})
