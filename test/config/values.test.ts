// The small values: what they mean, and what they may not be.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { z } from 'zod'
import {
  addressSchema,
  durationSchema,
  formatAddress,
  isConfidential,
  isLoopback,
  nameSchema,
  pathSchema,
  resolvingFrom,
  type Address,
} from '../../src/config/values.ts'

/** The value, or the first complaint. */
const read = (schema: z.ZodType, input: unknown): unknown =>
  resolvingFrom('/etc/app', () => {
    const result = schema.safeParse(input)
    return result.success ? result.data : `! ${result.error.issues[0]?.message}`
  })

const tcp = (host: string, port: number): Address => ({ kind: 'tcp', host, port })
const unix = (path: string): Address => ({ kind: 'unix', path })

const refuses = (schema: z.ZodType, inputs: readonly unknown[], want: RegExp): void => {
  for (const input of inputs) {
    it(`refuses the value ${JSON.stringify(input)?.slice(0, 40)}`, () => {
      assert.match(String(read(schema, input)), want)
    })
  }
}

describe('a duration in a configuration', () => {
  const CASES = [
    { input: '0s', want: 0 },
    { input: '500ms', want: 500 },
    { input: '30s', want: 30_000 },
    { input: '5m', want: 300_000 },
    { input: '1h', want: 3_600_000 },
    { input: '7d', want: 604_800_000 },
    { input: '007s', want: 7_000 },
  ]
  for (const { input, want } of CASES) {
    it(`${input} is read as ${want} ms`, () => assert.equal(read(durationSchema, input), want))
  }
  const BAD = ['', '5', 's', '-5s', '1.5h', '5 s', '5S', '5m30s', '1w', 's5', '5s\n', '1e3s', '٣s']
  refuses(durationSchema, BAD, /^! must be a duration such as/)
  refuses(durationSchema, ['9999999999s', 5, null], /^! /)
})

describe('an address to listen on', () => {
  const CASES: readonly { input: string; want: Address }[] = [
    { input: '127.0.0.1:9001', want: tcp('127.0.0.1', 9001) },
    { input: 'localhost:0', want: tcp('localhost', 0) },
    { input: 'authz.example.org:65535', want: tcp('authz.example.org', 65_535) },
    { input: '[::1]:9001', want: tcp('::1', 9001) },
    { input: '[2001:db8::7]:1', want: tcp('2001:db8::7', 1) },
    { input: 'unix:/run/authz.sock', want: unix('/run/authz.sock') },
    { input: 'unix:run/authz.sock', want: unix('/etc/app/run/authz.sock') },
    { input: 'unix:../a:b', want: unix('/etc/a:b') },
  ]
  for (const { input, want } of CASES) {
    it(`${input} is read as an address`, () => assert.deepEqual(read(addressSchema, input), want))
  }
  const BAD = ['', '9001', ':9001', 'localhost', 'localhost:', 'unix:', '::1:9001', '[::1]']
  const WORSE = ['http://a:1', 'a:b', 'a b:1', 'a:123456', 'a:-1', 'a:1 ', '[::1', 'a:1:2', 'a/b:1']
  refuses(addressSchema, [...BAD, ...WORSE], /^! must be "unix:PATH" or "HOST:PORT"/)
  refuses(addressSchema, ['a:65536', 'a:99999'], /^! the port must be 0 to 65535/)

  it('may be a UNIX socket with a path of at most 107 bytes', () => {
    const longest = `/run/${'x'.repeat(102)}`
    assert.deepEqual(read(addressSchema, `unix:${longest}`), unix(longest))
    assert.match(String(read(addressSchema, `unix:${longest}x`)), /^! .*at most 107 bytes/)
    assert.match(String(read(addressSchema, `unix:/run/${'ü'.repeat(52)}`)), /^! .*at most 107/)
    // The folder counts, too: what the kernel sees is the absolute path.
    assert.match(String(read(addressSchema, `unix:${'x'.repeat(100)}`)), /^! .*at most 107/)
  })

  it('is written as it was read', () => {
    for (const { want } of CASES) {
      assert.deepEqual(read(addressSchema, formatAddress(want)), want)
    }
  })
})

describe('a loopback address', () => {
  const YES = ['127.0.0.1:1', '127.9.9.9:1', 'localhost:1', '[::1]:1', 'unix:a']
  const NO = [
    '0.0.0.0:1',
    '[::]:1',
    '128.0.0.1:1',
    '127.0.0.1.example.org:1',
    'localhost.evil.example:1',
    '10.0.0.1:1',
  ]
  for (const input of YES)
    it(`is a loopback address: ${input}`, () => assert.ok(isLoopback(addressSchema.parse(input))))
  for (const input of NO)
    it(`is not a loopback address: ${input}`, () =>
      assert.ok(!isLoopback(addressSchema.parse(input))))
})

describe('a URL to which secrets may be sent', () => {
  const YES = [
    'https://id.example.org/token',
    'https://[2001:db8::1]/',
    'http://127.0.0.1:8080/',
    'http://[::1]:8080/token',
    'http://localhost/',
  ]
  const NO = [
    'http://id.example.org/',
    'http://10.0.0.1/',
    'http://[::2]/',
    'http://[::ffff:10.0.0.1]/',
    'http://localhost.example.org/',
    'ftp://127.0.0.1/',
    'ws://localhost/',
  ]
  for (const input of YES) {
    it(`is confidential in transit: ${input}`, () => assert.ok(isConfidential(new URL(input))))
  }
  for (const input of NO) {
    it(`is not confidential in transit: ${input}`, () => assert.ok(!isConfidential(new URL(input))))
  }
})

describe('a name in a configuration', () => {
  for (const input of ['a', '0', 'staff-password', 'a_b', 'x'.repeat(63)]) {
    it(`accepts the name ${input.slice(0, 20)}`, () => assert.equal(read(nameSchema, input), input))
  }
  const BAD = ['', 'A', '-a', '_a', 'a b', 'a.b', 'a/b', 'ü', 'a\n', 'x'.repeat(64), '__proto__']
  refuses(nameSchema, BAD, /^! must be 1 to 63 lower-case letters/)
})

describe('a path in a configuration', () => {
  const CASES = [
    { input: '/etc/x', want: '/etc/x' },
    { input: 'x/y', want: '/etc/app/x/y' },
    { input: '../x', want: '/etc/x' },
    { input: './x y', want: '/etc/app/x y' },
  ]
  for (const { input, want } of CASES) {
    it(`accepts the path ${input}`, () => assert.equal(read(pathSchema, input), want))
  }
  refuses(pathSchema, ['', 5], /^! /)
})

const inner = (): unknown => resolvingFrom('/b', () => pathSchema.parse('x'))

describe('the folder for relative paths', () => {
  it('is restored after a call, also after a throw', () => {
    const outer = resolvingFrom('/a', () => {
      assert.equal(inner(), '/b/x')
      assert.throws(() =>
        resolvingFrom('/c', () => {
          throw new Error('x')
        }),
      )
      return pathSchema.parse('x')
    })
    assert.equal(outer, '/a/x')
  })
})
