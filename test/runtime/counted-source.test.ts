// Which addresses count as one source.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { countedSource } from '../../src/runtime/counted-source.ts'

describe('one source', () => {
  const CASES = [
    { name: 'an IPv4 address', input: '203.0.113.7', want: '203.0.113.7' },
    { name: 'the same in IPv6 notation', input: '::ffff:203.0.113.7', want: '203.0.113.7' },
    { name: 'the same in hexadecimal', input: '::FFFF:cb00:7107', want: '203.0.113.7' },
    { name: 'an IPv6 address', input: '2001:db8:1:2:3:4:5:6', want: '2001:db8:1:2:0:0:0:0/64' },
    { name: 'a neighbour of it', input: '2001:DB8:1:2::1', want: '2001:db8:1:2:0:0:0:0/64' },
    {
      name: 'an address with leading zeros',
      input: '2001:0db8:0001:0002::',
      want: '2001:db8:1:2:0:0:0:0/64',
    },
    {
      name: 'an address of another network',
      input: '2001:db8:1:3::1',
      want: '2001:db8:1:3:0:0:0:0/64',
    },
    { name: 'an address with a zone', input: 'fe80::1%eth0', want: 'fe80:0:0:0:0:0:0:0/64' },
    { name: 'the loopback address', input: '::1', want: '0:0:0:0:0:0:0:0/64' },
    {
      name: 'IPv4 at the end of another',
      input: '64:ff9b::203.0.113.7',
      want: '64:ff9b:0:0:0:0:0:0/64',
    },
    { name: 'a UNIX socket', input: '/run/envoy.sock', want: '/run/envoy.sock' },
    { name: 'an empty address', input: '', want: '' },
    { name: 'a text that is not an address', input: '2001:db8', want: '2001:db8' },
  ]
  for (const { name, input, want } of CASES) {
    it(name, () => assert.equal(countedSource(input, 64), want))
  }

  const PREFIXES = [
    { prefix: 32, want: '2001:db8:0:0:0:0:0:0/32' },
    { prefix: 48, want: '2001:db8:ffff:0:0:0:0:0/48' },
    { prefix: 56, want: '2001:db8:ffff:ff00:0:0:0:0/56' },
    { prefix: 60, want: '2001:db8:ffff:fff0:0:0:0:0/60' },
    { prefix: 127, want: '2001:db8:ffff:ffff:ffff:ffff:ffff:fffe/127' },
    { prefix: 128, want: '2001:db8:ffff:ffff:ffff:ffff:ffff:ffff/128' },
  ]
  for (const { prefix, want } of PREFIXES) {
    it(`an IPv6 prefix of ${prefix} bits`, () =>
      assert.equal(countedSource('2001:db8:ffff:ffff:ffff:ffff:ffff:ffff', prefix), want))
  }
})
