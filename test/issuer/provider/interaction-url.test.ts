// The URLs of login pages: their query is the authorization request, where a URL may contain it.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { restartUrl, interactionUrl } from '../../../src/issuer/provider/interaction-url.ts'

const PARAMS = { client_id: 'spa', state: 'a b&c', resource: ['https://a/', 'https://b/'] }
const QUERY = 'client_id=spa&state=a+b%26c&resource=https%3A%2F%2Fa%2F&resource=https%3A%2F%2Fb%2F'

describe('the URL of a login page', () => {
  it('has the authorization request as its query, with every value', () => {
    assert.equal(interactionUrl({ uid: 'u', params: PARAMS }), `/login/u?${QUERY}`)
    assert.equal(
      interactionUrl({ uid: 'u', params: PARAMS }, 'password'),
      `/login/u/password?${QUERY}`,
    )
  })

  for (const { name, interaction } of [
    { name: 'a user code', interaction: { params: PARAMS, deviceCode: 'd' } },
    {
      name: 'a pushed authorization request (RFC 9126)',
      interaction: { params: PARAMS, parJti: 'p' },
    },
    {
      name: 'a request that is too long',
      interaction: { params: { client_id: 'spa', state: 'x'.repeat(4_096) } },
    },
    { name: 'a request without parameters', interaction: { params: { state: undefined } } },
  ]) {
    it(`has no query for ${name}`, () => {
      assert.equal(interactionUrl({ uid: 'u', ...interaction }), '/login/u')
    })
  }

  it('leads to the same authorization request again', () => {
    assert.equal(restartUrl(`/login/u/password?${QUERY}`), `/authorize?${QUERY}`)
  })

  for (const url of [
    undefined,
    '/login/u',
    '/login/u/returned?code=x&state=y',
    `/login/u?client_id=${'x'.repeat(4_100)}`,
  ]) {
    it(`is not recognized: ${url?.slice(0, 40) ?? 'none'}`, () => {
      assert.equal(restartUrl(url), undefined)
    })
  }

  it('hostile: leads to the authorization endpoint of this host, whatever its query', () => {
    const again = restartUrl('/login/u?client_id=//evil.example/%0d%0aset-cookie:x=y"><script>')
    assert.match(again ?? '', /^\/authorize\?client_id=[\w%.+-]*$/)
  })
})
