// The addresses of login pages: their query is the authorization request, where that may stand in an address.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { againAt, loginAddress } from '../../../src/issuer/login/login-address.ts'

const PARAMS = { client_id: 'spa', state: 'a b&c', resource: ['https://a/', 'https://b/'] }
const QUERY = 'client_id=spa&state=a+b%26c&resource=https%3A%2F%2Fa%2F&resource=https%3A%2F%2Fb%2F'

describe('the address of a login page', () => {
  it('has the authorization request as its query, with every value', () => {
    assert.equal(loginAddress({ uid: 'u', params: PARAMS }), `/login/u?${QUERY}`)
    assert.equal(
      loginAddress({ uid: 'u', params: PARAMS }, 'password'),
      `/login/u/password?${QUERY}`,
    )
  })

  for (const { name, interaction } of [
    { name: 'the code of a device', interaction: { params: PARAMS, deviceCode: 'd' } },
    { name: 'a pushed request (RFC 9126)', interaction: { params: PARAMS, parJti: 'p' } },
    {
      name: 'a long request',
      interaction: { params: { client_id: 'spa', state: 'x'.repeat(4_096) } },
    },
    { name: 'no parameters', interaction: { params: { state: undefined } } },
  ]) {
    it(`has no query for ${name}`, () => {
      assert.equal(loginAddress({ uid: 'u', ...interaction }), '/login/u')
    })
  }

  it('leads to the same authorization again', () => {
    assert.equal(againAt(`/login/u/password?${QUERY}`), `/authorize?${QUERY}`)
  })

  for (const url of [
    undefined,
    '/login/u',
    '/login/u/returned?code=x&state=y',
    `/login/u?client_id=${'x'.repeat(4_100)}`,
  ]) {
    it(`leads nowhere from ${url?.slice(0, 40) ?? 'none'}`, () => {
      assert.equal(againAt(url), undefined)
    })
  }

  it('hostile: leads to the authorization endpoint of this host, whatever the query is', () => {
    const again = againAt('/login/u?client_id=//evil.example/%0d%0aset-cookie:x=y"><script>')
    assert.match(again ?? '', /^\/authorize\?client_id=[\w%.+-]*$/)
  })
})
