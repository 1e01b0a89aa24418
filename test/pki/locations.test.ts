// Which URLs in certificates may be queried.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isPublic, permitted, publicLookup } from '../../src/pki/locations.ts'

describe('an address', () => {
  const cases: readonly (readonly [address: string, isPublic: boolean])[] = [
    ['8.8.8.8', true],
    ['172.32.0.1', true],
    ['2606:4700::1111', true],
    ['127.0.0.1', false],
    ['127.255.255.254', false],
    ['0.0.0.0', false],
    ['10.1.2.3', false],
    ['100.64.0.1', false],
    ['169.254.169.254', false],
    ['172.16.0.1', false],
    ['172.31.255.255', false],
    ['192.168.1.1', false],
    ['198.18.0.1', false],
    ['224.0.0.1', false],
    ['255.255.255.255', false],
    ['::', false],
    ['::1', false],
    ['::ffff:127.0.0.1', false],
    ['::ffff:8.8.8.8', false],
    ['64:ff9b::7f00:1', false],
    ['fc00::1', false],
    ['fd00:ec2::254', false],
    ['fe80::1', false],
    ['ff02::1', false],
    ['2001:db8::1', false],
    ['2002:7f00:1::', false],
  ]
  for (const [address, want] of cases) {
    it(`${address} is ${want ? 'public' : 'not public'}`, () => {
      assert.equal(isPublic(address), want)
    })
  }
})

describe('a URL of a certificate', () => {
  const anyHost = { hosts: [] }
  const listed = { hosts: ['ocsp.internal', '10.0.0.1', '[::1]'] }
  const cases: readonly {
    readonly url: string
    readonly policy?: { readonly hosts: readonly string[] }
    readonly want: boolean
  }[] = [
    { url: 'http://ocsp.example.org/', want: true },
    { url: 'https://ocsp.example.org:8443/path?x', want: true },
    { url: 'http://8.8.8.8/', want: true },
    { url: 'http://[2606:4700::1111]/', want: true },
    { url: 'ldap://ocsp.example.org/', want: false },
    { url: 'file:///etc/passwd', want: false },
    { url: 'gopher://ocsp.example.org/', want: false },
    { url: 'no URL', want: false },
    { url: '', want: false },
    { url: 'http://user@ocsp.example.org/', want: false },
    { url: 'http://user:password@ocsp.example.org/', want: false },
    { url: 'http://@ocsp.example.org/', want: false },
    { url: 'http://127.0.0.1/', want: false },
    { url: 'http://2130706433/', want: false },
    { url: 'http://0x7f.1/', want: false },
    { url: 'http://0177.0.0.1/', want: false },
    { url: 'http://127.1/', want: false },
    { url: 'http://[::1]/', want: false },
    { url: 'http://[::ffff:127.0.0.1]/', want: false },
    { url: 'http://169.254.169.254/latest/meta-data/', want: false },
    { url: 'http://ocsp.internal/', policy: listed, want: true },
    { url: 'http://OCSP.internal:8080/', policy: listed, want: true },
    { url: 'http://10.0.0.1/', policy: listed, want: true },
    { url: 'http://[::1]/', policy: listed, want: true },
    { url: 'http://10.0.0.2/', policy: listed, want: false },
    { url: 'http://ocsp.example.org/', policy: listed, want: false },
    { url: 'http://ocsp.internal.example.org/', policy: listed, want: false },
    { url: 'http://user@ocsp.internal/', policy: listed, want: false },
  ]
  for (const { url, policy = anyHost, want } of cases) {
    it(`${url || 'an empty one'}${policy === listed ? ', with a list of hosts,' : ''} ${want ? 'may' : 'may not'} be queried`, () => {
      assert.equal(permitted(url, policy) !== undefined, want)
    })
  }
})

describe('name resolution for a URL of a certificate', () => {
  for (const all of [true, false]) {
    it(`finds no address of this machine${all ? ', where all addresses are wanted' : ''}`, async () => {
      const { promise, resolve } = Promise.withResolvers<Error | null>()
      publicLookup('localhost', { all }, (error) => resolve(error))
      const error = await promise
      assert.match(error?.message ?? '', /localhost has no public address/)
    })
  }

  it('reports a name that does not exist', async () => {
    const { promise, resolve } = Promise.withResolvers<Error | null>()
    publicLookup('no-such-host.invalid', {}, (error) => resolve(error))
    assert.notEqual(await promise, null)
  })
})
